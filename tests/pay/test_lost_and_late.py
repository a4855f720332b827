"""Money that nobody told of is found; money that comes too late, or twice, goes back (faults P6, P7, P10, P11)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient

from app.cases import service as cases
from app.core import breaker, db, outbox
from app.core.clock import utcnow
from app.core.errors import Problem
from app.notify.models import Sms
from app.pay import janitor, refunds, service, settlement
from app.pay.audit import audit_payments
from app.pay.models import Order, PaymentAttempt, Refund
from jobs.schedule import SCHEDULE
from tests.factories import a_person, auth
from tests.pay import alipay_side
from tests.pay.till import (
    an_order,
    in_background,
    in_parallel,
    lose_letters,
    scan,
    start,
    trouble,
)
from tests.world import World


@pytest.fixture(autouse=True)
def _refunds_take_their_time(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test changes here is put back."""
    monkeypatch.setattr(world.sandbox.box, "refund_seconds", 0.3)


def an_attempt(world: World, *, now: datetime | None = None, sku: str = "thing:1") -> PaymentAttempt:
    """A code on the screen; the provider's own notifications are lost."""
    world.sandbox.reset()
    lose_letters(world)
    now = now or utcnow()
    order = an_order(a_person(), sku, now=now)
    return start(order, now=now).attempt


def order_of(attempt: PaymentAttempt) -> Order:
    return Order.get_by_id(attempt.order_id)


def end_of(attempt: PaymentAttempt) -> datetime:
    """The last moment to pay."""
    end: datetime = order_of(attempt).expires_at
    return end


def a_late_payment(world: World, **knobs: Any) -> Refund:
    """Paid although the order was closed: found, and on its way back."""
    attempt = an_attempt(world)
    for operation in ("close", "query"):
        world.sandbox.box.knobs.add("wechatpay", operation, "error", "ORDER_NOT_EXIST")
    janitor.expire_orders(now=utcnow() + timedelta(minutes=31))
    assert order_of(attempt).status == "closed"
    scan(world, attempt.out_trade_no, late=True)
    service.check_payment(order_of(attempt).person_id, attempt.order_id, now=utcnow())
    return Refund.get(Refund.attempt_id == attempt.id)


# --- lost --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("minutes", [0, 1, 4.9, 10, 27])
def test_a_payment_whose_notification_is_lost_is_found_within_two_minutes(world: World, minutes: float) -> None:
    every = next(entry.seconds for entry in SCHEDULE if entry.name == "pay.find_lost_payments")
    start = utcnow()
    attempt = an_attempt(world, now=start)
    now = start
    while now < start + timedelta(minutes=minutes):
        janitor.find_lost_payments(now=now)
        now += timedelta(seconds=every)
    scan(world, attempt.out_trade_no)
    paid = now
    while order_of(attempt).status != "paid":
        now += timedelta(seconds=every)
        janitor.find_lost_payments(now=now)
        assert now - paid <= timedelta(minutes=2) - timedelta(seconds=every)
    assert audit_payments() == []


def test_the_questions_about_an_unpaid_code_grow_rarer(world: World) -> None:
    start = utcnow()
    an_attempt(world, now=start)
    for seconds in range(0, 1800, 5):
        janitor.find_lost_payments(now=start + timedelta(seconds=seconds))
    assert 30 <= world.sandbox.box.journal.count("wechatpay", "query") <= 50


def test_i_have_paid_asks_the_provider_at_once(world: World, client: FlaskClient) -> None:
    attempt = an_attempt(world)
    person = order_of(attempt).person_id
    headers = auth(settled_person(person))
    path = f"/api/v1/orders/{attempt.order_id}/check"
    scan(world, attempt.out_trade_no)
    assert client.post(path, headers=headers).get_json()["status"] == "paid"


