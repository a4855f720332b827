"""A fetched bill beside our rows: every line is judged, and what we have and no bill has is found. What the provider
knows otherwise than we do is asked about, and its answer takes the ordinary way: late money goes back, another amount
is disputed. What differs then is a difference, before a person."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

import peewee
import structlog

from app.core.db import transaction
from app.pay import refunds, settlement
from app.pay.budget import Budget
from app.pay.channels import provider_of
from app.pay.models import PaymentAttempt, Refund
from app.pay.providers.protocol import Refused, Unknown
from app.pay.reconciliation import differences
from app.pay.reconciliation.bills import CHUNK, channels_of, start_of
from app.pay.reconciliation.judge import Ours, judge
from app.pay.reconciliation.models import Bill, BillRow, Difference
from app.pay.reconciliation.status import BillStatus, Finding
from app.pay.status import CAPTURED, OPEN_REFUNDS, RefundStatus
from app.policy.days import shanghai_day

log = structlog.get_logger(__name__)

# Around midnight: what we date to one day may stand in the bill of the other. UnionPay's day ends at 23:00.
EDGE = timedelta(minutes=70)
Firsts = dict[tuple[str, str, str], str]


def lines(bill: Bill, budget: Budget, *, now: datetime) -> None:
    """Judge the lines that do not match yet. Stops where the budget does; goes on at the next run."""
    place = 0
    while not budget.spent() and (chunk := _unmatched(bill, place)):
        place = chunk[-1].place
        ours, firsts = _ours(bill, chunk), _firsts(bill, chunk)
        good = []
        for line in chunk:
            mine = ours.get((line.kind, line.number))
            if line.finding is None and _judge(line, mine, firsts) == Finding.MATCH:
                good.append(line.id)
            elif not budget.spent():
                one_line(bill, line, now=now)
        if good:
            BillRow.update(finding=Finding.MATCH).where(BillRow.id.in_(good)).execute()


def one_line(bill: Bill, line: BillRow, *, now: datetime) -> None:
    """One line that did not match at the first look: ask, judge anew, and write down what is left."""
    known = Difference.get_or_none(Difference.key == f"{bill.id}|{line.id}")
    if known is not None and known.status == "explained":
        return
    ours, firsts = _ours(bill, [line]).get((line.kind, line.number)), _firsts(bill, [line])
    found, said = _judge(line, ours, firsts), None
    if ours is not None and found in (Finding.MISSING_HERE, Finding.AMOUNT, Finding.STATUS):
        said = ask(ours, now=now)
        ours = type(ours).get_by_id(ours.id)
        found = _judge(line, ours, firsts)
    with transaction():
        BillRow.update(finding=found).where(BillRow.id == line.id).execute()
        if found != Finding.MATCH:
            differences.file(bill, found, line, ours, said, now=now)
        elif known is not None:
            differences.settle(known, now=now)


def _unmatched(bill: Bill, place: int) -> list[BillRow]:
    open_ = BillRow.finding.is_null() | (BillRow.finding != Finding.MATCH)
    query = BillRow.select().where(BillRow.bill_id == bill.id, BillRow.place > place, open_)
    return list(query.order_by(BillRow.place).limit(CHUNK))


def _here(bill: Bill) -> peewee.Expression:
    return (PaymentAttempt.authority == bill.merchant) & PaymentAttempt.channel.in_(channels_of(bill.kind))


def _ours(bill: Bill, some: Sequence[BillRow]) -> dict[tuple[str, str], Ours]:
    """Our rows of these numbers, of this merchant, by kind and number."""
    paid = [line.number for line in some if line.kind == "payment"]
    back = [line.number for line in some if line.kind == "refund"]
    attempts = PaymentAttempt.select().where(_here(bill), PaymentAttempt.out_trade_no.in_(paid)) if paid else ()
    found: dict[tuple[str, str], Ours] = {("payment", row.out_trade_no): row for row in attempts}
    if back:
        query = Refund.select().join(PaymentAttempt, on=(Refund.attempt_id == PaymentAttempt.id))
        query = query.where(_here(bill), Refund.out_refund_no.in_(back))
        found |= {("refund", row.out_refund_no): row for row in query}
    return found


def _firsts(bill: Bill, some: Sequence[BillRow]) -> Firsts:
    """Of each thing that these lines are about, the first line in any bill of this merchant."""
    query = BillRow.select(BillRow.kind, BillRow.number, BillRow.provider_number, BillRow.id)
    query = query.join(Bill, on=(BillRow.bill_id == Bill.id))
    query = query.where(Bill.kind == bill.kind, Bill.merchant == bill.merchant)
    query = query.where(BillRow.number.in_([line.number for line in some])).order_by(Bill.day, BillRow.place)
    found: Firsts = {}
    for kind, number, provider_number, row_id in query.tuples():
        found.setdefault((kind, number, provider_number), row_id)
    return found


def _judge(line: BillRow, ours: Ours | None, firsts: Firsts) -> Finding:
    twice = firsts[line.kind, line.number, line.provider_number] != line.id
    return Finding.DUPLICATE if twice and ours is not None else judge(line, ours)


def ask(ours: Ours, *, now: datetime) -> str:
    """Ask the provider about a payment or a refund of ours and apply what it says; gives that in a word."""
    try:
        if isinstance(ours, PaymentAttempt):
            return settlement.ask(ours, now=now).state
        if ours.status == RefundStatus.REQUESTED:
            refunds.settle(ours.id, now=now)
        elif ours.status in OPEN_REFUNDS:
            refunds.ask_refund(ours.out_refund_no, now=now)
        return str(Refund.get_by_id(ours.id).status)
    except (Unknown, Refused) as error:
        log.warning("difference_unknown", row_id=ours.id, error=str(error))
        return "unknown"


# --- what we have and no bill has ----------------------------------------------------------------------------------


def rows(bill: Bill, budget: Budget, *, now: datetime) -> int:
    """Find what we date to this day and no bill has; gives how many of these must wait: for another day's bill, or
    for the next run."""
    for known in differences.without_line(bill):
        if _named(bill, known.kind, known.number):
            differences.settle(known, now=now)
    waiting = 0
    for ours in _not_named(bill):
        if budget.spent() or not _bills_are_there(bill, ours):
            waiting += 1
        else:
            one_row(bill, ours, now=now)
    return waiting


def one_row(bill: Bill, ours: Ours, *, now: datetime) -> None:
    """A row of ours that no bill has: ask, and write it down."""
    said = _said(ours)
    with transaction():
        differences.file(bill, Finding.MISSING_THERE, None, ours, said, now=now)


def _said(ours: Ours) -> str:
    """What the provider says about something that we are sure of; changes nothing."""
    attempt = ours if isinstance(ours, PaymentAttempt) else PaymentAttempt.get_by_id(ours.attempt_id)
    provider = provider_of(attempt)
    try:
        if isinstance(ours, Refund):
            return provider.query_refund(ours.out_refund_no, attempt.out_trade_no)
        return provider.query(ours.out_trade_no).state
    except Unknown:
        return "unknown"


def _not_named(bill: Bill) -> list[Ours]:
    """Payments and refunds that we date to this day, that are in no bill of this merchant's, and not explained."""
    day = date.fromisoformat(bill.day)
    start, end = start_of(day), start_of(day + timedelta(days=1))
    paid = PaymentAttempt.select().where(
        _here(bill),
        PaymentAttempt.status.in_(CAPTURED),
        PaymentAttempt.paid_at >= start,
        PaymentAttempt.paid_at < end,
    )
    back = Refund.select().join(PaymentAttempt, on=(Refund.attempt_id == PaymentAttempt.id))
    back = back.where(_here(bill), Refund.succeeded_at >= start, Refund.succeeded_at < end)
    found: list[Ours] = [
        *paid.where(~_line(bill, "payment", PaymentAttempt.out_trade_no)),
        *back.where(~_line(bill, "refund", Refund.out_refund_no)),
    ]
    explained = differences.explained(bill)
    return [row for row in found if differences.subject_of(row) not in explained]


