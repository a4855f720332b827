"""Is what reconciliation says true? Over all bills."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta

import peewee

from app.cases import service as cases
from app.pay.reconciliation.differences import CASE
from app.pay.reconciliation.models import Bill, BillRow, Difference
from app.pay.reconciliation.status import BillStatus, DifferenceStatus, Finding

OVERDUE = timedelta(hours=1)
ENDS = (BillStatus.BALANCED, BillStatus.EXPLAINED)


def audit_reconciliation(now: datetime) -> list[str]:
    """What is wrong, a sentence each: every difference is before a person, settled or explained; a bill is balanced
    if and only if each of its lines matches; none waits for nobody."""
    open_cases = {case.subject for case in cases.open_cases(CASE)}
    differences: Counter[tuple[str, str]] = Counter()
    wrong = []
    for row in Difference.select():
        differences[row.bill_id, row.status] += 1
        is_open = row.status == DifferenceStatus.OPEN
        if is_open != (f"difference:{row.id}" in open_cases):
            wrong.append(f"difference {row.id} is {row.status}, and the case about it is not")
    count = peewee.fn.COUNT(BillRow.id)
    good = peewee.fn.SUM(peewee.Case(None, [(BillRow.finding == Finding.MATCH, 1)], 0))
    rows = BillRow.select(BillRow.bill_id, count, good).group_by(BillRow.bill_id).tuples()
    lines = {bill_id: (total, int(matching or 0)) for bill_id, total, matching in rows}
    for bill in Bill.select():
        wrong += _bill(bill, *lines.get(bill.id, (0, 0)), differences, now)
    return wrong


def _bill(bill: Bill, total: int, matching: int, differences: Counter[tuple[str, str]], now: datetime) -> list[str]:
    name, wrong = f"bill {bill.id} of {bill.day}", []
    if bill.status != BillStatus.WAITING and total != bill.lines:
        wrong.append(f"{name} has {total} lines, it says {bill.lines}")
    if bill.status == BillStatus.BALANCED:
        ours, theirs = (bill.our_paid_fen, bill.our_back_fen), (bill.paid_fen, bill.back_fen)
        lasting = differences[bill.id, DifferenceStatus.OPEN] + differences[bill.id, DifferenceStatus.EXPLAINED]
        if matching != total or lasting or ours != theirs:
            wrong.append(f"{name} is balanced, and {total - matching} lines do not match")
    if bill.status == BillStatus.EXPLAINED and differences[bill.id, DifferenceStatus.OPEN]:
        wrong.append(f"{name} is explained, and has open differences")
    if bill.status not in ENDS and (bill.try_at is None or bill.try_at < now - OVERDUE):
        wrong.append(f"{name} is {bill.status} and nothing moves it")
    return wrong
