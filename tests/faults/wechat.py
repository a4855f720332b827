"""Faults around WeChat, as functions: each gives the number of violations; its twin says whether the experiment fails
once the guard is off, as it must. (L2, a code brought many times, stands in login.py.)"""

from __future__ import annotations

import base64
import io
import json
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from unittest import mock

import structlog
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from werkzeug.test import TestResponse

from app import wiring
from app.account import service as account
from app.account.models import Notice, Person, Session
from app.core import db
from app.core import redis as redis_clients
from app.core.ids import new_id
from app.core.logging import redact
from app.wechat.models import Binding, LoginCode
from app.wechat.providers import mini_program
from app.wechat.providers.client import Client
from app.wechat.providers.mini_program import MiniProgram
from tests import factories
from tests.wechat.phones import a_bound_person, a_code, a_phone_code, bind, log_in, post
from tests.world import World

# --- L4: another WeChat ------------------------------------------------------------------------------------------


def l4(world: World, tries: int) -> int:
    """Somebody with a stolen session binds a WeChat of their own, then the owner does: without the password nothing
    happens; with it the owner is told, every other session ends, and the WeChat of before opens nothing."""
    return sum(_l4(world) for _ in range(tries))


def _l4(world: World) -> int:
    old, new, thief = f"o{new_id()}", f"o{new_id()}", f"o{new_id()}"
    person = a_bound_person(world, old)
    others = [_token(log_in(world, a_code(world.sandbox, old))), factories.a_session(person)]
    stolen, mine = factories.auth(person), factories.a_session(person)
    violations = int(bind(world, thief, stolen, password="Falsch-2026").status_code == 200)
    violations += _opens(world, thief) + (not _opens(world, old))
    answer = bind(world, new, {"Authorization": f"Bearer {mine}"})
    violations += answer.json != {"bound": True, "rebound": True}
    others += [stolen["Authorization"].removeprefix("Bearer ")]
    violations += sum(_me(world, token) != 401 for token in others) + (_me(world, mine) != 200)
    violations += _opens(world, old) + (not _opens(world, new))
    told = [row.kind for row in Notice.select().where(Notice.person_id == person.id).order_by(Notice.id)]
    return violations + (told != ["wechat_bound", "wechat_rebound"])


def _token(answer: TestResponse) -> str:
    return str(answer.json["token"])  # type: ignore[index]


def _opens(world: World, openid: str) -> bool:
    return bool(log_in(world, a_code(world.sandbox, openid)).json["bound"])  # type: ignore[index]


def _me(world: World, token: str) -> int:
    return world.app.test_client().get("/api/v1/me", headers={"Authorization": f"Bearer {token}"}).status_code


def l4_twin(world: World) -> bool:
    """Without the password; and without the end of the other sessions."""

    def anybody(person_id: str, password: str, *, now: datetime) -> Person:
        return account.get_person(person_id)

    def nobody(person_id: str, **more: object) -> int:
        return 0

    with mock.patch.object(account, "require_password", anybody):
        without_password = l4(world, 1)
    with mock.patch.object(account, "end_sessions", nobody):
        without_end = l4(world, 1)
    return without_password > 0 and without_end > 0


# --- L6: encrypted data, and the key to it -----------------------------------------------------------------------


@dataclass
class Watched:
    """The session keys that WeChat gave, and everything that was logged."""

    keys: list[str] = field(default_factory=list)
    logged: io.StringIO = field(default_factory=io.StringIO)


@contextmanager
def _watching() -> Iterator[Watched]:
    """At the most talkative level, with the product's own processors."""
    watched, before = Watched(), structlog.get_config()
    real = Client.request

    def request(self: Client, method: str, path: str, **more: Any) -> Any:
        answer = real(self, method, path, **more)
        if isinstance(answer, dict) and "session_key" in answer:
            watched.keys.append(answer["session_key"])
        return answer

    handler, root = logging.StreamHandler(watched.logged), logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    structlog.configure(
        processors=[structlog.processors.format_exc_info, redact, structlog.processors.JSONRenderer()],
        wrapper_class=structlog.make_filtering_bound_logger(logging.DEBUG),
        logger_factory=structlog.PrintLoggerFactory(watched.logged),
    )
    try:
        with mock.patch.object(Client, "request", request):
            yield watched
    finally:
        structlog.configure(**before)
        root.setLevel(level)
        root.removeHandler(handler)