def _line(bill: Bill, kind: str, number: object) -> peewee.Expression:
    """Whether a bill of this merchant has a line of that number."""
    query = BillRow.select(BillRow.id).join(Bill, on=(BillRow.bill_id == Bill.id))
    query = query.where(Bill.kind == bill.kind, Bill.merchant == bill.merchant)
    return peewee.fn.EXISTS(query.where(BillRow.kind == kind, BillRow.number == number))


def _named(bill: Bill, kind: str, number: str) -> bool:
    return bool(Bill.select(Bill.id).where(Bill.id == bill.id, _line(bill, kind, number)).exists())


def _bills_are_there(bill: Bill, ours: Ours) -> bool:
    """Whether every bill that could have this row is fetched: a payment stands in that of its day; a refund in that
    of the day on which it was asked for, arrived, or one between."""
    first: datetime = ours.created_at if isinstance(ours, Refund) else ours.paid_at
    last: datetime = ours.succeeded_at if isinstance(ours, Refund) else ours.paid_at
    from_, to = shanghai_day(first - EDGE).isoformat(), shanghai_day(last + EDGE).isoformat()
    of_merchant = (Bill.kind == bill.kind) & (Bill.merchant == bill.merchant)
    there = of_merchant & (Bill.status != BillStatus.WAITING)
    waiting = Bill.select().where(of_merchant, Bill.status == BillStatus.WAITING, Bill.day >= from_, Bill.day <= to)
    return bool(Bill.select().where(there, Bill.day >= to).exists()) and not waiting.exists()
