"""When a message goes out: quiet hours, and not too many a day to one phone."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.cases.models import Case
from app.core.clock import SHANGHAI, shanghai, utcnow
from app.core.ids import new_id
from app.notify import providers, queries, service
from app.notify.kinds import KINDS
from app.notify.models import Sms
from app.notify.providers.protocol import Refused
from app.policy import load as policy
from app.policy import quiet as quiet_hours
from app.policy.parties import Quiet
from tests.factories import a_person
from tests.notify.conftest import a_message, a_phone, received
from tests.world import World

NIGHT = Quiet(begins=time(21), ends=time(8))
NOON = Quiet(begins=time(12), ends=time(14))


def at(text: str) -> datetime:
    """'2026-12-31 21:00:00' on a Shanghai clock, as UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI).astimezone(UTC)


@pytest.mark.parametrize(
    ("quiet", "moment", "goes_out"),
    [
        (NIGHT, "2026-12-31 20:59:59", "2026-12-31 20:59:59"),
        (NIGHT, "2026-12-31 21:00:00", "2027-01-01 08:00:00"),
        (NIGHT, "2027-01-01 00:00:00", "2027-01-01 08:00:00"),
        (NIGHT, "2027-01-01 07:59:59", "2027-01-01 08:00:00"),
        (NIGHT, "2027-01-01 08:00:00", "2027-01-01 08:00:00"),
        (NIGHT, "2028-02-28 23:00:00", "2028-02-29 08:00:00"),
        (NOON, "2026-11-21 11:59:59", "2026-11-21 11:59:59"),
        (NOON, "2026-11-21 12:00:00", "2026-11-21 14:00:00"),
        (NOON, "2026-11-21 14:00:00", "2026-11-21 14:00:00"),
        (None, "2026-11-21 03:00:00", "2026-11-21 03:00:00"),
    ],
)
def test_what_can_wait_waits_for_the_morning(quiet: Quiet | None, moment: str, goes_out: str) -> None:
    assert quiet_hours.waking(quiet, at(moment)) == at(goes_out)


times = st.times().map(lambda moment: moment.replace(microsecond=0))