def test_i_have_paid_asks_the_provider_once_in_three_seconds_however_often_it_is_clicked(
    world: World, client: FlaskClient
) -> None:
    attempt = an_attempt(world)
    headers = auth(settled_person(order_of(attempt).person_id))
    path = f"/api/v1/orders/{attempt.order_id}/check"
    assert {client.post(path, headers=headers).get_json()["status"] for _ in range(6)} == {"pending"}
    assert world.sandbox.box.journal.count("wechatpay", "query") == 1
    scan(world, attempt.out_trade_no)
    person, now = order_of(attempt).person_id, utcnow()
    assert service.check_payment(person, attempt.order_id, now=now + timedelta(seconds=1)).status == "pending"
    assert service.check_payment(person, attempt.order_id, now=now + timedelta(seconds=4)).status == "paid"


def clicks_at_one_moment(world: World) -> int:
    """Six clicks on "I have paid"; gives how many questions they make."""
    attempt, now = an_attempt(world), utcnow()
    person = order_of(attempt).person_id
    asked = world.sandbox.box.journal.count("wechatpay", "query")

    def click(_: int) -> None:
        with db.connection():
            assert service.check_payment(person, attempt.order_id, now=now).status == "pending"

    in_parallel(6, click)
    return world.sandbox.box.journal.count("wechatpay", "query") - asked


def test_clicks_at_one_moment_ask_the_provider_once(world: World) -> None:
    assert clicks_at_one_moment(world) == 1


def test_twin_without_the_claim_they_ask_more_often(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "_claim", lambda attempt, now: True)
    assert clicks_at_one_moment(world) == 6


def settled_person(person_id: str) -> Any:
    from app.account import service as account

    return account.get_person(person_id)


def test_the_time_of_the_payment_is_the_providers_not_that_of_our_question(world: World) -> None:
    attempt = an_attempt(world)
    before = utcnow() - timedelta(seconds=1)
    scan(world, attempt.out_trade_no)
    after = utcnow()
    settlement.ask(attempt, now=utcnow() + timedelta(hours=5))
    assert before <= order_of(attempt).paid_at <= after


# --- closing -----------------------------------------------------------------------------------------------------


def test_money_found_while_closing_pays_the_order(world: World) -> None:
    attempt = an_attempt(world)
    world.sandbox.box.knobs.add("wechatpay", "close", "error", 500, times=None)
    end = end_of(attempt)
    assert janitor.expire_orders(now=end) == 0
    assert order_of(attempt).status == "closing"
    scan(world, attempt.out_trade_no, late=True)
    world.sandbox.box.knobs.clear()
    janitor.expire_orders(now=end + timedelta(seconds=60))
    assert order_of(attempt).status == "paid"
    assert Refund.select().count() == 0
    assert audit_payments() == []


def test_an_order_is_open_until_its_last_moment_and_not_after(world: World) -> None:
    attempt = an_attempt(world)
    end = end_of(attempt)
    janitor.expire_orders(now=end - timedelta(microseconds=1))
    assert order_of(attempt).status == "pending"
    janitor.expire_orders(now=end)
    assert order_of(attempt).status == "closed"


def test_a_closing_order_waits_longer_and_longer_for_a_silent_provider(world: World) -> None:
    attempt = an_attempt(world)
    end = end_of(attempt)
    world.sandbox.box.knobs.add("wechatpay", "close", "error", 500, times=None)
    for seconds in range(0, 600, 5):
        janitor.expire_orders(now=end + timedelta(seconds=seconds))
    assert order_of(attempt).status == "closing"
    assert 5 <= world.sandbox.box.journal.count("wechatpay", "close") <= 12
    world.sandbox.box.knobs.clear()
    breaker.close_all()  # minutes have passed
    janitor.expire_orders(now=end + timedelta(seconds=900))
    assert order_of(attempt).status == "closed"
    assert audit_payments() == []


def test_one_silent_provider_call_does_not_keep_other_orders_from_closing(world: World) -> None:
    first = an_attempt(world, sku="a")
    second = an_order(a_person(), "b")
    world.sandbox.box.knobs.add("wechatpay", "close", "error", 500)
    janitor.expire_orders(now=end_of(first) + timedelta(seconds=1))
    assert order_of(first).status == "closing"
    assert Order.get_by_id(second.id).status == "closed"


