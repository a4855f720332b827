"""Is the money of transfers right? Over the whole database: each line that counts is applied, goes back, or is before
a person, to the fen."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import datetime, timedelta

from app.cases import service as cases
from app.pay.models import Order, PaymentAttempt, Refund
from app.pay.status import CAPTURED, OrderStatus, RefundStatus
from app.pay.transfers import codes, outgoing, unseen
from app.pay.transfers.bank import PAYOUT
from app.pay.transfers.ledger import KIND_OF, KINDS
from app.pay.transfers.models import OutgoingLine, Payout, Statement, StatementLine, Transfer
from app.pay.transfers.queries import CHANNEL, key_of, owed_of
from app.pay.transfers.status import (
    COUNTS,
    Finding,
    LineStatus,
    OutgoingStatus,
    PayoutStatus,
    StatementStatus,
)

OVERDUE = timedelta(hours=1)


def audit_transfers(now: datetime) -> list[str]:
    """What is wrong at `now`, a sentence each: what an attempt by transfer captured is what its lines gave it; of no
    line more or less than its amount is applied and goes back; what waits, waits for a person or for its payer."""
    open_ = {(case.kind, case.subject) for kind in (*KINDS, PAYOUT, outgoing.KIND) for case in cases.open_cases(kind)}
    attempts = {row.id: row for row in PaymentAttempt.select().where(PaymentAttempt.channel == CHANNEL)}
    orders = {row.id: row.status for row in Order.select(Order.id, Order.status)}
    payouts = list(Payout.select())
    back = {payout.line_id: payout.amount_fen for payout in payouts if payout.line_id}
    applied: Counter[str] = Counter()
    wrong, keys = [], defaultdict(list)
    for line in StatementLine.select().where(StatementLine.status.in_(COUNTS)):
        keys[key_of(line)].append(line)
        applied[line.attempt_id] += line.applied_fen
        wrong += _line(line, back.get(line.id, 0), attempts, orders, open_, now)
    for some in keys.values():
        if len({line.content for line in some}) != len(some):
            wrong.append(f"line {some[0].number} of {some[0].day} counts {len(some)} times")
    wrong += _attempts(attempts, applied)
    wrong += _payouts(payouts, open_, now)
    wrong += _outgoing(payouts, open_)
    wrong += [f"payout {one.payout.id} is sent, no statement tells of it, and nobody was asked"
              for one in unseen.unseen(now)
              if cases.latest(outgoing.UNSEEN, f"payout:{one.payout.id}") is None]  # fmt: skip
    references = Counter((one.account, one.payout.reference) for one in owed_of(payouts) if one.payout.reference)
    wrong += [f"{count} payouts have the number {number}" for (_, number), count in references.items() if count > 1]
    stuck = (Statement.status == StatementStatus.TAKING) & (Statement.uploaded_at < now - OVERDUE - timedelta(days=1))
    wrong += [f"statement {row.id} is not taken in" for row in Statement.select().where(stuck)]
    return wrong


def _line(
    line: StatementLine,
    promised: int,
    attempts: dict[str, PaymentAttempt],
    orders: dict[str, str],
    open_: set[tuple[str, str]],
    now: datetime,
) -> list[str]:
    name, wrong = f"line {line.id} ({line.status}, {line.finding})", []
    if promised != line.back_fen:
        wrong.append(f"{name}: {line.back_fen} goes back, its payout says {promised}")
    done = line.applied_fen + line.back_fen
    if done != (line.amount_fen if line.status in (LineStatus.SETTLED, LineStatus.RETURNED) else 0):
        wrong.append(f"{name}: {line.applied_fen} applied and {line.back_fen} back of {line.amount_fen}")
    attempt = attempts.get(line.attempt_id or "")
    if (line.applied_fen > 0) != (line.status == LineStatus.SETTLED):
        wrong.append(f"{name} has paid {line.applied_fen}")
    if line.status == LineStatus.SETTLED and (attempt is None or attempt.status not in CAPTURED):
        wrong.append(f"{name} pays attempt {line.attempt_id}, which is not paid")
    before_a_person = {kind for kind in KINDS if (kind, f"line:{line.id}") in open_}
    wanted = {KIND_OF[Finding(line.finding)]} if line.status in (LineStatus.OPEN, LineStatus.HELD) else set()
    if before_a_person != wanted:
        wrong.append(f"{name}: cases {sorted(before_a_person)} are open")
    over = attempt is not None and orders[attempt.order_id] in (OrderStatus.PAID, OrderStatus.CLOSED)
    since = attempt and max(filter(None, (attempt.paid_at, attempt.closed_at)), default=None)
    if line.status == LineStatus.HELD and (attempt is None or (over and (since or now) < now - OVERDUE)):
        wrong.append(f"{name} is held for an order that takes nothing any more")
    if line.status == LineStatus.NEW and line.taken_at < now - OVERDUE:
        wrong.append(f"{name} was never looked at")
    return wrong


def _attempts(attempts: dict[str, PaymentAttempt], applied: Counter[str]) -> list[str]:
    wrong = []
    given = {row.attempt_id: row for row in Transfer.select()}
    for attempt in attempts.values():
        captured = attempt.captured_fen if attempt.status in CAPTURED else 0
        if captured != applied[attempt.id]:
            wrong.append(f"attempt {attempt.id} captured {captured}, its transfers gave {applied[attempt.id]}")
        transfer = given.get(attempt.id)
        if transfer is None or not codes.good(transfer.code.removeprefix(codes.MARK)):
            wrong.append(f"attempt {attempt.id} has no code that could come")
    wrong += [f"{fen} fen are applied to {attempt_id}, which is no transfer"
              for attempt_id, fen in applied.items() if fen and attempt_id not in attempts]  # fmt: skip
    return wrong


def _payouts(payouts: list[Payout], open_: set[tuple[str, str]], now: datetime) -> list[str]:
    wrong = []
    by_number = {payout.refund_no: payout for payout in payouts if payout.refund_no}
    for payout in payouts:
        due = payout.status == PayoutStatus.REQUESTED
        if due != ((PAYOUT, f"payout:{payout.id}") in open_):
            wrong.append(f"payout {payout.id} is {payout.status}, and the case about it is not")
        if not due and (not payout.reference or payout.told_by == payout.sent_by):
            wrong.append(f"payout {payout.id} is sent, and was not seen by two")
    known: set[str] = set()
    query = Refund.select().join(PaymentAttempt, on=(Refund.attempt_id == PaymentAttempt.id))
    for refund in query.where(PaymentAttempt.channel == CHANNEL):
        own = by_number.get(refund.out_refund_no)
        known.add(refund.out_refund_no)
        sent = own is not None and own.status == PayoutStatus.SENT
        if sent != (refund.status == RefundStatus.SUCCEEDED):
            wrong.append(f"refund {refund.id} is {refund.status}, its transfer is not")
        if own is not None and own.amount_fen != refund.amount_fen:
            wrong.append(f"refund {refund.id} is {refund.amount_fen}, {own.amount_fen} is transferred")
    return wrong + [
        f"payout {payout.id} is for no refund of ours" for number, payout in by_number.items() if number not in known
    ]


def _outgoing(payouts: list[Payout], open_: set[tuple[str, str]]) -> list[str]:
    """Each line of money that went is one payout of its amount, before a person, or set aside by people."""
    wrong = []
    of = {payout.outgoing_id: payout for payout in payouts if payout.outgoing_id}
    for line in OutgoingLine.select().where(OutgoingLine.key.is_null(False)):
        name, payout = f"outgoing line {line.id} ({line.status}, {line.finding})", of.pop(line.id, None)
        if (payout is not None) != (line.status == OutgoingStatus.MATCHED):
            wrong.append(f"{name} is payout {payout and payout.id}")
        if payout is not None and payout.amount_fen != line.amount_fen:
            wrong.append(f"{name} is {line.amount_fen}, its payout {payout.amount_fen}")
        if (line.status == OutgoingStatus.OPEN) != ((outgoing.KIND, f"outgoing:{line.id}") in open_):
            wrong.append(f"{name}: the case about it is not so")
    return wrong + [f"payout {payout.id} is in no line that counts" for payout in of.values()]
