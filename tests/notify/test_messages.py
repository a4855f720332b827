"""What a person sees of the messages to them, and what is told when none goes out any more."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask.testing import FlaskClient

from app.cases.service import open_cases
from app.core.clock import utcnow
from app.notify import reports, service
from app.notify.models import Sms
from tests.factories import a_person, auth
from tests.notify.conftest import a_message
from tests.world import World


@pytest.fixture
def client(world: World) -> FlaskClient:
    return world.app.test_client()


def test_a_person_sees_what_became_of_their_messages_and_what_to_do(world: World, client: FlaskClient) -> None:
    person = a_person()
    world.sandbox.box.knobs.add("sms", "send", "per_number", "FailedOperation.PhoneNumberInBlacklist")
    code = a_message(person.phone, key="code", template="activation_code", person_id=person.id)
    service.send(code.id, now=utcnow())
    notice = a_message(person.phone, key="notice", person_id=person.id, now=utcnow() + timedelta(seconds=1))
    a_message(key="of another")
    answer = client.get("/api/v1/messages", headers=auth(person)).get_json()
    first, second = answer["messages"]
    assert (first["title"], first["state"], first["advice"]) == ("安全提醒", "等待发送", None)
    assert (second["title"], second["state"]) == ("激活验证码", "没有发出")
    assert "重新获取验证码" in second["advice"]
    assert notice.phone not in str(answer)
    assert first["text"].startswith("安全提醒：修改密码"), "what they got they may read again"
    assert second["text"] is None, "of a code nothing is told"


def test_before_the_activation_one_sees_codes_only(client: FlaskClient) -> None:
    person = a_person(activated_at=None)
    a_message(person.phone, key="code", template="activation_code", person_id=person.id)
    a_message(person.phone, key="notice", person_id=person.id)
    answer = client.get("/api/v1/messages", headers=auth(person, activated=False)).get_json()
    assert [message["title"] for message in answer["messages"]] == ["激活验证码"]


def test_a_message_that_nobody_ever_reported_says_so(world: World, client: FlaskClient) -> None:
    person, now = a_person(), utcnow()
    world.sandbox.box.knobs.add("sms", "send", "reset")
    sms = a_message(person.phone, person_id=person.id, now=now)
    service.send(sms.id, now=now)

    def state() -> str:
        return str(client.get("/api/v1/messages", headers=auth(person)).get_json()["messages"][0]["state"])

    assert state() == "不知是否发出，正在向短信服务商查询"
    for hours in range(4 * 24):
        reports.pull_status(now=now + timedelta(hours=hours))
    assert state() == "没有收到送达回执，可能没有送达"


def test_a_refusal_that_is_ours_is_a_case_once_and_one_number_is_none(world: World) -> None:
    for code in ("FailedOperation.PhoneNumberInBlacklist", "LimitExceeded.PhoneNumberDailyLimit"):
        world.sandbox.box.knobs.add("sms", "send", "per_number", code)
        service.send(a_message().id, now=utcnow())
    assert open_cases() == []
    world.sandbox.box.knobs.add("sms", "send", "per_number", "FailedOperation.InsufficientBalanceInSmsPackage", 2)
    for _ in range(2):
        service.send(a_message().id, now=utcnow())
    (case,) = open_cases()
    assert (case.kind, case.subject) == ("sms.refused", "yunnan.tencent_sms:security_notice")
    assert "InsufficientBalance" in case.facts
    assert Sms.select().where(Sms.status == "failed").count() == 4
