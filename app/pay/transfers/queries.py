"""Named reads of transfers, statements and what goes back by hand."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

import peewee

from app.core.db import lock
from app.core.errors import NOT_FOUND
from app.pay.models import Order, PaymentAttempt, Refund
from app.pay.status import OPEN_ATTEMPTS, AttemptStatus, OrderStatus
from app.pay.transfers.models import OutgoingLine, Payout, Statement, StatementLine, Transfer
from app.pay.transfers.status import Finding, LineStatus, OutgoingStatus, PayoutStatus, StatementStatus
from app.policy import load as policy
from app.policy.days import end_of_day, shanghai_day

CHANNEL: Literal["bank_transfer"] = "bank_transfer"
A_YEAR = timedelta(days=366)
PART = (LineStatus.OPEN, LineStatus.HELD)


@dataclass(frozen=True)
class Account:
    """An account of the centre's into which a programme is paid."""

    programme: str
    number: str
    name: str
    bank: str


@dataclass(frozen=True)
class Waiting:
    """An order that waits for a transfer, or has waited for one. `last_day`: on which it is in time (Shanghai);
    `part_fen`: came already."""

    order: Order
    transfer: Transfer
    attempt: PaymentAttempt
    part_fen: int

    @property
    def last_day(self) -> date:
        return shanghai_day(self.order.expires_at)


@dataclass(frozen=True)
class Owed:
    """A payout, the income that it gives back (to whom, it says) and to which of our accounts that came. `since`: the
    day (Shanghai) on which it was asked for."""

    payout: Payout
    account: str
    sources: tuple[StatementLine, ...]

    @property
    def since(self) -> date:
        return shanghai_day(self.payout.requested_at)


def accounts(programmes: Collection[str]) -> list[Account]:
    """The accounts of these programmes, of earlier versions too: what was ordered under them may still come."""
    found: dict[str, Account] = {}
    for programme in policy.open_programmes():
        rule = programme.fee.bank_transfer if programme.fee else None
        if rule is not None and programme.key in programmes:
            found[rule.account_number] = Account(programme.key, rule.account_number, rule.account_name, rule.bank)
    return sorted(found.values(), key=lambda account: (account.programme, account.number))


def of_order(order_id: str) -> Transfer | None:
    """The transfer that was chosen for an order and not given up, or None."""
    mine = Transfer.select(Transfer, PaymentAttempt).join(
        PaymentAttempt, on=(Transfer.attempt_id == PaymentAttempt.id)
    )
    kept = PaymentAttempt.status != AttemptStatus.CLOSED
    found: Transfer | None = mine.where(PaymentAttempt.order_id == order_id, kept).first()
    return found


def others_until(order: Order) -> datetime:
    """The order's last moment by every channel but a transfer."""
    transfer = of_order(order.id)
    moment: datetime = order.expires_at if transfer is None else transfer.others_until
    return moment


def waits_until(order: Order) -> date | None:
    """The last day (Shanghai) on which the transfer is in time that an open order waits for; None where it waits for
    none."""
    open_ = order.status in (OrderStatus.PENDING, OrderStatus.CLOSING)
    return shanghai_day(order.expires_at) if open_ and of_order(order.id) is not None else None


def with_code(code: str, account: str) -> Transfer | None:
    """The transfer with this code into this account, or None."""
    query = Transfer.select(Transfer).join(PaymentAttempt, on=(Transfer.attempt_id == PaymentAttempt.id))
    found: Transfer | None = query.where(Transfer.code == code, PaymentAttempt.authority == account).first()
    return found


def key_of(line: StatementLine | OutgoingLine, *more: str) -> str:
    """What one line is known by: the account, the day, and the bank's number of it."""
    return hashlib.sha256("|".join((line.account, line.day, line.number, *more)).encode()).hexdigest()


def same_numbers(rows: Collection[StatementLine]) -> dict[str, StatementLine]:
    """The lines that count and have the account, day and number of one of these, by their key; where several have
    one number, those that say the same."""
    keys = [key for row in rows for key in (key_of(row), key_of(row, row.content))]
    return {found.key: found for found in StatementLine.select().where(StatementLine.key.in_(keys))}


def days_missing(row: Statement) -> tuple[date, date] | None:
    """The days between this draft and the last statement before it of which none tells, or None."""
    before = (Statement.account == row.account) & (Statement.status != StatementStatus.DRAFT)
    before &= Statement.first_day < row.first_day
    latest = Statement.select(peewee.fn.MAX(Statement.last_day)).where(before).scalar()
    first, last = (date.fromisoformat(latest), date.fromisoformat(row.first_day)) if latest else (None, None)
    if first is None or last is None or (last - first).days <= 1:
        return None
    return first + timedelta(days=1), last - timedelta(days=1)


def parts(attempt_id: str) -> list[StatementLine]:
    """What came for an attempt and is too little by itself: before a person, or while the rest is waited for."""
    mine = (StatementLine.attempt_id == attempt_id) & (StatementLine.finding == Finding.SHORT)
    return list(StatementLine.select().where(mine, StatementLine.status.in_(PART)).order_by(StatementLine.id))


