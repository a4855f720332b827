"""What a phone with WeChat does in tests: fetch a code, sign in, bind."""

from __future__ import annotations

import json
from typing import Any

from werkzeug.test import TestResponse

from app.account.models import Person
from app.core.ids import new_id
from app.wechat.models import Binding
from sandbox import server
from tests import factories
from tests.world import World


def a_code(sandbox: server.Running, openid: str) -> str:
    """A fresh code of `wx.login` of the WeChat user `openid`."""
    now = sandbox.box.clock.now()
    code = f"0{openid}{new_id()}"
    record = {"openid": openid, "appid": sandbox.box.secret("yunnan.wechat.appid"), "until": now + 300}
    sandbox.box.store.put("wechat", "login_code", code, record)
    return code


def post(
    world: World, path: str, body: Any, headers: dict[str, str] | None = None, address: str = ""
) -> TestResponse:
    """The answer to a POST, from an address if one is given."""
    environ = {"REMOTE_ADDR": address} if address else {}
    text = json.dumps(body)  # in ASCII: half a character travels as well
    client = world.app.test_client()
    return client.post(path, data=text, content_type="application/json", headers=headers, environ_base=environ)


def log_in(world: World, code: str, address: str = "") -> TestResponse:
    """Sign in with a code."""
    return post(world, "/api/v1/wechat/login", {"programme": "yunnan", "code": code}, address=address)


def bind(world: World, openid: str, headers: dict[str, str], password: str = factories.PASSWORD) -> TestResponse:
    """Bring a code of an unbound WeChat and bind it, signed in by `headers`."""
    ticket = log_in(world, a_code(world.sandbox, openid)).json["bind_ticket"]  # type: ignore[index]
    return post(world, "/api/v1/wechat/bind", {"bind_ticket": ticket, "password": password}, headers)


def unbind(world: World, headers: dict[str, str], password: str = factories.PASSWORD) -> TestResponse:
    """Take the WeChat away, signed in by `headers`."""
    return post(world, "/api/v1/wechat/unbind", {"password": password}, headers)


def a_bound_person(world: World, openid: str) -> Person:
    """An activated person whose WeChat is `openid`."""
    person = factories.a_person()
    answer = bind(world, openid, factories.auth(person))
    assert answer.json == {"bound": True, "rebound": False}, answer.json
    assert Binding.select().where(Binding.person_id == person.id).exists()
    return person


def a_phone_code(sandbox: server.Running, phone: str) -> str:
    """A fresh code of the phone-number button of a user whose WeChat knows `phone`."""
    code = f"p{new_id()}"
    sandbox.box.store.put("wechat", "phone_code", code, {"phone": phone, "until": sandbox.box.clock.now() + 300})
    return code
