"""The end of an order's time: closed at the provider first, and money that comes around that moment is never lost."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
import requests
from flask.testing import FlaskClient

from app.cases import service as cases
from app.core import breaker, inbox, outbox
from app.core.clock import utcnow
from app.core.inbox import InboxMessage
from app.enrol.models import Enrolment
from app.pay import janitor, ledger, refunds
from app.pay.audit import audit_payments
from app.pay.channels import provider_of
from app.pay.models import PaymentAttempt
from app.pay.notify_url import notify_url
from app.pay.providers.protocol import PaymentRequest
from app.pay.status import AttemptAction
from tests.factories import auth
from tests.pay.till import (
    Sale,
    code_of,
    in_background,
    letter,
    lose_letters,
    platform_order,
    post,
    scan,
    show_code,
    trouble,
    wrong_with,
)
from tests.world import World

OVER = timedelta(minutes=30, seconds=1)


def settled(sale: Sale, world: World) -> None:
    """The background's work of the hours after."""
    for hours in (1, 2, 3):
        in_background(now=utcnow() + timedelta(hours=hours))


def test_an_order_that_is_over_is_closed_at_the_provider_and_lets_go_of_its_things(world: World, sale: Sale) -> None:
    code = show_code(sale)
    assert janitor.expire_orders(now=utcnow() + OVER) == 1
    record = platform_order(world, sale.attempt.out_trade_no)
    assert record is not None
    assert record["trade_state"] == "CLOSED"
    assert (sale.order.status, sale.attempt.status) == ("closed", "closed")
    outbox.sweep(now=utcnow() + OVER)
    assert Enrolment.get_by_id(sale.enrolment_id).order_id is None
    with pytest.raises(requests.HTTPError):
        scan(world, code, late=True)
    assert audit_payments() == []


def test_an_order_nobody_tried_to_pay_is_closed_without_a_call(world: World, sale: Sale) -> None:
    calls = world.sandbox.box.journal.count("wechatpay")
    assert janitor.expire_orders(now=utcnow() + OVER) == 1
    assert world.sandbox.box.journal.count("wechatpay") == calls


def test_an_order_is_not_closed_a_second_early(sale: Sale) -> None:
    end: datetime = sale.order.expires_at
    assert janitor.expire_orders(now=end - timedelta(seconds=1)) == 0
    assert sale.order.status == "pending"


def test_money_found_while_closing_pays_the_order(world: World, sale: Sale) -> None:
    scan(world, show_code(sale))
    assert janitor.expire_orders(now=utcnow() + OVER) == 0
    outbox.sweep(now=utcnow() + OVER)
    assert wrong_with(sale) == 0


@pytest.mark.parametrize("operation", ["close", "query"])
@pytest.mark.parametrize(("kind", "value"), [("error", 500), ("reset", None), ("forged", None), ("garbage", None)])
def test_an_order_stays_closing_while_the_provider_does_not_answer(
    world: World, sale: Sale, operation: str, kind: str, value: Any
) -> None:
    show_code(sale)
    trouble(world, operation, kind, value)
    over = utcnow() + OVER
    assert janitor.expire_orders(now=over) == 0
    assert sale.order.status == "closing"
    assert audit_payments() == []
    assert janitor.expire_orders(now=over + timedelta(seconds=4)) == 0  # it is given a pause
    assert janitor.expire_orders(now=over + timedelta(seconds=5)) == 1
    assert audit_payments() == []


def test_money_paid_while_the_order_waits_to_be_closed_pays_it(world: World, sale: Sale) -> None:
    code, over = show_code(sale), utcnow() + OVER
    world.sandbox.box.knobs.add("wechatpay", "close", "error", 500)
    janitor.expire_orders(now=over)
    scan(world, code)
    in_background(now=over + timedelta(seconds=5))
    assert wrong_with(sale) == 0


