"""Both ways of paying brought money: whatever is heard first, one is kept and the other goes back (P2, P10)."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.core import inbox
from app.core.clock import utcnow
from app.core.errors import Problem
from app.pay import janitor, queries, refunds, service, settlement
from app.pay.audit import audit_payments
from app.pay.providers.protocol import PaymentTruth
from app.pay.providers.wechatpay import WeChatPayProvider
from tests.pay.till import Sale, a_sale, in_background, letter, post, refund_letter, scan, start
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
        moments: list[Any] = [row.checked_at for row in queries.attempts(sale.order_id) if row.checked_at is not None]
        last = max([*moments, now])
        service.check_payment(sale.person.id, sale.order_id, now=last + service.CHECK_PAUSE)
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
        attempt = start(sale.order, channel).attempt
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


def test_a_channel_that_hangs_takes_no_time_from_the_one_that_has_the_money(
    world: World, second_channel: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sale = a_sale()
    for channel in ("wechat_native", second_channel):
        start(sale.order, channel).attempt
    first, second = queries.attempts(sale.order_id)
    query = WeChatPayProvider.query

    def hangs(provider: WeChatPayProvider, number: str) -> PaymentTruth:
        if number == first.out_trade_no:
            time.sleep(1.5)
        return query(provider, number)

    monkeypatch.setattr(settlement, "TOGETHER", 0.7)
    monkeypatch.setattr(WeChatPayProvider, "query", hangs)
    started = time.monotonic()
    with pytest.raises(Problem, match="payment_unknown"):
        service.check_payment(sale.person.id, sale.order_id, now=utcnow())
    assert time.monotonic() - started < 1.3
    scan(world, second.out_trade_no)
    started, later = time.monotonic(), utcnow() + timedelta(seconds=4)
    assert service.check_payment(sale.person.id, sale.order_id, now=later).status == "paid"
    assert time.monotonic() - started < 1.3
