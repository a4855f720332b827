"""The bills themselves: which days are due, and each of them fetched once, line by line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime, time, timedelta
from itertools import islice
from typing import TypeVar

import peewee
import structlog

from app.cases import service as cases
from app.core import audit
from app.core.db import compare_and_set, insert_once, transaction
from app.core.ids import new_id
from app.pay import providers
from app.pay.channels import CHANNELS, ONLINE
from app.pay.models import PaymentAttempt, Refund
from app.pay.providers.protocol import BillLine, NoBill, Unknown
from app.pay.reconciliation.models import Bill, BillRow
from app.pay.reconciliation.status import BillAction, BillStatus, next_bill
from app.pay.status import OPEN_ATTEMPTS, RefundStatus
from app.policy import load as policy
from app.policy.days import on_clock, shanghai_day

log = structlog.get_logger(__name__)
T = TypeVar("T")

READY = time(10, 10)  # Shanghai, of the next day: the providers promise ten o'clock
KEPT = timedelta(days=90)  # the providers keep a bill for three months
EMPTY_AFTER = timedelta(hours=24)  # after its day: then "no such bill" means that nothing happened on it
MISSED_AFTER = timedelta(hours=48)  # after its day: then a person is told
CLAIM = timedelta(minutes=15)  # of one who fetches
AGAIN = timedelta(minutes=20)  # until a bill that is not there is asked for again
ASKED_AGAIN = timedelta(days=1)  # after a person has closed the question
MISSING = "pay.bill_missing"
CHUNK = 500
DONE_REFUNDS = (RefundStatus.SUCCEEDED, RefundStatus.ELSEWHERE)


def chunks(items: Iterable[T]) -> Iterator[list[T]]:
    """`items` in lists of at most `CHUNK`."""
    rest = iter(items)
    while chunk := list(islice(rest, CHUNK)):
        yield chunk


def start_of(day: date) -> datetime:
    """The first moment of a day in Shanghai."""
    return on_clock(day, time.min)


def channels_of(kind: str) -> list[str]:
    """The channels of a provider."""
    return [channel.name for channel in CHANNELS.values() if channel.kind == kind]


def merchants(*, now: datetime) -> list[tuple[str, str]]:
    """(kind, merchant) of every merchant that money is paid to here, or was lately, or goes back from: a programme's
    file may name another one by now."""
    found = {
        (kind, getattr(programme.authority.secrets, kind))
        for programme in policy.open_programmes()
        for kind in providers.kinds()
    }
    found |= _of_earlier(now - KEPT)
    return sorted((kind, merchant) for kind, merchant in found if merchant)


def _of_earlier(since: datetime) -> set[tuple[str, str]]:
    """(kind, merchant) of what was tried to pay, was paid, or went back since then, or still is to."""
    lately = (PaymentAttempt.created_at >= since) | (PaymentAttempt.paid_at >= since)
    lately |= PaymentAttempt.status.in_(OPEN_ATTEMPTS)
    back = Refund.select(Refund.attempt_id).where(
        (Refund.created_at >= since) | (Refund.succeeded_at >= since) | Refund.status.not_in(DONE_REFUNDS)
    )
    query = PaymentAttempt.select(PaymentAttempt.channel, PaymentAttempt.authority).distinct()
    rows = query.where(lately | PaymentAttempt.id.in_(back)).tuples()
    return {(ONLINE[channel].kind, merchant) for channel, merchant in rows if channel in ONLINE}


def plan(*, now: datetime) -> int:
    """Write down the bills of the days that are over, from the day of a merchant's first payment on; gives how many
    are new."""
    today, new = shanghai_day(now), 0
    for kind, merchant in merchants(now=now):
        last = Bill.select(peewee.fn.MAX(Bill.day)).where(Bill.kind == kind, Bill.merchant == merchant).scalar()
        day = date.fromisoformat(last) + timedelta(days=1) if last else _first_day(kind, merchant)
        if day is None:
            continue
        day = max(day, today - KEPT)
        while day < today:
            ready = on_clock(day + timedelta(days=1), READY)
            new += insert_once(
                Bill, kind=kind, merchant=merchant, day=day.isoformat(), status=BillStatus.WAITING, try_at=ready
            )
            day += timedelta(days=1)
    return new


def _first_day(kind: str, merchant: str) -> date | None:
    mine = (PaymentAttempt.authority == merchant) & PaymentAttempt.channel.in_(channels_of(kind))
    first = PaymentAttempt.select().where(mine).order_by(PaymentAttempt.id).first()  # ids are in order of time
    return shanghai_day(first.created_at) if first else None


def move(bill: Bill, action: str, *, now: datetime, **values: object) -> bool:
    """Apply `action` and set `values`, with a line in the audit log, if this caller is the one to do it."""
    after = next_bill(bill.status, action)
    with transaction():
        if not compare_and_set(Bill, bill.id, {"status": bill.status}, {"status": after, **values}):
            return False
        audit.record("system", f"bill.{after}", f"bill:{bill.id}", now=now, day=bill.day, merchant=bill.merchant)
    bill.status = after
    return True


def fetch(bill: Bill, *, now: datetime) -> bool:
    """Fetch a bill that is waiting and due, if nobody else does; True if all its lines are here now. What was fetched
    in part by a process that died is fetched anew."""
    if bill.try_at > now:
        return False
    claimed = {"tries": bill.tries + 1, "try_at": now + CLAIM}
    if not compare_and_set(Bill, bill.id, {"status": BillStatus.WAITING, "tries": bill.tries}, claimed):
        return False
    bill.tries += 1
    try:
        lines = providers.provider(bill.kind, bill.merchant).bill(date.fromisoformat(bill.day))
        return _keep(bill, lines, now)
    except NoBill:
        if now >= _end(bill) + EMPTY_AFTER and not _took_something(bill):
            return _keep(bill, iter(()), now)
        log.info("bill_not_there", bill_id=bill.id, day=bill.day)
    except Unknown as error:
        log.warning("bill_unknown", bill_id=bill.id, day=bill.day, error=str(error))
    if now >= _end(bill) + MISSED_AFTER and not cases.told_since(MISSING, f"bill:{bill.id}", now - ASKED_AGAIN):
        facts: dict[str, str | int | None] = {"day": bill.day, "merchant": bill.merchant, "tries": bill.tries}
        cases.file(MISSING, f"bill:{bill.id}", facts, now=now)
    compare_and_set(Bill, bill.id, {"status": BillStatus.WAITING, "tries": bill.tries}, {"try_at": now + AGAIN})
    return False


def _end(bill: Bill) -> datetime:
    return start_of(date.fromisoformat(bill.day) + timedelta(days=1))


def _took_something(bill: Bill) -> bool:
    """Whether we believe that money came on this day which no other day's bill has: then this one cannot be empty."""
    start = start_of(date.fromisoformat(bill.day))
    here = (PaymentAttempt.authority == bill.merchant) & PaymentAttempt.channel.in_(channels_of(bill.kind))
    then = (PaymentAttempt.paid_at >= start) & (PaymentAttempt.paid_at < _end(bill))
    elsewhere = BillRow.select(BillRow.id).join(Bill, on=(BillRow.bill_id == Bill.id))
    elsewhere = elsewhere.where(Bill.kind == bill.kind, Bill.merchant == bill.merchant)
    named = peewee.fn.EXISTS(elsewhere.where(BillRow.number == PaymentAttempt.out_trade_no))
    return bool(PaymentAttempt.select(PaymentAttempt.id).where(here, then, ~named).exists())