def test_an_order_that_is_closing_takes_no_new_payment(world: World, client: FlaskClient, sale: Sale) -> None:
    show_code(sale)
    world.sandbox.box.knobs.add("wechatpay", "close", "error", 500)
    janitor.expire_orders(now=utcnow() + OVER)
    answer = client.post(
        f"/api/v1/orders/{sale.order_id}/payments", json={"channel": "wechat_native"}, headers=auth(sale.person)
    )
    assert (answer.status_code, answer.get_json()["code"]) == (409, "order_over")


# --- late money -----------------------------------------------------------------------------------------------------


def a_late_payment(world: World, sale: Sale) -> None:
    """The create call is lost on the way, the order closes (the platform never heard of it), and then the call
    arrives after all, and the phone pays."""
    trouble(world, "native", "reset")
    with pytest.raises(Exception, match="payment_unknown"):
        show_code(sale)
    assert janitor.expire_orders(now=utcnow() + OVER) == 1
    attempt = sale.attempt
    assert (sale.order.status, attempt.status) == ("closed", "closed")
    number, end = attempt.out_trade_no, sale.order.expires_at
    request = PaymentRequest("qr", number, "继续教育", attempt.amount_fen, end, notify_url(attempt), "http://x/")
    scan(world, code_of(provider_of(attempt).create(request)))


@pytest.mark.parametrize("heard_by", ["notification", "check", "both"])
def test_money_that_comes_after_the_end_goes_back(
    world: World, client: FlaskClient, sale: Sale, heard_by: str
) -> None:
    a_late_payment(world, sale)
    if heard_by != "check":
        assert post(world, letter(world, sale.attempt.out_trade_no)) == 204
    if heard_by != "notification":
        client.post(f"/api/v1/orders/{sale.order_id}/check", headers=auth(sale.person))
    settled(sale, world)
    (refund,) = sale.refunds
    assert (refund.reason, refund.status, refund.amount_fen) == ("late", "succeeded", 20000)
    assert (sale.order.status, sale.granted) == ("closed", False)
    assert audit_payments() == []
    shown = client.get(f"/api/v1/orders/{sale.order_id}", headers=auth(sale.person)).get_json()
    (refund,) = shown["refunds"]
    assert refund == {"amount_fen": 20000, "reason": "late", "status": "succeeded", "sentence": "已原路退回。"}
    assert shown["status_text"] == "已关闭"


def test_p6_the_twin_that_closes_without_asking_the_provider_keeps_money_for_nothing(
    world: World, sale: Sale, monkeypatch: pytest.MonkeyPatch
) -> None:
    def close_blindly(attempt: PaymentAttempt, *, now: datetime) -> None:
        ledger.move(attempt, AttemptAction.CLOSE, "blind", now=now, ask_at=None)

    scan(world, show_code(sale))
    monkeypatch.setattr(janitor, "close_attempt", close_blindly)
    janitor.expire_orders(now=utcnow() + OVER)
    settled(sale, world)
    assert sale.order.status == "closed"
    assert not sale.granted
    assert refunds.settle_due(now=utcnow() + timedelta(days=1)) == 0  # and nobody gives it back


def closing_of(sale: Sale) -> datetime:
    """When its attempt was closed."""
    moment: datetime = sale.attempt.closed_at
    return moment


def test_late_money_is_found_although_every_letter_is_lost(world: World, sale: Sale) -> None:
    code = show_code(sale)
    for operation in ("close", "query"):
        world.sandbox.box.knobs.add("wechatpay", operation, "error", "ORDER_NOT_EXIST")
    assert janitor.expire_orders(now=utcnow() + OVER) == 1
    scan(world, code, late=True)
    closed = closing_of(sale)
    janitor.find_late_payments(now=closed + timedelta(minutes=59))
    assert sale.refunds == []
    janitor.find_late_payments(now=closed + timedelta(minutes=61))
    assert [refund.reason for refund in sale.refunds] == ["late"]
    assert sale.attempt.ask_at is None
    assert audit_payments() == []