def part_fen(attempt_id: str) -> int:
    """How many fen of it came."""
    return sum(line.amount_fen for line in parts(attempt_id))


def came(attempt_id: str) -> bool:
    """Whether money came for an attempt, little or much, that was not sent back."""
    mine = (StatementLine.attempt_id == attempt_id) & StatementLine.status.in_((LineStatus.SETTLED, *PART))
    return bool(StatementLine.select(StatementLine.id).where(mine).exists())


def in_question(attempt_id: str) -> bool:
    """Whether money came for it that may pay it, or the rest of it, and is before a person: under another name, or
    too much."""
    mine = (StatementLine.attempt_id == attempt_id) & (StatementLine.status == LineStatus.OPEN)
    mine &= StatementLine.finding.in_((Finding.PAYER, Finding.OVER))
    return bool(StatementLine.select(StatementLine.id).where(mine).exists())


def waiting(programmes: Collection[str], limit: int = 200) -> list[Waiting]:
    """The orders of these programmes that wait for a transfer, the one whose time is over first at first."""
    open_ = PaymentAttempt.status.in_(OPEN_ATTEMPTS) & Order.status.in_((OrderStatus.PENDING, OrderStatus.CLOSING))
    query = _with_transfer().where(PaymentAttempt.channel == CHANNEL, open_, Order.programme.in_(list(programmes)))
    return _waiting(query.order_by(Order.expires_at).limit(limit))


def meant_by(codes: Collection[str], account: str) -> dict[str, Waiting]:
    """The orders whose transfers into this account have these codes, by the code, however they stand."""
    query = _with_transfer().where(Transfer.code.in_(list(codes)), PaymentAttempt.authority == account)
    return {row.transfer.code: row for row in _waiting(query)}


def _with_transfer() -> peewee.ModelSelect:
    query = PaymentAttempt.select(PaymentAttempt, Order, Transfer)
    query = query.join(Order, on=(PaymentAttempt.order_id == Order.id), attr="order").switch(PaymentAttempt)
    return query.join(Transfer, on=(Transfer.attempt_id == PaymentAttempt.id), attr="transfer")


def _waiting(query: peewee.ModelSelect) -> list[Waiting]:
    """With what came for each, in two questions however many there are."""
    found = list(query)
    mine = StatementLine.attempt_id.in_([attempt.id for attempt in found])
    mine &= (StatementLine.finding == Finding.SHORT) & StatementLine.status.in_(PART)
    came = StatementLine.select(StatementLine.attempt_id, peewee.fn.SUM(StatementLine.amount_fen))
    parts_fen = dict(came.where(mine).group_by(StatementLine.attempt_id).tuples())
    return [
        Waiting(attempt.order, attempt.transfer, attempt, int(parts_fen.get(attempt.id) or 0)) for attempt in found
    ]


def statement(statement_id: str, programmes: Collection[str]) -> Statement:
    """A statement of one of these programmes. Raises `not_found`."""
    found: Statement | None = Statement.get_or_none(Statement.id == statement_id)
    if found is None or found.programme not in programmes:
        raise NOT_FOUND()
    return found


def statements(programmes: Collection[str], limit: int = 30) -> list[Statement]:
    """The statements that were taken in, and those only shown, the newest first."""
    query = Statement.select().where(Statement.programme.in_(list(programmes)))
    return list(query.order_by(Statement.uploaded_at.desc()).limit(limit))


def lines(statement_id: str, limit: int = 500) -> list[StatementLine]:
    """The income of a statement, in its order."""
    query = StatementLine.select().where(StatementLine.statement_id == statement_id)
    return list(query.order_by(StatementLine.row).limit(limit))


def total_fen(statement_id: str) -> int:
    """How many fen the whole income of a statement is."""
    mine = StatementLine.statement_id == statement_id
    return int(StatementLine.select(peewee.fn.SUM(StatementLine.amount_fen)).where(mine).scalar() or 0)


def in_state(programmes: Collection[str], status: str, limit: int = 200) -> list[StatementLine]:
    """The lines that stand so, the newest first."""
    query = StatementLine.select().join(Statement, on=(StatementLine.statement_id == Statement.id))
    query = query.where(Statement.programme.in_(list(programmes)), StatementLine.status == status)
    return list(query.order_by(StatementLine.id.desc()).limit(limit))


def counts(programmes: Collection[str]) -> dict[str, tuple[int, int]]:
    """Of each status: how many lines stand so, and how many fen they are together."""
    query = StatementLine.select(
        StatementLine.status, peewee.fn.COUNT(StatementLine.id), peewee.fn.SUM(StatementLine.amount_fen)
    ).join(Statement, on=(StatementLine.statement_id == Statement.id))
    query = query.where(Statement.programme.in_(list(programmes))).group_by(StatementLine.status)
    return {status: (int(number), int(fen or 0)) for status, number, fen in query.tuples()}


