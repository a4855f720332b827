"""What a web page and a phone do with a code that is scanned, each with a client of its own."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from werkzeug.test import TestResponse

from app.account.models import Person
from app.core.clock import utcnow
from app.core.ids import new_id
from app.enrol.models import Enrolment
from app.face.models import FaceCheck
from app.face.status import CheckStatus
from tests import factories
from tests.world import World

CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0 Safari/537.36"


@dataclass
class Page:
    """A browser page that shows a code. `token`: of the person signed in there, if any."""

    world: World
    token: str = ""
    id: str = ""
    secret: str = ""
    etag: str = ""

    def _call(self, method: str, path: str, authorization: str, **more: Any) -> TestResponse:
        headers = {"Authorization": authorization, "User-Agent": CHROME, **more.pop("headers", {})}
        path = f"/api/v1/scan-tickets{path}"
        return self.world.app.test_client().open(path, method=method, headers=headers, **more)

    def ask(self, enrolment_id: str | None = None, programme: str = "yunnan") -> TestResponse:
        """Show a code: to sign in, or to study; keeps id and secret."""
        if enrolment_id is None:
            answer = self._call("POST", "/login", "", json={"programme": programme})
        else:
            body = {"enrolment_id": enrolment_id}
            answer = self._call("POST", "/study", f"Bearer {self.token}", json=body)
        if answer.status_code == 201:
            self.id, self.secret = answer.get_json()["id"], answer.get_json()["secret"]
        return answer

    def poll(self) -> TestResponse:
        """How does it stand? Like a browser, with the ETag of last time."""
        answer = self._call("GET", f"/{self.id}", f"Ticket {self.secret}", headers={"If-None-Match": self.etag})
        self.etag = answer.headers.get("ETag", "")
        return answer

    def go_on(self) -> TestResponse:
        """Take what was confirmed."""
        return self._call("POST", f"/{self.id}/go-on", f"Ticket {self.secret}")


@dataclass
class Phone:
    """A phone with the mini-program, signed in as `person`."""

    world: World
    person: Person
    channel: str = "mini_program"
    token: str = ""

    def __post_init__(self) -> None:
        self.token = self.token or factories.a_session(self.person, channel=self.channel)

    def post(self, ticket_id: str, verb: str) -> TestResponse:
        """`scan`, `confirm` or `deny`."""
        headers = {"Authorization": f"Bearer {self.token}"}
        return self.world.app.test_client().post(f"/api/v1/scan-tickets/{ticket_id}/{verb}", headers=headers)

    def pass_face(self, purpose: str = "login", enrolment: Enrolment | None = None) -> FaceCheck:
        """A face check of the person passed a moment ago."""
        now = utcnow()
        check: FaceCheck = FaceCheck.create(
            person_id=self.person.id,
            programme="yunnan",
            version="2021-02-01",
            purpose=purpose,
            subject=enrolment.id if enrolment else "",
            method="picture",
            nonce_index=new_id(),
            status=CheckStatus.PASSED,
            created_at=now,
            passed_at=now,
            expires_at=now + timedelta(minutes=10),
        )
        return check

    def approve(self, page: Page) -> None:
        """Scan the page's code, pass the face check to sign in, say yes."""
        assert self.post(page.id, "scan").status_code == 200
        self.pass_face()
        answer = self.post(page.id, "confirm")
        assert answer.status_code == 204, answer.text


def code_of(answer: TestResponse) -> tuple[int, str]:
    """Status and code of a problem."""
    assert answer.content_type == "application/problem+json", answer.text
    return answer.status_code, answer.get_json()["code"]
