"""Who may call a route. Every view names it; a view that does not is refused (and a test fails).

The guard runs before the view: it bounds rate and body, authenticates, and compares the role. Ownership of a row is
checked by the service that loads it. Trainees bring a bearer token, staff a cookie, whose requests that change
something must come from our own pages.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import partial
from typing import Any, TypeVar

import structlog
from flask import Flask, current_app, g, request

from app.core import rates, tokens
from app.core.clock import utcnow
from app.core.db import unit
from app.core.errors import CLIENT_TOO_OLD, FORBIDDEN, PAGE_OUTDATED, SIGN_IN_FIRST, SIGN_IN_UNFINISHED
from app.core.rates import Kind
from app.core.staff import Right, Staff
from config.settings import VERSION, version_order

View = TypeVar("View", bound=Callable[..., Any])

SMALL_BODY = 64 * 1024
CSRF = "staff csrf"
POLL = "X-Poll"  # a page that asks again by itself says so: the staff's thirty idle minutes go on meanwhile


class Role(StrEnum):
    """PUBLIC: anyone. PROVIDER: a provider's callback, checked by its signature in the view. ACTIVATING: signed in
    with a password that opens nothing yet, or fully. TRAINEE: signed in and activated. TICKET: carries a signed
    single-purpose token that the view checks (play tickets, file URLs). STAFF_SIGNING_IN: staff whose password was
    right, the second factor not yet. STAFF: staff, signed in by both, with one of the rights that the view names."""

    PUBLIC = "public"
    PROVIDER = "provider"
    ACTIVATING = "activating"
    TRAINEE = "trainee"
    TICKET = "ticket"
    STAFF_SIGNING_IN = "staff_signing_in"
    STAFF = "staff"


@dataclass(frozen=True)
class Identity:
    """Who calls: the person, the session, and whether the session is a full one. `rows`: what the view's `reading`
    gave beside it."""

    person_id: str
    session_id: str
    activated: bool
    rows: Sequence[tuple[Any, ...]] = ()


@dataclass(frozen=True)
class StaffIdentity:
    """Who of the staff calls. `stage`: 'enrol' (the second factor is still to be set up), 'factor' (it is still to be
    given), 'full'."""

    staff: Staff
    member_id: str
    name: str
    session_id: str
    stage: str
    expires_at: datetime

    @property
    def csrf(self) -> str:
        """What every form of this session carries."""
        return tokens.sign(CSRF, self.session_id, expires=self.expires_at)


# session id, and by keyword what the route names → rows that begin with the columns of the session that the
# authenticator knows
Reading = Callable[..., Sequence[tuple[Any, ...]]]
Authenticator = Callable[[str, datetime, Reading | None], Identity | None]
StaffAuthenticator = Callable[[str, datetime, bool], StaffIdentity | None]  # the last one: nobody is there


def access(
    role: Role,
    *,
    max_body: int = SMALL_BODY,
    kind: Kind | None = None,
    reading: Reading | None = None,
    entrance: bool = False,
    rights: Collection[Right] = (),
) -> Callable[[View], View]:
    """Mark a view: `role` may call it, with a body of at most `max_body` bytes (413 before it is read), as often as
    its kind allows (default: told by role, method and size of the body). `reading` reads the session and what the
    view needs of its person in one statement: a way to the database less. `entrance`: where a visit begins; a front
    end that is too old is sent to its update here, and nowhere else (docs/decisions/0040-front-end-versions.md).
    `rights`: of staff, who has one of them in some programme (none named: any staff); the programme is compared by
    the service that loads the row."""

    def mark(view: View) -> View:
        view._access_role = role  # type: ignore[attr-defined]
        view._access_max_body = max_body  # type: ignore[attr-defined]
        view._access_kind = kind  # type: ignore[attr-defined]
        view._access_reading = reading  # type: ignore[attr-defined]
        view._access_entrance = entrance  # type: ignore[attr-defined]
        view._access_rights = frozenset(rights)  # type: ignore[attr-defined]
        return view

    return mark


def role_of(view: Callable[..., Any]) -> Role | None:
    """The role a view names, or None."""
    return getattr(view, "_access_role", None)


def kind_of(view: Callable[..., Any], method: str) -> Kind:
    """Which rate a request of `method` to a view falls under."""
    named: Kind | None = getattr(view, "_access_kind", None)
    if named is not None:
        return named
    if role_of(view) is Role.PROVIDER:
        return Kind.CALLBACK
    if method in ("GET", "HEAD", "OPTIONS"):
        return Kind.READ
    if role_of(view) is Role.PUBLIC:
        return Kind.SIGN_IN
    return Kind.UPLOAD if getattr(view, "_access_max_body", 0) > SMALL_BODY else Kind.WRITE


def request_now() -> datetime:
    """The one `now` of this request."""
    if "now" not in g:
        g.now = utcnow()
    moment: datetime = g.now
    return moment


def identity() -> Identity:
    """The caller of a route for signed-in persons. Raises `sign_in_first` elsewhere."""
    who: Identity | None = g.get("identity")
    if who is None:
        raise SIGN_IN_FIRST()
    return who


def person_id() -> str:
    """The caller's person."""
    return identity().person_id


