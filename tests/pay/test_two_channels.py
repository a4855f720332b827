"""Both ways of paying brought money: whatever is heard first, one is kept and the other goes back (P2, P10)."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.core import inbox
from app.core.clock import utcnow
from app.pay import janitor, refunds, service
from app.pay.audit import audit_payments
from tests.pay.till import Sale, a_sale, in_background, letter, post, refund_letter, scan
from tests.world import World

EVENTS = ["first_letter", "second_letter", "check", "janitor", "expire", "refund", "refund_letter"]


def happen(world: World, sale: Sale, event: str, numbers: list[str]) -> None:
    """One event, and the money is right after it."""
    now = utcnow()
    if event.endswith("_letter") and event != "refund_letter":
        assert post(world, letter(world, numbers[event == "second_letter"])) == 204
        inbox.sweep(now=utcnow())
    elif event == "refund_letter":
        for refund in sale.refunds:
            sent = refund_letter(world, refund.out_refund_no)
            if sent is not None:
                assert post(world, sent) == 204
                inbox.sweep(now=utcnow())
    elif event == "check":
        service.check_payment(sale.person.id, sale.order_id, now=now)
    elif event == "janitor":
        janitor.find_lost_payments(now=now + timedelta(minutes=1))
    elif event == "expire":
        janitor.expire_orders(now=now + timedelta(minutes=31))
    else:
        refunds.settle_due(now=now + timedelta(minutes=1))
    assert audit_payments() == []


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(events=st.permutations(EVENTS), again=st.lists(st.sampled_from(EVENTS), max_size=3))
def test_money_by_both_channels_ends_the_same_in_any_order(
    world: World, second_channel: str, events: list[str], again: list[str]
) -> None:
    sale = a_sale()
    numbers = []
    for channel in ("wechat_native", second_channel):
        attempt = service.start_payment(sale.person.id, sale.order_id, channel, "web", now=utcnow())
        scan(world, attempt.out_trade_no)
        numbers.append(attempt.out_trade_no)
    for event in [*events, *again]:
        happen(world, sale, event, numbers)
    for hours in (1, 2):
        in_background(now=utcnow() + timedelta(hours=hours))
    (refund,) = sale.refunds
    assert (sale.order.status, sale.granted, sale.times("pay")) == ("paid", True, 1)
    assert (refund.status, refund.reason, refund.amount_fen) == ("succeeded", "double", 20000)
    assert refund.attempt_id != sale.order.paid_attempt_id
    assert audit_payments() == []
