"""The sandbox's Baidu, time-outs short enough for tests, and people in front of cameras."""

from __future__ import annotations

import functools
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.account import service as account
from app.account.models import Consent
from app.core.access import Identity
from app.core.clock import utcnow
from app.face.providers import baidu
from app.face.providers.baidu import BaiduFace
from app.policy import load
from app.policy.schema import Programme
from config.settings import Settings
from sandbox import server
from sandbox.faces import make_face, person_of
from tests.factories import a_person, a_session, an_enrolment
from tests.world import World


@pytest.fixture(autouse=True)
def short_timeouts(monkeypatch: pytest.MonkeyPatch) -> None:
    """A sandbox that hangs is waited for less than a second, not four."""
    monkeypatch.setattr(baidu, "TIMEOUT", (2.0, 0.7))


@pytest.fixture
def provider(settings: Settings, sandbox: server.Running) -> Iterator[BaiduFace]:
    """Yunnan's Baidu client over HTTP to the sandbox."""
    secret = settings.secrets.get
    sandbox.reset()
    yield BaiduFace(
        app_id=secret("yunnan.baidu.app_id"),
        api_key=secret("yunnan.baidu.api_key"),
        secret_key=secret("yunnan.baidu.secret_key"),
        plan_id=secret("yunnan.baidu.plan_id"),
        base=sandbox.url,
    )
    sandbox.reset()


@dataclass
class Someone:
    """A person with a session, and what the camera would see of them."""

    id: str
    id_number: str
    token: str
    client: FlaskClient

    @property
    def who(self) -> Identity:
        found = account.authenticate(self.token, now=utcnow())
        assert found is not None
        return found

    @functools.cached_property
    def enrolment(self) -> str:
        """The id of an enrolment of theirs, paid for."""
        return str(an_enrolment(self.id).id)

    @property
    def face(self) -> bytes:
        return make_face(person_of(self.id_number))

    def call(self, method: str, path: str, **options: Any) -> TestResponse:
        headers = {"Authorization": f"Bearer {self.token}", **options.pop("headers", {})}
        return self.client.open(path, method=method, headers=headers, **options)

    def upload(self, method: str, path: str, name: str, data: bytes, **fields: str) -> TestResponse:
        form = {**fields, name: (io.BytesIO(data), "me.jpg")}
        return self.call(method, path, data=form, content_type="multipart/form-data")

    def start(self, purpose: str = "login", method: str = "picture", subject: str | None = None) -> dict[str, Any]:
        answer = self.call(
            "POST", "/api/v1/face-checks", json={"purpose": purpose, "method": method, "subject": subject}
        )
        assert answer.status_code == 201, answer.text
        return dict(answer.get_json())

    def show(self, check: dict[str, Any], face: bytes | None = None) -> TestResponse:
        return self.upload(
            "POST", f"/api/v1/face-checks/{check['id']}/picture", "picture", face or self.face, nonce=check["nonce"]
        )

    def finish(self, check: dict[str, Any], nonce: str | None = None) -> TestResponse:
        return self.call("POST", f"/api/v1/face-checks/{check['id']}/finish", json={"nonce": nonce or check["nonce"]})

    def put_photo(self, data: bytes | None = None) -> TestResponse:
        return self.upload("PUT", "/api/v1/photo", "photo", data or self.face)

    def anchor(self) -> None:
        assert self.show(self.start()).get_json()["status"] == "passed"


People = Callable[..., Someone]


def another_programme(monkeypatch: pytest.MonkeyPatch, **changes: Any) -> Programme:
    """A programme "other": yunnan's with `changes`, in force."""
    yunnan = load.programme("yunnan", "2021-02-01")
    other = msgspec.structs.replace(yunnan, key="other", **changes)
    monkeypatch.setattr(load, "_loaded", {**load._loaded, ("other", yunnan.version): other})
    return other


def in_programme(me: Someone, programme: Programme) -> Someone:
    """The same person, signed in to `programme`."""
    token = account.open_session(me.id, programme.key, "web", activated=True, now=utcnow())
    return Someone(me.id, me.id_number, token, me.client)


@pytest.fixture
def people(world: World) -> People:
    """`people("530102199003071234", activated=True, consent=True)` makes a person who is signed in."""
    world.sandbox.reset()

    def make(
        id_number: str = "530102199003071234",
        name: str = "张三",
        *,
        activated: bool = True,
        consent: bool = True,
        now: datetime | None = None,
    ) -> Someone:
        now = now or utcnow()
        person = a_person(id_number=id_number, name=name, activated=activated, now=now)
        someone = Someone(person.id, id_number, a_session(person, activated=activated), world.app.test_client())
        if consent and not activated:
            session_id = someone.who.session_id
            account.give_consent(person.id, "face", account.CONSENT_VERSIONS["face"], now=now, session_id=session_id)
        if activated and not consent:
            Consent.delete().where(Consent.person_id == person.id, Consent.kind == "face").execute()
        return someone

    return make