def client_address() -> str:
    """The caller's address, as far as trusted proxies tell it."""
    return request.remote_addr or "unknown"


def _refuse_old_client() -> None:
    """Raises `client_too_old` for a front end that tells a version below the setting `CLIENT_MINIMUM`; one that tells
    none, or nonsense, is not refused for it."""
    told = request.headers.get("X-Client-Version")
    if told is None or not VERSION.fullmatch(told):
        return
    minimum: str = current_app.config["SETTINGS"].client_minimum
    if version_order(told) < version_order(minimum):
        raise CLIENT_TOO_OLD(minimum=minimum)


def staff() -> StaffIdentity:
    """The caller of a route for staff. Raises `sign_in_first` elsewhere."""
    who: StaffIdentity | None = g.get("staff")
    if who is None:
        raise SIGN_IN_FIRST()
    return who


def staff_cookie() -> str:
    """The name of the cookie: one that browsers tie to this host and to https, where there is https."""
    name: str = current_app.extensions["staff_cookie"]
    return name


def require_own_page() -> None:
    """Raises `page_outdated` for a form that another site had a browser send."""
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        raise PAGE_OUTDATED()


def _guard_staff(view: Any, role: Role, kind: Kind) -> None:
    authenticate: StaffAuthenticator = current_app.extensions["staff_authenticator"]
    token = request.cookies.get(staff_cookie(), "")
    polls = request.method in ("GET", "HEAD") and POLL in request.headers
    who = unit(lambda: authenticate(token, request_now(), polls)) if token else None
    if who is None:
        raise SIGN_IN_FIRST()
    structlog.contextvars.bind_contextvars(staff_id=who.member_id)
    rates.check_person(kind, who.staff.actor, now=request_now())
    if role is Role.STAFF and who.stage != "full":
        raise SIGN_IN_UNFINISHED("请先完成二次验证，再进行这一步。")
    if request.method not in ("GET", "HEAD", "OPTIONS"):
        require_own_page()
        _require_csrf(who)
    wanted = view._access_rights
    if wanted and not any(who.staff.programmes(right) for right in wanted):
        raise FORBIDDEN()
    g.staff = who


def _require_csrf(who: StaffIdentity) -> None:
    given = request.headers.get("X-CSRF-Token") or request.form.get("csrf", "")
    try:
        (session_id,) = tokens.verify(CSRF, given, request_now())
    except (tokens.BadToken, ValueError):
        raise PAGE_OUTDATED() from None
    if session_id != who.session_id:
        raise PAGE_OUTDATED()


def _guard() -> None:
    if request.endpoint is None:
        rates.check_address(Kind.READ, client_address(), now=request_now())
        return  # no such route: Flask answers 404 or 405
    view: Any = current_app.view_functions[request.endpoint]
    role = role_of(view)
    if role is None:
        raise FORBIDDEN()
    kind = kind_of(view, request.method)
    rates.check_address(kind, client_address(), now=request_now())
    request.max_content_length = view._access_max_body
    if view._access_entrance:
        _refuse_old_client()
    if role in (Role.PUBLIC, Role.PROVIDER, Role.TICKET):
        return
    if role in (Role.STAFF_SIGNING_IN, Role.STAFF):
        _guard_staff(view, role, kind)
        return
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    authenticate: Authenticator = current_app.extensions["authenticator"]
    reading: Reading | None = view._access_reading and partial(view._access_reading, **(request.view_args or {}))
    who = unit(lambda: authenticate(token.strip(), request_now(), reading)) if scheme.lower() == "bearer" else None
    if who is None:
        raise SIGN_IN_FIRST()
    if role is Role.TRAINEE and not who.activated:
        raise SIGN_IN_UNFINISHED()
    g.identity = who
    rates.check_person(kind, who.person_id, now=request_now())
    structlog.contextvars.bind_contextvars(person_id=who.person_id)


def init_app(app: Flask, authenticate: Authenticator, staff: StaffAuthenticator, *, https: bool) -> None:
    """Install the guard. `authenticate(token, now, reading)` gives the identity of a session token, `staff(token,
    now, polls)` that of a cookie of the staff's."""
    app.extensions["authenticator"] = authenticate
    app.extensions["staff_authenticator"] = staff
    app.extensions["staff_cookie"] = "__Host-staff" if https else "staff"
    app.before_request(_guard)
