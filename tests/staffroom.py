"""Staff of the centre for tests: accounts that are set up, and browsers in which they have signed in."""

from __future__ import annotations

import itertools
import re
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.core.clock import utcnow
from app.core.staff import Right, Staff
from app.staff import factor, sessions
from app.staff.models import Member, MemberRight
from tests.factories import password_hash
from tests.world import World

PASSWORD = "vier pferde im wald"
HIDDEN = re.compile(r'type="hidden" name="(proposed_at|revision)" value="([^"]*)"')  # which state a page showed
_numbers = itertools.count(1)
Rights = Collection[tuple[Right, str]]


def a_member(*rights: tuple[Right, str], name: str = "王芳", enrolled: bool = True, **values: Any) -> Member:
    """Somebody of the staff, with a password (`PASSWORD`) and, unless told otherwise, a second factor."""
    defaults: dict[str, Any] = {
        "login": f"staff{next(_numbers)}",
        "name": name,
        "password_hash": password_hash(PASSWORD),
        "totp": factor.new_secret(),
        "totp_at": utcnow() - timedelta(days=1) if enrolled else None,
        "created_at": utcnow() - timedelta(days=1),
    }
    member: Member = Member.create(**(defaults | values))
    for right, programme in rights:
        MemberRight.create(member_id=member.id, right=right, programme=programme)
    return member


def staff_of(member: Member) -> Staff:
    """Who acts, as services know them."""
    return Staff(f"staff:{member.id}", sessions.rights_of(member.id))


def code_of(member: Member, *, now: datetime | None = None, steps: int = 0) -> str:
    """What the member's authenticator shows; `steps`: so many steps later."""
    secret: str = Member.get_by_id(member.id).totp
    return factor.code_at(secret, (now or utcnow()) + timedelta(seconds=factor.STEP * steps))


@dataclass
class Browser:
    """A browser at the console. `csrf`: what the last page's forms carry; `hidden`: and what else in fields that
    nobody sees, sent along with the next form as it stands there."""

    client: FlaskClient
    csrf: str = ""
    hidden: dict[str, str] = field(default_factory=dict)

    def get(self, path: str, **options: Any) -> TestResponse:
        """Open a page."""
        return self._keep(self.client.get(path, **options))

    def post(self, path: str, data: dict[str, Any] | None = None, *, csrf: str | None = None) -> TestResponse:
        """Send a form of the page before."""
        form = {**self.hidden, "csrf": self.csrf if csrf is None else csrf, **(data or {})}
        return self._keep(self.client.post(path, data=form))

    def hx(self, path: str, data: dict[str, Any] | None = None) -> TestResponse:
        """What htmx sends."""
        headers = {"HX-Request": "true", "X-CSRF-Token": self.csrf}
        return self._keep(self.client.post(path, data={**self.hidden, **(data or {})}, headers=headers))

    def _keep(self, answer: TestResponse) -> TestResponse:
        found = re.search(r'name="csrf" value="([^"]+)"', answer.text) if answer.mimetype == "text/html" else None
        if found:
            self.csrf = found[1]
        if answer.mimetype == "text/html" and answer.status_code == 200:
            self.hidden = dict(HIDDEN.findall(answer.text))
        return answer


def a_browser(world: World) -> Browser:
    """One in which nobody has signed in."""
    return Browser(world.app.test_client())


def at_desk(world: World, member: Member) -> Browser:
    """The member, signed in by both factors (the session is opened directly)."""
    browser = a_browser(world)
    browser.client.set_cookie("staff", sessions.open_session(member, "full", now=utcnow()), domain="localhost")
    browser.get("/console/")
    return browser
