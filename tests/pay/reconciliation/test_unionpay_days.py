"""UnionPay's day is not ours: it ends at 23:00, and what comes after stands in the next file."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

import pytest

from app.core.clock import SHANGHAI, shanghai, utcnow
from app.pay import decisions, refunds
from app.pay.audit import audit_payments
from app.pay.models import PaymentAttempt
from app.pay.reconciliation import service
from app.pay.reconciliation.models import Bill, BillRow, Difference
from app.policy.days import on_clock
from tests.pay import unionpay_side
from tests.pay.reconciliation import mornings
from tests.pay.reconciliation.mornings import morning_after, paid, reconciled
from tests.pay.till import Sale, a_sale, code_of, scan, start
from tests.world import World


@pytest.fixture(autouse=True)
def _new_platform(world: World) -> None:
    mornings.a_new_platform(world)


def settled_on(sale: Sale) -> date:
    """The day in whose file its payment stands."""
    paid_at: datetime = sale.attempt.paid_at or sale.attempt.created_at
    return shanghai(paid_at + timedelta(hours=1)).date()


def test_a_payment_and_a_part_that_went_back_balance(world: World) -> None:
    sale = paid(world, "unionpay_b2c")
    decisions.refund_part(sale.order_id, 2500, reason="x", actor="staff:1", now=utcnow())
    for minutes in (1, 2):
        refunds.settle_due(now=utcnow() + timedelta(minutes=minutes))
    bill = reconciled(world, settled_on(sale))["unionpay"]
    assert (bill.status, bill.lines, bill.paid_fen, bill.back_fen) == ("balanced", 2, 20000, 2500)
    assert not Difference.select().exists()
    assert audit_payments() == []


def test_a_payment_that_nobody_told_of_is_found_by_the_file(world: World) -> None:
    sale = a_sale()
    scan(world, code_of(start(sale.order, "unionpay_b2c").pay_by))
    bill = reconciled(world, settled_on(sale))["unionpay"]
    assert (bill.status, sale.order.status, sale.attempt.status) == ("balanced", "paid", "paid")


def test_what_is_paid_after_23_oclock_waits_for_the_next_file_and_nobody_is_alarmed(world: World) -> None:
    sale = paid(world, "unionpay_b2c")
    day = shanghai(sale.attempt.created_at).date() - timedelta(days=2)
    late = datetime.combine(day, time(23, 30), SHANGHAI)
    row = unionpay_side.payment(world, sale.attempt.out_trade_no)
    assert row is not None
    key = f"{row['mer_id']}/{row['orderId']}/{row['txnTime']}"
    world.sandbox.box.store.put("unionpay", "payment", key, row | {"paid": late.timestamp()})
    PaymentAttempt.update(paid_at=late, created_at=late).execute()
    service.reconcile(now=morning_after(world, day))
    assert not Difference.select().exists()
    service.reconcile(now=morning_after(world, day + timedelta(days=1)))
    line, next_day = BillRow.get(), str(day + timedelta(days=1))
    assert (Bill.get_by_id(line.bill_id).day, line.number) == (next_day, sale.attempt.out_trade_no)
    service.reconcile(now=on_clock(day + timedelta(days=2), time(18)))
    assert {bill.status for bill in Bill.select().where(Bill.day <= next_day)} == {"balanced"}
    assert not Difference.select().exists()
