"""What became of a message: reports by serial number, or by phone and time."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from app.core.clock import utcnow
from app.notify import reports, service
from app.notify.models import Sms
from app.notify.providers.protocol import Report
from app.notify.status import Status
from tests.notify.conftest import a_message, a_phone
from tests.world import World


def a_sent(world: World, knob: str | None = None, value: object = None) -> Sms:
    if knob:
        world.sandbox.box.knobs.add("sms", "send", knob, value)
    sms = a_message()
    service.send(sms.id, now=utcnow())
    row: Sms = Sms.get_by_id(sms.id)
    return row


def status(sms: Sms) -> str:
    return str(Sms.get_by_id(sms.id).status)


def test_a_pulled_report_says_that_it_arrived(world: World) -> None:
    sms = a_sent(world)
    assert reports.pull_status(now=utcnow()) == 1
    assert status(sms) == Status.DELIVERED
    assert reports.pull_status(now=utcnow()) == 0


def test_a_pulled_report_says_that_it_did_not_arrive(world: World) -> None:
    sms = a_sent(world, "undelivered", "UNDELIV")
    reports.pull_status(now=utcnow())
    row = Sms.get_by_id(sms.id)
    assert (row.status, row.provider_code) == (Status.UNDELIVERED, "UNDELIV")


def test_a_report_whose_pull_was_lost_is_found_by_the_phone(world: World) -> None:
    sms = a_sent(world)
    world.sandbox.box.store.clear("sms", "unpulled")
    assert reports.pull_status(now=utcnow()) == 0
    assert reports.pull_status(now=utcnow() + timedelta(seconds=61)) == 1
    assert status(sms) == Status.DELIVERED


def test_a_message_whose_answer_was_lost_is_found_by_phone_and_time(world: World) -> None:
    sms = a_sent(world, "reset_after")
    assert status(sms) == Status.UNKNOWN
    assert reports.pull_status(now=utcnow()) == 1
    row = Sms.get_by_id(sms.id)
    assert (row.status, bool(row.serial_no)) == (Status.DELIVERED, True)


def test_a_message_that_never_went_out_stays_unknown_and_is_asked_for_less_and_less(world: World) -> None:
    sms, now = a_sent(world, "reset"), utcnow()
    for minutes in range(0, 4 * 24 * 60, 60):
        reports.pull_status(now=now + timedelta(minutes=minutes))
    assert status(sms) == Status.UNKNOWN
    row = Sms.get_by_id(sms.id)
    assert row.ask_at is None
    assert 8 <= row.asked <= 14


def test_a_silent_message_stays_sent(world: World) -> None:
    sms = a_sent(world, "silent")
    for minutes in (0, 2, 10):
        reports.pull_status(now=utcnow() + timedelta(minutes=minutes))
    assert status(sms) == Status.SENT


def test_the_provider_being_down_changes_nothing_and_is_made_up_for(world: World) -> None:
    sms = a_sent(world)
    world.sandbox.box.knobs.add("sms", "pull", "error", 500)
    world.sandbox.box.knobs.add("sms", "pull_number", "garbage")
    assert reports.pull_status(now=utcnow() + timedelta(seconds=61)) == 0
    assert status(sms) == Status.SENT
    assert reports.pull_status(now=utcnow() + timedelta(seconds=62)) == 1


@pytest.mark.parametrize("minutes", [-1, 11])
def test_a_report_of_another_time_is_not_taken_for_a_lost_message(world: World, minutes: int) -> None:
    sms = a_sent(world, "reset")
    began: datetime = sms.claimed_at
    report = Report("5000:1", sms.phone, True, "DELIVRD", began + timedelta(minutes=minutes))
    assert not reports.apply(report, now=utcnow())
    assert status(sms) == Status.UNKNOWN


def test_one_report_settles_one_of_two_lost_messages_and_only_once(world: World) -> None:
    phone, now = a_phone(), utcnow()
    world.sandbox.box.knobs.add("sms", "send", "reset", times=2)
    for number in (1, 2):
        service.send(a_message(phone, key=f"lost:{phone}:{number}").id, now=now + timedelta(seconds=number))
    report = Report("5000:2", phone, True, "DELIVRD", now + timedelta(seconds=3))
    assert reports.apply(report, now=now)
    assert not reports.apply(report, now=now)
    assert sorted(row.status for row in Sms.select()) == [Status.DELIVERED, Status.UNKNOWN]


def test_a_run_over_reports_ends_with_its_time(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(3):
        a_sent(world)
    world.sandbox.box.store.clear("sms", "unpulled")
    answers = iter([False, False, True])  # one page of new reports, one phone
    monkeypatch.setattr("app.core.budget.Budget.spent", lambda _: next(answers))
    assert reports.pull_status(now=utcnow() + timedelta(seconds=61)) == 1
    monkeypatch.setattr("app.core.budget.Budget.spent", lambda _: False)
    assert reports.pull_status(now=utcnow() + timedelta(seconds=61)) == 2