def _sealed(key: bytes, iv: bytes, phone: str, appid: str) -> str:
    """What a phone would send in the old way: the number, sealed with a session key (AES-128-CBC)."""
    plain = json.dumps({"purePhoneNumber": phone, "countryCode": "86", "watermark": {"appid": appid}}).encode()
    padding = 16 - len(plain) % 16
    encryptor = Cipher(algorithms.AES(key), modes.CBC(iv)).encryptor()
    sealed = encryptor.update(plain + bytes([padding]) * padding) + encryptor.finalize()
    return base64.b64encode(sealed).decode()


def l6(world: World, tries: int) -> int:
    """Forged encrypted data (an attacker's key, the right key and a changed byte, another app's, noise) is brought
    where a WeChat or a phone number is taken, and WeChat's own answer is changed on its way: refused, and nothing is
    different. The session key is in no answer, no log, not in SQL and not in Redis."""
    return sum(_l6(world) for _ in range(tries))


def _l6(world: World) -> int:
    openid = f"o{new_id()}"
    with _watching() as watched:
        person = a_bound_person(world, openid)
        answers = [log_in(world, a_code(world.sandbox, openid))]
        before = _state()
        headers, appid = factories.auth(person), world.settings.secrets.get("yunnan.wechat.appid")
        right, iv = base64.b64decode(watched.keys[-1]), os.urandom(16)
        changed = bytearray(iv)
        changed[-1] ^= 1
        forged = [
            (_sealed(os.urandom(16), iv, "13900000001", appid), iv),
            (_sealed(right, iv, "13900000002", appid), bytes(changed)),
            (_sealed(right, iv, "13900000003", "wx0000000000000000"), iv),
            (base64.b64encode(os.urandom(96)).decode(), iv),
        ]
        refused = []
        for sealed, vector in forged:
            data = {"encryptedData": sealed, "iv": base64.b64encode(vector).decode()}
            code = a_phone_code(world.sandbox, "13900000009")
            refused += [
                post(world, "/api/v1/wechat/login", {"programme": "yunnan", "code": "x", **data}),
                post(world, "/api/v1/wechat/phone", {"code": code, "password": factories.PASSWORD, **data}, headers),
                post(world, "/api/v1/wechat/bind", {"bind_ticket": sealed, "password": factories.PASSWORD}, headers),
            ]
        for change in ({"watermark": {"appid": "wx0000000000000000"}}, {"watermark": {"timestamp": 1}}):
            world.sandbox.box.knobs.add("wechat", "phone", "alter", {"phone_info": change})
            body = {"code": a_phone_code(world.sandbox, "13900000009"), "password": factories.PASSWORD}
            refused.append(post(world, "/api/v1/wechat/phone", body, headers))
        violations = sum(not 400 <= answer.status_code < 504 for answer in refused)
        Session.delete().where(Session.person_id == person.id).execute()
        violations += _state() != before
        told = "".join(answer.get_data(as_text=True) + str(answer.headers) for answer in [*answers, *refused])
        rows = [db.database.execute_sql(*model.select().sql()).fetchall() for model in wiring.models()]
        store = redis_clients.queue()
        kept = b"".join(store.dump(key) or b"" for key in store.keys("*")).decode("latin-1")  # type: ignore[union-attr]
        everywhere = told + watched.logged.getvalue() + str(rows) + kept
        violations += sum(key in everywhere for key in watched.keys) + ("session_key" in told)
        return violations + (len(watched.keys) != 2)


def _state() -> tuple[list[str], int, int]:
    phones = [person.phone for person in Person.select().order_by(Person.id)]
    return phones, Binding.select().count(), LoginCode.select().where(LoginCode.bound_at.is_null(False)).count()


def l6_twin(world: World) -> bool:
    """Without the look at the watermark; and with a client that writes down what it got."""
    real = MiniProgram.openid_of

    def talkative(self: MiniProgram, code: str) -> str:
        request = self.request

        def tell(method: str, path: str, **more: Any) -> Any:
            answer = request(method, path, **more)
            structlog.get_logger("twin").info("answered", text=str(answer))
            return answer

        with mock.patch.object(self, "request", tell):
            return real(self, code)

    def trusting(answer: Any, appid: str, now: datetime) -> str:
        return str(answer["phone_info"]["purePhoneNumber"])

    with mock.patch.object(mini_program, "_phone", trusting):
        without_watermark = l6(world, 1)
    with mock.patch.object(MiniProgram, "openid_of", talkative):
        with_a_log = l6(world, 1)
    return without_watermark > 0 and with_a_log > 0