def test_a_closed_attempt_is_asked_about_four_times_in_three_days_and_then_left_alone(
    world: World, sale: Sale
) -> None:
    show_code(sale)
    janitor.expire_orders(now=utcnow() + OVER)
    closed, asked = closing_of(sale), list[int]()
    for hour in range(200):
        if janitor.find_late_payments(now=closed + timedelta(hours=hour, minutes=1)):
            asked.append(hour)
    assert asked == [1, 6, 24, 72]
    assert sale.attempt.ask_at is None
    assert cases.open_cases() == []


@pytest.mark.parametrize("hours", [0.5, 80])
def test_late_money_whose_question_keeps_failing_goes_back_once_the_platform_answers(
    world: World, sale: Sale, hours: float
) -> None:
    a_late_payment(world, sale)
    now = closing_of(sale) + timedelta(hours=hours)
    if hours > 72:  # the last question was answered before the money came
        set_ = PaymentAttempt.update(ask_at=None).where(PaymentAttempt.id == sale.attempt.id)
        assert set_.execute() == 1
    assert post(world, letter(world, sale.attempt.out_trade_no)) == 204
    world.sandbox.box.knobs.add("wechatpay", "query", "error", 503, times=None)
    inbox.sweep(now=now)
    for minutes in range(0, 30, 6):
        assert janitor.find_late_payments(now=now + timedelta(minutes=minutes)) == 1
    assert sale.refunds == []
    world.sandbox.box.knobs.clear()
    breaker.close_all()  # minutes have passed
    lose_letters(world)
    InboxMessage.delete().execute()  # not by the letter, which comes again by itself
    janitor.find_late_payments(now=now + timedelta(minutes=36))
    refunds.settle_due(now=now + timedelta(minutes=37))
    assert [(refund.reason, refund.status) for refund in sale.refunds] == [("late", "succeeded")]
    assert audit_payments() == []


def test_a_platform_that_is_silent_about_late_money_for_a_day_is_a_case(world: World, sale: Sale) -> None:
    show_code(sale)
    janitor.expire_orders(now=utcnow() + OVER)
    world.sandbox.box.knobs.add("wechatpay", "query", "error", 503, times=None)
    for hours in (73, 95):
        janitor.find_late_payments(now=closing_of(sale) + timedelta(hours=hours))
    assert cases.open_cases() == []
    janitor.find_late_payments(now=closing_of(sale) + timedelta(hours=97))
    assert [case.subject for case in cases.open_cases("pay.unknown_for_long")] == [f"attempt:{sale.attempt.id}"]


def test_once_the_platform_answers_nobody_need_look_why_it_did_not(world: World, sale: Sale) -> None:
    show_code(sale)
    janitor.expire_orders(now=utcnow() + OVER)
    world.sandbox.box.knobs.add("wechatpay", "query", "error", 503, times=None)
    janitor.find_late_payments(now=closing_of(sale) + timedelta(hours=97))
    assert len(cases.open_cases("pay.unknown_for_long")) == 1
    world.sandbox.box.knobs.clear()
    breaker.close_all()
    janitor.find_late_payments(now=closing_of(sale) + timedelta(hours=98))
    assert cases.open_cases("pay.unknown_for_long") == []
    (case,) = cases.of_kind("pay.unknown_for_long")
    assert (case.decided_by, sale.attempt.status) == ("system", "closed")


def test_who_has_closed_that_question_is_not_asked_again_at_once_but_the_day_after(world: World, sale: Sale) -> None:
    show_code(sale)
    world.sandbox.box.knobs.add("wechatpay", "query", "error", 503, times=None)
    for hours, asked in ((25, 1), (26, 0), (48, 0), (49, 1)):
        breaker.close_all()
        janitor.find_lost_payments(now=utcnow() + timedelta(hours=hours, minutes=1))
        found = cases.open_cases("pay.unknown_for_long")
        assert len(found) == asked, hours
        for case in found:
            cases.decide(case.id, "looked", actor="staff:1", now=utcnow() + timedelta(hours=hours, minutes=1))
