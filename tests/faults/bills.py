"""P7, the second half: what nobody told of and no query found, the next day's bill puts right."""

from __future__ import annotations

import logging
from datetime import date, datetime, time, timedelta
from unittest.mock import patch

from app.core import breaker, outbox
from app.core.clock import utcnow
from app.pay import janitor, refunds
from app.pay.audit import audit_payments
from app.pay.reconciliation import service as reconciliation
from app.pay.reconciliation.models import Bill
from app.policy.days import on_clock, shanghai_day
from tests.faults.money import ALL, a_sale_by
from tests.faults.trades import NO_CLOSE, NOT_THERE
from tests.pay.reconciliation.mornings import a_new_platform
from tests.pay.till import Sale, in_background, lose_letters, scan
from tests.world import World

log = logging.getLogger(__name__)


def _lose_queries(world: World) -> None:
    """No question about a payment is answered from now on."""
    for kind in NOT_THERE:
        world.sandbox.box.knobs.add(kind, "query", "error", 500, None)


def _paid(world: World, tries: int) -> list[Sale]:
    """`tries` payments of each channel, in time."""
    sales = []
    for channel in ALL * tries:
        sale, code = a_sale_by(world, channel)
        scan(world, code)
        sales.append(sale)
    return sales


def _paid_late(world: World, tries: int) -> list[Sale]:
    """`tries` payments of each channel that came too late: for a moment the provider had known nothing of them."""
    sales = []
    for channel in ALL * tries:
        sale, code = a_sale_by(world, channel)
        for operation in ("query",) if channel.kind in NO_CLOSE else ("close", "query"):
            world.sandbox.box.knobs.add(channel.kind, operation, "error", NOT_THERE[channel.kind])
        janitor.expire_orders(now=utcnow() + timedelta(minutes=31))
        scan(world, code, late=True)
        sales.append(sale)
    return sales


def _the_next_mornings(world: World, day: date) -> None:
    """The providers answer again; nothing but reconciliation runs, on two mornings: UnionPay's day ends at 23:00."""
    world.sandbox.box.knobs.clear()
    lose_letters(world)
    breaker.close_all()
    for later in (1, 2):
        now = on_clock(day + timedelta(days=later), time(11))
        world.sandbox.box.clock.offset = (now - utcnow()).total_seconds()
        for minutes in (0, 30, 60):
            reconciliation.reconcile(now=now + timedelta(minutes=minutes))


def _wrong(late: list[Sale], paid: list[Sale], now: datetime) -> int:
    bad = [sale for sale in paid if (sale.order.status, sale.granted, sale.refunds) != ("paid", True, [])]
    bad += [
        sale
        for sale in late
        if (sale.order.status, [row.status for row in sale.refunds]) != ("closed", ["succeeded"])
    ]
    open_ = [bill for bill in Bill.select() if bill.status not in ("balanced", "waiting")]
    if bad or open_:
        log.info(f"P7-bill: {[sale.attempt.out_trade_no for sale in bad]}, {[(b.day, b.status) for b in open_]}")
    return len(bad) + len(open_) + len(audit_payments(now))


def p7_bill(world: World, tries: int) -> int:
    """`tries` payments of each channel in time, and as many late ones; every letter and every query is lost that day.
    The next day's bill finds all of them: those in time pay their orders, the late ones go back."""
    a_new_platform(world)
    lose_letters(world)
    breaker.close_all()
    late, day = _paid_late(world, tries), shanghai_day(utcnow())
    paid = _paid(world, tries)
    _lose_queries(world)
    for seconds in range(0, 120, 15):
        breaker.close_all()
        in_background(now=utcnow() + timedelta(seconds=seconds))
    early = sum(sale.order.status == "paid" for sale in paid)  # otherwise the experiment is void
    _the_next_mornings(world, day)
    then = on_clock(day + timedelta(days=2), time(12))
    for minutes in (0, 2, 4):
        world.sandbox.box.clock.offset += 120
        refunds.settle_due(now=then + timedelta(minutes=minutes))
        outbox.sweep(now=then + timedelta(minutes=minutes))
    return early + _wrong(late, paid, then + timedelta(minutes=5))


def p7_bill_twin(world: World) -> bool:
    """Without the bill: nothing is found, although the providers answer again."""
    with patch.object(reconciliation, "_one", lambda *_, **__: False):
        return p7_bill(world, 1) >= 2 * len(ALL)
