"""What a person does on the account's screens, over HTTP, and the SMS they read."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from werkzeug.test import TestResponse

from app.account import service
from app.account.models import Notice, VerificationCode
from app.core.clock import utcnow
from tests.factories import PASSWORD
from tests.world import World

FIRST = "12345678"  # the yunnan programme's first password


@dataclass
class Clock:
    """The server's clock, which a test moves."""

    ahead: timedelta = timedelta()

    def now(self) -> datetime:
        return utcnow() + self.ahead

    def wait(self, **time: float) -> None:
        self.ahead += timedelta(**time)


@dataclass
class Screens:
    """One phone or computer at one address."""

    world: World
    address: str = "10.1.0.1"
    token: str = ""

    def call(self, method: str, path: str, body: Any = None) -> TestResponse:
        """Any request, with the token if there is one; half a character travels as well."""
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        return self.world.app.test_client().open(
            f"/api/v1{path}",
            method=method,
            data=None if body is None else json.dumps(body),
            content_type=None if body is None else "application/json",
            headers=headers,
            environ_base={"REMOTE_ADDR": self.address},
        )

    def post(self, path: str, **body: Any) -> TestResponse:
        """A POST of this body."""
        return self.call("POST", path, body)

    def login(self, id_number: str, password: str = PASSWORD, channel: str = "web", **more: Any) -> TestResponse:
        """Sign in; keeps the token."""
        values = {"programme": "yunnan", "id_number": id_number, "password": password, "channel": channel}
        answer = self.call("POST", "/login", values | more)
        if answer.status_code == 200:
            self.token = answer.get_json()["token"]
        return answer

    def me(self) -> Any:
        """The account as shown."""
        return self.call("GET", "/me").get_json()


def problem_of(answer: TestResponse) -> tuple[int, str]:
    """Status and code of a problem."""
    assert answer.content_type == "application/problem+json", answer.get_data(as_text=True)
    body = answer.get_json()
    assert body["detail"]
    return answer.status_code, body["code"]


def sms_code(id_number: str, purpose: str) -> str:
    """The newest code that was sent for this."""
    person = service.find_by_id_number(id_number)
    assert person is not None
    row = (
        VerificationCode.select()
        .where(VerificationCode.person_id == person.id, VerificationCode.purpose == purpose)
        .order_by(VerificationCode.created_at.desc())
        .get()
    )
    message = service.code_message(row.id)
    assert message is not None
    return message.params[0]


def another(code: str) -> str:
    """A code that is not this one."""
    return f"{(int(code) + 1) % 10**6:06d}"


def notices() -> list[tuple[str, str]]:
    """Kind and phone of each notice, in order."""
    return [(row.kind, row.phone) for row in Notice.select().order_by(Notice.created_at)]