def _keep(bill: Bill, lines: Iterator[BillLine], now: datetime) -> bool:
    """Write the lines, a chunk a transaction, each only while this try is the bill's last one."""
    mine = {"status": BillStatus.WAITING, "tries": bill.tries}
    BillRow.delete().where(BillRow.bill_id == bill.id).execute()
    place = paid = back = 0
    for chunk in chunks(lines):
        rows = []
        for line in chunk:
            place += 1
            paid += line.amount_fen if line.kind == "payment" else 0
            back += line.amount_fen if line.kind == "refund" else 0
            rows.append(_row(bill.id, place, line))
        with transaction():
            if not compare_and_set(Bill, bill.id, mine, {"lines": place}):
                return False
            BillRow.insert_many(rows).execute()
    with transaction():
        totals = {"lines": place, "paid_fen": paid, "back_fen": back, "fetched_at": now, "try_at": now}
        if not compare_and_set(Bill, bill.id, mine, totals):
            return False
        cases.decide_about(MISSING, f"bill:{bill.id}", "the bill is there", actor="system", now=now)
        return move(bill, BillAction.FETCH, now=now)


def _row(bill_id: str, place: int, line: BillLine) -> dict[str, object]:
    return {
        "id": new_id(),
        "bill_id": bill_id,
        "place": place,
        "kind": line.kind,
        "number": line.number[:64],
        "payment": line.payment[:64],
        "provider_number": line.provider_number[:64],
        "amount_fen": line.amount_fen,
        "at": line.at,
        "status": line.status,
    }
