"""The pictures of the console: what they count, and who is shown what."""

from __future__ import annotations

from datetime import datetime, timedelta

from app.account.models import Person
from app.cases import queries as cases
from app.core.clock import utcnow
from app.core.staff import EVERYWHERE, Right
from app.pay import queries as orders
from app.pay.models import PaymentAttempt, Refund
from app.policy.days import shanghai_day
from app.reports import figures
from app.reports.models import DayFigure, ReckonedDay
from tests import factories
from tests.console.desks import a_photo_case
from tests.factories import an_enrolment
from tests.pay.till import an_order
from tests.staffroom import a_member, at_desk, staff_of
from tests.world import World


def test_people_are_counted_by_the_day_on_which_they_signed_up(world: World) -> None:
    now = utcnow()
    for status in ("signed_up", "signed_up", "studying", "passed", "completed"):
        an_enrolment(factories.a_person(), status, now=now)
    an_enrolment(factories.a_person(), "studying", now=now - timedelta(days=40))
    assert figures.reckon(now=now) == 41, "each day since the first sign-up"
    today = shanghai_day(now)
    found = figures.funnels({"yunnan"}, since=today, until=today)
    (row,) = found.rows
    assert (row.signed_up, row.paid, row.studying, row.passed) == (5, 3, 0, 2)
    both = figures.funnels({"yunnan"}, since=today - timedelta(days=60), until=today)
    assert both.rows[0].signed_up == 6
    assert figures.funnels({"henan"}, since=today, until=today).rows == []


def test_a_day_is_counted_again_sooner_the_younger_it_is(world: World) -> None:
    now = utcnow()
    an_enrolment(factories.a_person(), "signed_up", now=now - timedelta(days=30))
    figures.reckon(now=now)
    assert figures.reckon(now=now + timedelta(seconds=30)) == 0
    assert figures.reckon(now=now + timedelta(seconds=61)) == 2, "today and yesterday"
    an_enrolment(factories.a_person(), "signed_up", now=now)
    figures.reckon(now=now + timedelta(minutes=3))
    assert DayFigure.get(DayFigure.day == shanghai_day(now).isoformat()).signed_up == 1
    assert ReckonedDay.select().count() == 31


def test_the_work_of_the_day_is_of_my_kinds_and_programmes(world: World) -> None:
    now = utcnow()
    a_photo_case(now=now)
    a_photo_case(programme="henan", now=now)
    reviewer, finance = a_member((Right.REVIEWER, "yunnan")), a_member((Right.FINANCE, "yunnan"))
    since, until = figures.ends_of(shanghai_day(now))
    (hour,) = cases.hours(staff_of(reviewer), since=since, until=until)
    assert (hour.kind, hour.filed, hour.decided) == ("face.photo", 1, 0)
    assert hour.hour == (now + timedelta(hours=8)).hour
    assert cases.hours(staff_of(finance), since=since, until=until) == []


def test_a_queue_is_as_old_as_its_oldest_case_over_time(world: World) -> None:
    now = utcnow()
    for days in (0, 4, 12):
        a_photo_case(now=now - timedelta(days=days))
    (queue,) = cases.ages(staff_of(a_member((Right.REVIEWER, EVERYWHERE))), now=now)
    assert (queue.count, sum(queue.buckets)) == (3, 3)
    assert queue.buckets[-1] >= 1, "one is over by more than three days"
    assert queue.buckets[0] + queue.buckets[1] >= 1


def a_payment(person: Person, *, fen: int, back: int = 0, now: datetime) -> None:
    """Money that came by WeChat, a part of which went back."""
    order = an_order(person, f"thing:{person.id}", now=now)
    attempt = PaymentAttempt.create(
        order_id=order.id, channel="wechat_native", authority="yunnan.wechatpay", out_trade_no=order.id,
        status="paid", amount_fen=fen, captured_fen=fen, refunded_fen=back, created_at=now, paid_at=now,
    )  # fmt: skip
    if back:
        Refund.create(
            order_id=order.id, attempt_id=attempt.id, out_refund_no=attempt.id, amount_fen=back, reason="agreed",
            status="succeeded", created_at=now, succeeded_at=now,
        )  # fmt: skip


def test_the_money_of_a_day_is_what_came_and_what_went_back_on_it(world: World) -> None:
    now, person = utcnow(), factories.a_person()
    a_payment(person, fen=20000, back=5000, now=now)
    a_payment(factories.a_person(), fen=10000, now=now - timedelta(days=1))
    since, until = figures.ends_of(shanghai_day(now))
    (row,) = orders.taken({"yunnan"}, since=since, until=until)
    assert (row.channel, row.paid, row.paid_fen, row.back, row.back_fen) == ("wechat_native", 1, 20000, 1, 5000)
    assert orders.taken({"henan"}, since=since, until=until) == []


def test_money_is_shown_to_finance_alone(world: World) -> None:
    a_payment(factories.a_person(), fen=20000, now=utcnow())
    finance = at_desk(world, a_member((Right.FINANCE, "yunnan"))).get("/console/figures").text
    assert "当日资金" in finance
    assert "200.00" in finance
    for right in (Right.REVIEWER, Right.SUPPORT, Right.TEACHING):
        page = at_desk(world, a_member((right, "yunnan"))).get("/console/figures").text
        assert "当日资金" not in page
        assert "200.00" not in page
    elsewhere = at_desk(world, a_member((Right.FINANCE, "henan"))).get("/console/figures?programme=yunnan").text
    assert "200.00" not in elsewhere


def test_an_address_that_makes_no_sense_shows_the_usual_period(world: World) -> None:
    desk = at_desk(world, a_member((Right.ADMINISTRATOR, EVERYWHERE)))
    for query in (
        "since=x&until=y&day=z",
        "days=-5",
        "days=999999",
        "since=2099-01-01",
        "since=0001-01-01",
        "until=0001-01-01",
        "day=0001-01-01",
        "day=9999-12-31",
        "days=-9999999",
        "days=x",
    ):
        assert desk.get(f"/console/figures?{query}").status_code == 200