def codes_of(attempt_ids: Collection[str]) -> dict[str, str]:
    """The code of each of these attempts."""
    if not attempt_ids:
        return {}
    rows = Transfer.select(Transfer.attempt_id, Transfer.code).where(Transfer.attempt_id.in_(list(attempt_ids)))
    return dict(rows.tuples())


def _due(programmes: Collection[str]) -> peewee.ModelSelect:
    return Payout.select().where(Payout.status == PayoutStatus.REQUESTED, Payout.programme.in_(list(programmes)))


def payouts_due(programmes: Collection[str], limit: int = 500) -> list[Payout]:
    """What is to be transferred back, the oldest first."""
    return list(_due(programmes).order_by(Payout.requested_at).limit(limit))


def count_due(programmes: Collection[str]) -> int:
    """How many are to be transferred back."""
    return int(_due(programmes).count())


def outgoing(statement_id: str, limit: int = 500) -> list[OutgoingLine]:
    """The money of a statement that went, in its order."""
    query = OutgoingLine.select().where(OutgoingLine.statement_id == statement_id)
    return list(query.order_by(OutgoingLine.row).limit(limit))


def outgoing_total(statement_id: str) -> tuple[int, int]:
    """How many lines of a statement are money that went, and how many fen they are together."""
    count, total = peewee.fn.COUNT(OutgoingLine.id), peewee.fn.SUM(OutgoingLine.amount_fen)
    found = OutgoingLine.select(count, total).where(OutgoingLine.statement_id == statement_id).tuples()
    ((number, fen),) = found
    return int(number), int(fen or 0)


def outgoing_open(programmes: Collection[str]) -> int:
    """How many lines of money that went are before a person."""
    query = OutgoingLine.select().join(Statement, on=(OutgoingLine.statement_id == Statement.id))
    mine = Statement.programme.in_(list(programmes)) & (OutgoingLine.status == OutgoingStatus.OPEN)
    return int(query.where(mine).count())


def outgoing_of(payout: Payout) -> OutgoingLine | None:
    """The line of a statement that this payout is, or None while none is known."""
    found: OutgoingLine | None = OutgoingLine.get_or_none(OutgoingLine.id == payout.outgoing_id)
    return found


def owed(lines: Collection[OutgoingLine]) -> list[Owed]:
    """The payouts that one of these lines may be, by its amount or its number; those of the last year."""
    if not lines:
        return []
    may = Payout.amount_fen.in_(sorted({line.amount_fen for line in lines}))
    may |= Payout.reference.in_(sorted({line.number for line in lines}))
    since = min(date.fromisoformat(line.day) for line in lines) - A_YEAR
    recent = Payout.requested_at >= end_of_day(since)
    return owed_of(list(Payout.select().where(may, recent).order_by(Payout.requested_at, Payout.id)))


def owed_of(payouts: Sequence[Payout]) -> list[Owed]:
    """These payouts with the income that each gives back."""
    line_ids = [payout.line_id for payout in payouts if payout.line_id]
    refund_nos = [payout.refund_no for payout in payouts if payout.refund_no]
    refunds = Refund.select(Refund.out_refund_no, Refund.attempt_id).where(Refund.out_refund_no.in_(refund_nos))
    attempt_of = dict(refunds.tuples()) if refund_nos else {}
    applied = StatementLine.attempt_id.in_(list(attempt_of.values())) & (StatementLine.applied_fen > 0)
    by_line: dict[str, StatementLine] = {}
    by_attempt: dict[str, list[StatementLine]] = defaultdict(list)
    for line in StatementLine.select().where(StatementLine.id.in_(line_ids) | applied):
        by_line[line.id] = line
        by_attempt[line.attempt_id].append(line)
    found = []
    for payout in payouts:
        if payout.line_id:
            sources = [by_line[payout.line_id]]
        else:
            paid = by_attempt[attempt_of[payout.refund_no]]
            sources = [line for line in paid if line.applied_fen > 0]
        if sources:
            found.append(Owed(payout, sources[0].account, tuple(sources)))
    return found


def account_of(payout: Payout) -> str | None:
    """The account from which a payout goes: the one to which its money came."""
    return next((one.account for one in owed_of([payout])), None)


def lock_account(account: str | None) -> None:
    """Until the transaction ends, nobody else decides what one payout of this account alone may have."""
    lock(Statement.select().where(Statement.account == account).order_by(Statement.id).limit(1)).first()


def taken_before(account: str, digest: str, today: date) -> Statement | None:
    """The statement that was taken in from this very file `today` (Shanghai) and tells of every day that is over; any
    other may be told to tell of more."""
    known = (Statement.account == account) & (Statement.digest == digest)
    known &= Statement.last_day >= (today - timedelta(days=1)).isoformat()
    taken = Statement.select().where(known, Statement.status != StatementStatus.DRAFT)
    for found in taken.order_by(Statement.uploaded_at.desc()):
        if shanghai_day(found.uploaded_at) == today:
            row: Statement = found
            return row
    return None
