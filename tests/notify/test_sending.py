"""One SMS, over the real SDK and real HTTP: sent once, whatever happens."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest

from app.account.codes import Purpose, issue
from app.account.messages import tell_owner
from app.account.models import Person, VerificationCode
from app.core import crypto, outbox
from app.core.clock import utcnow
from app.core.db import database
from app.core.outbox import OutboxMessage
from app.notify import service
from app.notify.models import Sms
from app.notify.providers.tencent import TencentSms
from app.notify.status import Status
from app.policy import load as policy
from jobs import entries, schedule
from tests.factories import a_person
from tests.notify.conftest import a_message, a_phone, received, sends
from tests.world import World


def again(sms: Sms) -> Sms:
    row: Sms = Sms.get_by_id(sms.id)
    return row


def test_a_queued_message_reaches_the_phone(world: World, sign: str) -> None:
    sms = a_message()
    assert service.send(sms.id, now=utcnow())
    (message,) = received(world, sms.phone)
    assert message["params"] == ["修改密码", "03-01 10:00"]
    assert message["sign"] == sign
    assert message["template_id"] == "2100003"
    sent = again(sms)
    assert (sent.status, sent.serial_no) == (Status.SENT, message["serial_no"])
    assert sent.params_sealed is None


def test_the_same_key_is_one_message(world: World) -> None:
    phone = a_phone()
    first, second = a_message(phone), a_message(phone)
    assert first.id == second.id
    service.send_queued(now=utcnow())
    service.send_queued(now=utcnow())
    assert len(received(world, phone)) == 1


def test_a_message_of_a_transaction_that_failed_is_not_queued(world: World) -> None:
    phone = a_phone()

    def deed() -> None:
        with database.atomic():
            a_message(phone)
            raise ValueError("the deed failed")

    with pytest.raises(ValueError, match="the deed failed"):
        deed()
    assert not Sms.select().where(Sms.key == f"test:{phone}").exists()


def test_a_template_that_the_programme_does_not_have_queues_nothing(world: World) -> None:
    sms_id = service.send_sms(
        person_id="p",
        programme="yunnan",
        phone=a_phone(),
        template="hours_purged",
        params=["塔机司机"],
        key="x",
        now=utcnow(),
    )
    assert sms_id is None
    assert Sms.select().count() == 0


def test_phone_and_params_are_not_in_the_clear(world: World) -> None:
    sms = a_message()
    row = Sms.select(Sms.phone_sealed, Sms.params_sealed, Sms.phone_index).where(Sms.id == sms.id).tuples().get()
    assert all(sms.phone not in value and "修改密码" not in value for value in row)
    assert row[2] == crypto.index("sms.phone", sms.phone)


def a_code(person: Person, purpose: Purpose) -> VerificationCode:
    """A code on its way to the person's phone."""
    programme, subject = policy.in_force("yunnan", utcnow()), person.id_number
    here = "198.51.100.1"
    return issue(
        programme, subject, person, purpose, person.phone, asker=here, address=here, reserved=True, now=utcnow()
    )


def test_an_issued_code_is_sent_once_however_often_its_event_is_delivered(world: World) -> None:
    person = a_person()
    code = a_code(person, "activation")
    assert outbox.sweep(now=utcnow()) == 1
    OutboxMessage.update(status="pending", available_at=utcnow()).execute()
    assert outbox.sweep(now=utcnow()) == 1
    assert service.send_queued(now=utcnow()) == 1
    (message,) = received(world, person.phone)
    assert message["params"] == [VerificationCode.get_by_id(code.id).code, "5"]


def test_a_notice_reaches_the_owner(world: World) -> None:
    person = a_person()
    tell_owner(person, "yunnan", "password_reset", now=utcnow())
    assert outbox.sweep(now=utcnow()) == 1
    assert service.send_queued(now=utcnow()) == 1
    (message,) = received(world, person.phone)
    assert message["params"][0] == "重设密码"


def test_a_code_that_was_used_before_its_event_arrives_is_not_sent(world: World) -> None:
    person = a_person()
    code = a_code(person, "reset")
    VerificationCode.update(code_sealed=None, used_at=utcnow()).where(VerificationCode.id == code.id).execute()
    assert outbox.sweep(now=utcnow()) == 1
    assert Sms.select().count() == 0


