"""Named reads of reconciliation: the days for the picture, the lines and differences of one day."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

import peewee

from app.pay.reconciliation.models import Bill, BillRow, Difference
from app.pay.reconciliation.status import DifferenceStatus


@dataclass(frozen=True)
class Day:
    """One merchant's day in the picture: amounts in fen, by the provider and by us."""

    day: str
    kind: str
    merchant: str
    status: str
    lines: int
    their_paid_fen: int
    our_paid_fen: int
    their_back_fen: int
    our_back_fen: int
    open_differences: int
    explained: int


def days(until: date, count: int = 30) -> list[Day]:
    """The `count` days up to and with `until`, of every merchant, the oldest first."""
    since = (until - timedelta(days=count - 1)).isoformat()
    bills = list(Bill.select().where(Bill.day >= since, Bill.day <= until.isoformat()))
    rows = Difference.select(Difference.bill_id, Difference.status, peewee.fn.COUNT(Difference.id))
    rows = rows.join(Bill, on=(Difference.bill_id == Bill.id)).where(Bill.day >= since)
    counted = {
        (bill_id, status): n for bill_id, status, n in rows.group_by(Difference.bill_id, Difference.status).tuples()
    }
    found = [
        Day(
            day=bill.day,
            kind=bill.kind,
            merchant=bill.merchant,
            status=bill.status,
            lines=bill.lines,
            their_paid_fen=bill.paid_fen,
            our_paid_fen=bill.our_paid_fen,
            their_back_fen=bill.back_fen,
            our_back_fen=bill.our_back_fen,
            open_differences=counted.get((bill.id, DifferenceStatus.OPEN), 0),
            explained=counted.get((bill.id, DifferenceStatus.EXPLAINED), 0),
        )
        for bill in bills
    ]
    return sorted(found, key=lambda day: (day.day, day.kind, day.merchant))


def bills_of(day: date) -> list[Bill]:
    """The bills of one day."""
    return list(Bill.select().where(Bill.day == day.isoformat()).order_by(Bill.kind, Bill.merchant))


def lines(bill: Bill, after: int = 0, limit: int = 500) -> list[BillRow]:
    """The lines of a bill behind place `after`, in its order."""
    query = BillRow.select().where(BillRow.bill_id == bill.id, BillRow.place > after)
    return list(query.order_by(BillRow.place).limit(limit))


def every_line(bill: Bill) -> Iterator[BillRow]:
    """All lines of a bill, a page at a time."""
    place = 0
    while page := lines(bill, place):
        yield from page
        place = page[-1].place


def findings(bills: list[Bill]) -> dict[str, dict[str, int]]:
    """Of each bill: how many lines came out how ('' of those that were not compared yet)."""
    count = peewee.fn.COUNT(BillRow.id)
    rows = BillRow.select(BillRow.bill_id, BillRow.finding, count).where(BillRow.bill_id.in_([b.id for b in bills]))
    found: dict[str, dict[str, int]] = {bill.id: {} for bill in bills}
    for bill_id, finding, lines_ in rows.group_by(BillRow.bill_id, BillRow.finding).tuples():
        found[bill_id][finding or ""] = int(lines_)
    return found


def differences(bill: Bill) -> list[Difference]:
    """What does not match in a bill, or did not, the oldest first."""
    return list(Difference.select().where(Difference.bill_id == bill.id).order_by(Difference.id))


def open_differences(limit: int = 200) -> list[Difference]:
    """Everything that waits for a person, the oldest first."""
    query = Difference.select().where(Difference.status == DifferenceStatus.OPEN)
    return list(query.order_by(Difference.found_at).limit(limit))