def test_a_run_leaves_the_rest_to_the_next_one_once_its_time_is_spent(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.pay.budget.Budget.spent", lambda _: True)
    attempt = an_attempt(world)
    assert janitor.find_lost_payments(now=utcnow() + timedelta(minutes=1)) == 0
    monkeypatch.undo()
    assert janitor.find_lost_payments(now=utcnow() + timedelta(minutes=1)) == 1
    assert attempt.status == "waiting"


# --- twice -------------------------------------------------------------------------------------------------------


def _by_second_channel(order: Order, channel: str) -> PaymentAttempt:
    return start(order, channel).attempt


def test_both_channels_paid_one_is_kept_and_the_other_goes_back(world: World, second_channel: str) -> None:
    first = an_attempt(world)
    second = _by_second_channel(order_of(first), second_channel)
    assert first.out_trade_no != second.out_trade_no
    for attempt in (first, second):
        scan(world, attempt.out_trade_no)
    world.sandbox.box.refund_seconds = 0.0

    def ask(number: int) -> None:
        with db.connection():
            settlement.ask((first, second)[number], now=utcnow())

    in_parallel(2, ask)
    (refund,) = Refund.select()
    assert refund.reason == "double"
    assert {refund.attempt_id, order_of(first).paid_attempt_id} == {first.id, second.id}
    in_background(now=utcnow() + timedelta(minutes=1))
    in_background(now=utcnow() + timedelta(minutes=2))
    assert Refund.get().status == "succeeded"
    assert audit_payments() == []


def test_once_one_channel_has_paid_the_other_takes_no_money_any_more(world: World, second_channel: str) -> None:
    first = an_attempt(world)
    second = _by_second_channel(order_of(first), second_channel)
    scan(world, second.out_trade_no)
    settlement.ask(second, now=utcnow())
    janitor.find_lost_payments(now=utcnow() + timedelta(seconds=30))
    assert PaymentAttempt.get_by_id(first.id).status == "closed"
    with pytest.raises(Exception, match="409"):
        scan(world, first.out_trade_no)


def test_a_code_that_the_provider_cannot_close_before_it_is_scanned_is_paid_back(world: World) -> None:
    """Alipay makes no trade until the scan, so that nothing can be closed: the code lives until the order ends."""
    first = an_attempt(world)
    second = start(order_of(first), "alipay_qr").attempt
    scan(world, first.out_trade_no)
    settlement.ask(first, now=utcnow())
    janitor.find_lost_payments(now=utcnow() + timedelta(seconds=30))
    assert PaymentAttempt.get_by_id(second.id).status == "closed"
    scan(world, second.out_trade_no)
    janitor.find_late_payments(now=utcnow() + timedelta(hours=2))
    refunds.settle_due(now=utcnow() + timedelta(hours=2))
    assert [(row.attempt_id, row.reason, row.status) for row in Refund.select()] == [
        (second.id, "double", "succeeded")
    ]
    assert len(alipay_side.refunds(world, second.out_trade_no)) == 1
    assert audit_payments() == []


# --- late, and back ----------------------------------------------------------------------------------------------


def test_late_money_goes_back_and_the_person_sees_it(world: World, client: FlaskClient) -> None:
    world.sandbox.box.refund_seconds = 0.0
    refund = a_late_payment(world)
    refunds.settle(refund.id, now=utcnow())
    order = Order.get_by_id(refund.order_id)
    shown = client.get(f"/api/v1/orders/{order.id}", headers=auth(settled_person(order.person_id))).get_json()
    assert (shown["status"], shown["paid_at"]) == ("closed", None)
    assert [(one["amount_fen"], one["reason"], one["status"]) for one in shown["refunds"]] == [
        (20000, "late", "succeeded")
    ]
    assert audit_payments() == []
    assert Sms.select().where(Sms.template == "refund_succeeded").count() == 0, (
        "telling is no part of the money's move"
    )
    for _ in range(2):
        outbox.sweep(now=utcnow())
        refunds.apply_state(Refund.get_by_id(refund.id), "succeeded", now=utcnow())
    (told,) = Sms.select().where(Sms.template == "refund_succeeded")
    assert (told.person_id, told.params) == (order.person_id, '["200.00"]')


def test_a_refund_whose_call_fails_twenty_times_is_one_refund_with_one_number(world: World) -> None:
    refund = a_late_payment(world)
    world.sandbox.box.refund_seconds = 0.0
    now = utcnow()
    for number in range(20):
        kind, value = (("error", 500), ("reset", None), ("reset_after", None), ("garbage", None))[number % 4]
        trouble(world, "refund", kind, value)
        now += timedelta(hours=2)
        refunds.settle_due(now=now)
        assert Refund.get_by_id(refund.id).status == "requested"
    refunds.settle_due(now=now + timedelta(hours=2))
    assert Refund.get_by_id(refund.id).status == "succeeded"
    made = [record for _, record in world.sandbox.box.store.all("wechatpay", "refund")]
    assert [record["out_refund_no"] for record in made if record["out_trade_no"] == number_of(refund)] == [
        refund.out_refund_no
    ]
    assert Refund.select().count() == 1
    assert audit_payments() == []


def number_of(refund: Refund) -> str:
    return str(PaymentAttempt.get_by_id(refund.attempt_id).out_trade_no)


def test_many_workers_send_one_refund_once(world: World) -> None:
    refund = a_late_payment(world)
    calls = world.sandbox.box.journal.count("wechatpay", "refund")
    now = utcnow()

    def work(_: int) -> None:
        with db.connection():
            refunds.settle(refund.id, now=now)

    in_parallel(8, work)
    assert world.sandbox.box.journal.count("wechatpay", "refund") == calls + 1


def test_a_refund_that_takes_its_time_is_asked_about_until_it_arrived(world: World) -> None:
    refund = a_late_payment(world)
    world.sandbox.box.refund_seconds = 3600
    refunds.settle(refund.id, now=utcnow())
    assert Refund.get_by_id(refund.id).status == "processing"
    refunds.settle_due(now=utcnow() + timedelta(hours=1))
    assert Refund.get_by_id(refund.id).status == "processing"
    world.sandbox.box.clock.offset = 4000
    refunds.settle_due(now=utcnow() + timedelta(hours=3))
    assert Refund.get_by_id(refund.id).status == "succeeded"


def test_a_refund_that_the_bank_returned_is_left_to_a_person(world: World) -> None:
    refund = a_late_payment(world)
    world.sandbox.box.refund_seconds = 0.0
    world.sandbox.box.knobs.add("wechatpay", "refund", "abnormal")
    refunds.settle(refund.id, now=utcnow())
    assert Refund.get_by_id(refund.id).status == "failed"
    assert [case.subject for case in cases.open_cases("pay.refund_failed")] == [f"refund:{refund.id}"]
    assert audit_payments() == []


def test_a_merchant_without_money_is_told_and_the_refund_goes_out_later(world: World) -> None:
    refund = a_late_payment(world)
    world.sandbox.box.refund_seconds = 0.0
    world.sandbox.box.knobs.add("wechatpay", "refund", "error", "NOT_ENOUGH")
    refunds.settle(refund.id, now=utcnow())
    assert [case.subject for case in cases.open_cases("pay.refund_refused")] == [f"refund:{refund.id}"]
    assert Refund.get_by_id(refund.id).status == "requested"
    refunds.settle_due(now=utcnow() + timedelta(minutes=1))
    assert Refund.get_by_id(refund.id).status == "succeeded"


def test_a_paid_order_is_not_refunded_by_asking_again(world: World) -> None:
    attempt = an_attempt(world)
    scan(world, attempt.out_trade_no)
    for _ in range(3):
        settlement.ask(PaymentAttempt.get_by_id(attempt.id), now=utcnow())
    assert Refund.select().count() == 0
    with pytest.raises(Problem) as problem:
        start(order_of(attempt))
    assert problem.value.code == "order_paid"