@given(
    begins=times,
    ends=times,
    moment=st.datetimes(datetime(2024, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
)
def test_it_goes_out_at_the_first_moment_that_is_not_quiet(begins: time, ends: time, moment: datetime) -> None:
    if begins == ends:
        return
    quiet = Quiet(begins=begins, ends=ends)

    def is_quiet(at: datetime) -> bool:
        clock = shanghai(at).time()
        return begins <= clock < ends if begins < ends else clock >= begins or clock < ends

    out = quiet_hours.waking(quiet, moment)
    assert out >= moment
    assert not is_quiet(out)
    assert out - moment < timedelta(days=1)
    if out != moment:
        assert is_quiet(moment)
        assert is_quiet(out - timedelta(microseconds=1))


def test_quiet_hours_without_an_end_are_refused() -> None:
    with pytest.raises(ValueError, match="quiet hours"):
        Quiet(begins=time(8), ends=time(8))


def test_a_code_rings_at_night_and_a_reminder_does_not(world: World) -> None:
    night = at("2026-11-21 23:30:00")
    code = a_message(template="activation_code", now=night)
    wait = a_message(template="study_deadline_near", now=night)
    assert code.send_at == night
    assert wait.send_at == at("2026-11-22 08:00:00")
    service.send_queued(now=night)
    assert (len(received(world, code.phone)), len(received(world, wait.phone))) == (1, 0)
    service.send_queued(now=at("2026-11-22 07:59:59"))
    assert received(world, wait.phone) == []
    service.send_queued(now=wait.send_at)
    assert len(received(world, wait.phone)) == 1


def test_what_can_wait_is_spread_over_days(world: World) -> None:
    phone, noon = a_phone(), at("2026-12-31 12:00:00")
    most = policy.in_force("yunnan", noon).authority.sms.most_a_day
    rows = [
        a_message(phone, key=f"k{number}", template="study_deadline_near", now=noon) for number in range(2 * most + 1)
    ]
    days = [shanghai(row.send_at).date().isoformat() for row in rows]
    assert days == ["2026-12-31"] * most + ["2027-01-01"] * most + ["2027-01-02"]
    assert rows[most].send_at == at("2027-01-01 08:00:00")
    assert a_message(phone, key="code", template="activation_code", now=noon).send_at == noon
    assert a_message(a_phone(), key="other", template="exam_passed", params=["x"], now=noon).send_at == noon


def test_a_message_says_what_its_kind_says(world: World) -> None:
    with pytest.raises(ValueError, match="金额"):
        a_message(template="refund_succeeded")
    names = policy.in_force("yunnan", utcnow()).authority.sms.templates.__struct_fields__
    assert set(KINDS) == set(names)


def test_somebody_without_a_phone_is_not_told(world: World) -> None:
    person = a_person(phone=None, phone_origin=None)
    tell(person.id)
    assert Sms.select().count() == 0


def tell(person_id: str, key: str = "refund:1") -> None:
    service.tell(
        person_id=person_id,
        programme="yunnan",
        template="refund_succeeded",
        params=["200.00"],
        key=key,
        now=at("2026-11-21 10:00:00"),
    )


def test_a_person_is_told_once_and_support_sees_what_became_of_it(world: World) -> None:
    person = a_person()
    tell(person.id)
    tell(person.id)
    (message,) = queries.sent_to(person.id, now=at("2026-11-21 10:00:00"))
    assert message.state == "等待发送"
    assert message.phone == f"{(person.phone or '')[:3]}****{(person.phone or '')[-4:]}"
    service.send_queued(now=at("2026-11-21 10:00:01"))
    assert queries.sent_to(person.id, now=at("2026-11-21 10:00:02"))[0].state == "已发出，等待回执"
    assert len(received(world, person.phone or "")) == 1


def test_what_was_due_by_day_does_not_ring_at_night(world: World) -> None:
    sms = a_message(template="study_deadline_near", now=at("2026-11-21 20:59:00"))
    assert sms.send_at == at("2026-11-21 20:59:00")
    assert not service.send(sms.id, now=at("2026-11-22 02:00:00"))
    assert Sms.get_by_id(sms.id).send_at == at("2026-11-22 08:00:00")
    assert received(world, sms.phone) == []


class OutOfOrder:
    """A provider that is left alone for a while."""

    def send(self, message: object) -> str:
        raise Refused("out of order", again=True, asked=False)


def test_a_provider_that_was_not_asked_costs_no_try(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    now = at("2026-11-21 10:00:00")
    sms = a_message(template="security_notice", now=now)
    with monkeypatch.context() as patch:
        patch.setattr(providers, "for_authority", lambda _prefix: OutOfOrder())
        for minute in range(10):
            service.send(sms.id, now=now + timedelta(minutes=minute))
    waiting = Sms.get_by_id(sms.id)
    assert (waiting.status, waiting.tries) == ("queued", 0)
    assert Case.select().count() == 0
    assert service.send(sms.id, now=now + timedelta(minutes=11))


@pytest.mark.parametrize(
    ("queued", "looked_at", "said"),
    [
        ("2026-11-21 22:30:00", "2026-11-21 23:00:00", "夜间不打扰，早上 8 点后发出"),
        ("2026-11-21 22:30:00", "2026-11-22 02:00:00", "夜间不打扰，早上 8 点后发出"),
        ("2026-11-21 22:30:00", "2026-11-22 08:00:00", "等待发送"),
        ("2026-11-21 12:00:00", "2026-11-21 12:00:00", "等待发送"),
    ],
)
def test_what_waits_for_the_morning_says_so(world: World, queued: str, looked_at: str, said: str) -> None:
    sms = a_message(template="study_deadline_near", person_id=new_id(), now=at(queued))
    assert [one.state for one in queries.sent_to(sms.person_id, now=at(looked_at))] == [said]


def test_what_waits_for_another_day_or_for_the_provider_says_that(world: World) -> None:
    person_id, phone, noon = new_id(), a_phone(), at("2026-11-21 12:00:00")
    most = policy.in_force("yunnan", noon).authority.sms.most_a_day
    for number in range(2 * most + 1):
        a_message(phone, key=f"many{number}", template="study_deadline_near", person_id=person_id, now=noon)
    states = [one.state for one in queries.sent_to(person_id, now=noon)]
    assert states.count("等待发送") == most
    assert states.count("发给您的短信较多，明天早上 8 点后发出") == most
    assert states[0] == "发给您的短信较多，11 月 23 日早上 8 点后发出"
    assert queries.sent_to(person_id, now=at("2026-11-21 22:00:00"))[0].state == states[0], "not because of the night"

    world.sandbox.box.knobs.add("sms", "send", "per_number", "LimitExceeded.PhoneNumberThirtySecondLimit")
    held = a_message(person_id=new_id(), now=noon)
    service.send(held.id, now=noon)
    assert queries.sent_to(held.person_id, now=noon)[0].state == "短信服务商暂时没有发出，稍后会再发"
