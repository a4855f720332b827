"""Somebody of support on the telephone with a trainee, and what the trainee's own page says."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from typing import Any

from app.account.models import Person
from app.cases.models import Case
from tests import factories
from tests.staffroom import Browser
from tests.world import World


@dataclass
class Phone:
    """Somebody of support on the telephone with a trainee."""

    browser: Browser
    person_id: str = ""

    def asks_for(self, text: str) -> str:
        """Look for what the caller says; gives the page."""
        self.browser.get("/console/people")
        answer = self.browser.post("/console/people", {"text": text})
        assert answer.status_code == 303, html.unescape(answer.text)
        self.person_id = answer.headers["Location"].removeprefix("/console/people/")
        return self.page()

    def page(self) -> str:
        answer = self.browser.get(f"/console/people/{self.person_id}")
        assert answer.status_code == 200
        return html.unescape(answer.text)

    def press(self, key: str, **form: str) -> str:
        """Press a button that stands on the page; gives what the page says then."""
        page = self.page()
        found = re.search(rf'action="[^"]*/help/{re.escape(key)}".*?name="target" value="([^"]+)"', page, re.DOTALL)
        assert found, f"no button {key}: {page}"
        return self.send(key, target=found[1], **form)

    def send(self, key: str, **form: str) -> str:
        answer = self.browser.hx(f"/console/people/{self.person_id}/help/{key}", form)
        said = re.search(r'id="message" class="message (\w+)"[^>]*>([^<]*)<', answer.text)
        assert said, answer.text
        return html.unescape(said[2])

    def has(self, key: str) -> bool:
        return f"/help/{key}" in self.page()


def call(world: World, person: Person, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    """The trainee's own page asks."""
    client = world.app.test_client()
    answer = client.open(f"/api/v1{path}", method=method, json=body, headers=factories.auth(person))
    return answer.status_code, answer.get_json()


def agree(browser: Browser, kind: str) -> str:
    """Another of support opens the case and agrees; gives what the desk said of it before."""
    case = Case.get(Case.kind == kind, Case.status == "open")
    shown = browser.get(f"/console/cases/{case.id}")
    assert shown.status_code == 200
    answer = browser.post(f"/console/cases/{case.id}/decide", {"decision": "agree"})
    assert answer.status_code == 303, html.unescape(answer.text)
    return html.unescape(shown.text)
