"""Reconciliation: every day each provider's bill is beside our books, and what differs is before a person."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from typing import Literal

from app.core import audit, sweep
from app.core.db import compare_and_set, locked, transaction
from app.core.errors import NOT_FOUND
from app.pay.budget import Budget
from app.pay.errors import DIFFERENCE_DECIDED
from app.pay.reconciliation import bills, compare, differences
from app.pay.reconciliation.models import Bill, BillRow, Difference
from app.pay.reconciliation.status import BillAction, BillStatus, DifferenceStatus

SOON, LATER = timedelta(minutes=20), timedelta(hours=6)  # until what is not balanced is looked at again
CLAIM = timedelta(minutes=10)
A_PERSON_WAITS = 3.0  # seconds for what differs beside the difference that was asked about
OPEN_BILLS = (BillStatus.FETCHED, BillStatus.OPEN)


def reconcile(*, now: datetime, limit: int = 20) -> int:
    """Fetch the bills that are due, and compare those that are not balanced yet; gives how many came to their end. A
    day that is done is not touched again."""
    bills.plan(now=now)
    budget = Budget()
    due = Bill.select().where(Bill.status.in_((BillStatus.WAITING, *OPEN_BILLS)), Bill.try_at <= now)
    done, _ = sweep.each(
        "pay.reconcile", list(due.order_by(Bill.try_at, Bill.day).limit(limit)), partial(_one, budget=budget, now=now)
    )
    return done


def _one(bill: Bill, *, budget: Budget, now: datetime) -> bool:
    if budget.spent():
        return False
    if bill.status == BillStatus.WAITING and not bills.fetch(bill, now=now):
        return False
    return compare_bill(bill.id, budget, now=now)


def compare_bill(bill_id: str, budget: Budget | None = None, *, now: datetime) -> bool:
    """Compare a fetched bill with our rows; True if it is balanced or explained now. Again changes nothing."""
    bill = Bill.get_by_id(bill_id)
    if bill.status not in OPEN_BILLS:
        return False
    claim = {"status": bill.status, "try_at": bill.try_at}
    if not compare_and_set(Bill, bill.id, claim, {"try_at": now + CLAIM}):
        return False
    budget = budget or Budget()
    compare.lines(bill, budget, now=now)
    waiting = compare.rows(bill, budget, now=now)
    return finish(bill.id, waiting, now=now)


def finish(bill_id: str, waiting: int, *, now: datetime) -> bool:
    """The status that follows from what was found. `waiting`: how many of our rows wait for another day's bill."""
    with transaction():
        bill = locked(Bill, bill_id)
        assert bill is not None
        if bill.status not in OPEN_BILLS:
            return False
        count = differences.count(bill)
        open_, explained = count.get(DifferenceStatus.OPEN, 0), count.get(DifferenceStatus.EXPLAINED, 0)
        unseen = BillRow.select().where(BillRow.bill_id == bill.id, BillRow.finding.is_null()).exists()
        ours = {
            "our_paid_fen": bill.paid_fen + differences.shift(bill, "payment"),
            "our_back_fen": bill.back_fen + differences.shift(bill, "refund"),
        }
        if not open_ and not waiting and not unseen:
            action = BillAction.EXPLAIN if explained else BillAction.BALANCE
            return bills.move(bill, action, now=now, settled_at=now, try_at=None, **ours)
        if open_ and bill.status == BillStatus.FETCHED:
            bills.move(bill, BillAction.DIFFER, now=now)
        pause = LATER if now - bill.fetched_at > timedelta(days=1) else SOON
        Bill.update(try_at=now if unseen else now + pause, **ours).where(Bill.id == bill.id).execute()
    return False


def resolve(
    difference_id: str, action: Literal["ask", "explain"], *, reason: str, actor: str, now: datetime
) -> DifferenceStatus:
    """What a person does about a difference: have the provider asked once more, whose answer takes the ordinary way,
    or explain it. Gives what the difference is then. Raises `not_found`, `difference_decided`."""
    row = Difference.get_or_none(Difference.id == difference_id)
    if row is None:
        raise NOT_FOUND()
    if row.status != DifferenceStatus.OPEN:
        raise DIFFERENCE_DECIDED()
    if action == "ask":
        audit.record(actor, "difference.asked", f"difference:{row.id}", now=now, reason=reason, number=row.number)
        if row.line_id is not None:  # first of all: a bill may have many, and a person waits
            compare.one_line(Bill.get_by_id(row.bill_id), BillRow.get_by_id(row.line_id), now=now)
    elif not differences.explain(row, reason=reason, actor=actor, now=now):
        raise DIFFERENCE_DECIDED()
    Bill.update(try_at=now).where(Bill.id == row.bill_id, Bill.status.in_(OPEN_BILLS)).execute()
    compare_bill(row.bill_id, Budget(A_PERSON_WAITS), now=now)
    return DifferenceStatus(Difference.get_by_id(row.id).status)