def test_a_code_that_expired_is_not_sent_any_more(world: World) -> None:
    person = a_person()
    a_code(person, "activation")
    outbox.sweep(now=utcnow())
    assert service.send_queued(now=utcnow() + timedelta(minutes=5, seconds=1)) == 0
    sms = Sms.get()
    assert (sms.status, sms.provider_code, sms.params_sealed) == (Status.FAILED, "expired", None)
    assert received(world, person.phone) == []


@pytest.mark.parametrize(
    ("kind", "value", "handled"),
    [("error", 500, 0), ("garbage", None, 0), ("reset", None, 0), ("reset_after", None, 1), ("hang", 60, 0)],
)
def test_an_answer_that_is_lost_makes_the_message_unknown_and_it_is_not_sent_again(
    world: World, kind: str, value: object, handled: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.sandbox.box.knobs.add("sms", "send", kind, value)
    sms = a_message()
    client = service.providers.for_authority(sms.authority)._client  # type: ignore[attr-defined]
    monkeypatch.setattr(client.request.conn, "timeout", 0.5)
    began = time.monotonic()
    assert not service.send(sms.id, now=utcnow())
    assert time.monotonic() - began < 5
    assert again(sms).status == Status.UNKNOWN
    for minutes in range(0, 30, 5):
        service.send_queued(now=utcnow() + timedelta(minutes=minutes))
    assert len(received(world, sms.phone)) == handled
    assert again(sms).status == Status.UNKNOWN


def test_the_providers_internal_error_is_no_refusal(world: World) -> None:
    world.sandbox.box.knobs.add("sms", "send", "error", "InternalError.Timeout")
    sms = a_message()
    service.send(sms.id, now=utcnow())
    assert again(sms).status == Status.UNKNOWN


def test_a_limit_of_seconds_is_waited_for_and_the_message_sent_then(world: World) -> None:
    world.sandbox.box.knobs.add("sms", "send", "per_number", "LimitExceeded.PhoneNumberThirtySecondLimit")
    sms, now = a_message(), utcnow()
    assert service.send_queued(now=now) == 0
    world.sandbox.box.knobs.add("sms", "send", "error", "RequestLimitExceeded")
    assert again(sms).status == Status.QUEUED
    assert service.send_queued(now=now + timedelta(seconds=30)) == 0
    assert sends(world) == 1
    assert service.send_queued(now=now + timedelta(seconds=36)) == 0
    assert service.send_queued(now=now + timedelta(minutes=3)) == 1
    assert len(received(world, sms.phone)) == 1


def test_a_limit_that_stays_is_given_up_after_three_tries(world: World) -> None:
    world.sandbox.box.knobs.add("sms", "send", "per_number", "LimitExceeded.PhoneNumberThirtySecondLimit", times=None)
    sms, now = a_message(), utcnow()
    for minutes in range(20):
        service.send_queued(now=now + timedelta(minutes=minutes))
    assert (again(sms).status, again(sms).tries, sends(world)) == (Status.FAILED, 3, 3)


def test_a_refused_number_is_final(world: World) -> None:
    world.sandbox.box.knobs.add("sms", "send", "per_number", "LimitExceeded.PhoneNumberDailyLimit")
    sms = a_message()
    service.send(sms.id, now=utcnow())
    refused = again(sms)
    assert (refused.status, refused.provider_code) == (Status.FAILED, "LimitExceeded.PhoneNumberDailyLimit")
    assert refused.params_sealed is None


def test_the_job_and_the_schedule_send(world: World) -> None:
    first = a_message()
    entries.send_sms(first.id)
    assert again(first).status == Status.SENT
    second = a_message()
    schedule.run("notify.send_queued", now=utcnow())
    assert again(second).status == Status.SENT
    schedule.run("notify.pull_status", now=utcnow())
    assert {again(first).status, again(second).status} == {Status.DELIVERED}


def test_under_live_it_is_tencents_own_address_with_short_waits_and_no_second_try() -> None:
    client = TencentSms(secret_id="i", secret_key="k", sdk_app_id="1400000000")._client
    http = client.profile.httpProfile
    assert (http.scheme, http.endpoint) == ("https", "sms.tencentcloudapi.com")
    assert http.reqTimeout <= 5
    assert client.profile.retryer is None
    assert client.request.conn.certification


def test_a_run_over_queued_messages_ends_with_its_time(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(3):
        a_message()
    answers = iter([False, True])
    monkeypatch.setattr("app.core.budget.Budget.spent", lambda _: next(answers))
    assert service.send_queued(now=utcnow()) == 1
    assert sends(world) == 1
