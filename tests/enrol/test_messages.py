"""What a trainee is told: paid, time runs out, passed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from app.core.clock import SHANGHAI, utcnow
from app.core.db import connection
from app.core.ids import new_id
from app.enrol import messages
from app.enrol.models import Enrolment
from app.notify import service as notify
from app.notify.models import Sms
from tests.factories import a_person, an_enrolment
from tests.pay.till import a_sale, in_background, in_parallel, lose_letters, scan, show_code
from tests.world import World

DEADLINE = datetime(2026, 12, 25, 23, 59, 59, 999999, tzinfo=SHANGHAI).astimezone(UTC)


def a_student(deadline: datetime = DEADLINE) -> Enrolment:
    row = an_enrolment(a_person(), "studying")
    Enrolment.update(study_deadline=deadline).where(Enrolment.id == row.id).execute()
    return Enrolment.get_by_id(row.id)


def told(row: Enrolment) -> list[str]:
    query = Sms.select().where(Sms.person_id == row.person_id, Sms.template == "study_deadline_near")
    return [sms.key for sms in query.order_by(Sms.created_at, Sms.id)]


def test_who_paid_is_told_once(world: World) -> None:
    lose_letters(world)
    sale = a_sale()
    scan(world, show_code(sale))
    in_background(now=utcnow() + timedelta(seconds=15))
    in_background(now=utcnow() + timedelta(seconds=30))
    sms = Sms.get(Sms.template == "payment_succeeded")
    assert (sms.person_id, sms.key) == (sale.person.id, f"paid:{sale.order_id}")
    assert '"200.00"' in sms.params
    assert Sms.select().where(Sms.template == "payment_succeeded").count() == 1


@pytest.mark.parametrize(
    ("before", "times"),
    [
        (timedelta(days=7, microseconds=1), 0),
        (timedelta(days=7), 1),
        (timedelta(days=1, microseconds=1), 1),
        (timedelta(days=1), 1),  # of both only the nearer
        (timedelta(0), 0),  # too late to say anything
    ],
)
def test_the_end_of_the_study_period_is_told_on_time(world: World, before: timedelta, times: int) -> None:
    row = a_student()
    for _ in range(3):
        messages.remind(now=DEADLINE - before)
    assert len(told(row)) == times


def test_each_distance_is_told_once_and_a_new_deadline_anew(world: World) -> None:
    row = a_student()
    for hours in range(24 * 8, 0, -6):
        messages.remind(now=DEADLINE - timedelta(hours=hours))
    assert told(row) == [f"deadline:{row.id}:20261225:7", f"deadline:{row.id}:20261225:1"]


def test_who_has_passed_is_not_hurried(world: World) -> None:
    row = an_enrolment(a_person(), "passed")
    Enrolment.update(study_deadline=DEADLINE).where(Enrolment.id == row.id).execute()
    assert messages.remind(now=DEADLINE - timedelta(days=1)) == 0
    assert told(row) == []


def remind_together(row: Enrolment) -> int:
    def run(_: int) -> None:
        with connection():
            messages.remind(now=DEADLINE - timedelta(days=1))

    in_parallel(8, run)
    return len(told(row))


def test_workers_that_remind_at_one_moment_tell_once(world: World) -> None:
    assert remind_together(a_student()) == 1


def test_twin_without_the_compare_and_the_key_they_tell_often(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(messages, "compare_and_set", lambda *_: True)
    real = notify.tell

    def another_key(**values: object) -> None:
        real(**values | {"key": f"twin:{new_id()}"})  # type: ignore[arg-type]

    monkeypatch.setattr(notify, "tell", another_key)
    assert remind_together(a_student()) > 1
