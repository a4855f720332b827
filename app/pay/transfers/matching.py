"""Lines of income beside the orders that wait: an exact one pays its order by the door that every payment takes, any
other is before a person."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from app.core.db import compare_and_set, locked, transaction
from app.pay import settlement
from app.pay.models import Order, PaymentAttempt
from app.pay.providers.protocol import PaymentTruth
from app.pay.status import AttemptStatus, OrderStatus
from app.pay.transfers import codes, ledger, queries
from app.pay.transfers.bank import transaction_id
from app.pay.transfers.models import StatementLine, Transfer
from app.pay.transfers.status import Finding, LineAction, LineStatus

OPEN_ORDERS = (OrderStatus.PENDING, OrderStatus.CLOSING)


def judge(amount_fen: int, due_fen: int, part_fen: int, order_status: str, *, same_payer: bool) -> Finding:
    """What a line of `amount_fen` with an order's code is, where `due_fen` are due and `part_fen` came before.
    Pure."""
    if order_status == OrderStatus.PAID:
        return Finding.PAID
    if order_status == OrderStatus.CLOSED:
        return Finding.CLOSED
    if not same_payer:
        return Finding.PAYER
    if due_fen in (amount_fen, amount_fen + part_fen):
        return Finding.EXACT
    return Finding.SHORT if amount_fen + part_fen < due_fen else Finding.OVER


def look_at(line_id: str, *, now: datetime) -> None:
    """Judge a line that was taken in: once, whoever looks and however often."""
    line: StatementLine = StatementLine.get_by_id(line_id)
    if line.status != LineStatus.NEW:
        return
    transfer, finding = _meant(line, conflict=line.key != queries.key_of(line))
    with transaction():
        if transfer is None:
            row = locked(StatementLine, line_id)
            assert row is not None
            if row.status == LineStatus.NEW:
                _ask(row, finding, None, "system", now=now)
            return
        attempt = hold(transfer.attempt_id)
        row = locked(StatementLine, line_id)
        assert row is not None
        if row.status == LineStatus.NEW:
            place(row, attempt, "system", same_payer=codes.same_payer(transfer.payer_name, row.payer_name), now=now)


def foresee(lines: Sequence[StatementLine]) -> dict[str, Finding | None]:
    """What each of these lines of one draft would be found to be now, by its id; None if it was taken in before.
    Changes nothing, and asks the database three times however many they are."""
    if not lines:
        return {}
    known = queries.same_numbers(lines)
    read = {line.id: codes.find(line.remark) for line in lines}
    meant = queries.meant_by({code for found in read.values() for code in found.codes}, lines[0].account)
    foreseen: dict[str, Finding | None] = {}
    for line in sorted(lines, key=lambda line: line.row):
        counted = known.setdefault(queries.key_of(line), line)  # of one number in one file the first counts as such
        first = counted.id == line.id
        if (counted.content == line.content and not first) or queries.key_of(line, line.content) in known:
            foreseen[line.id] = None
            continue
        mine = sorted(read[line.id].codes & meant.keys())
        one, finding = _of(line, read[line.id], mine, conflict=not first)
        foreseen[line.id] = finding if one is None else _beside(line, meant[one])
    return foreseen


def _beside(line: StatementLine, row: queries.Waiting) -> Finding:
    same = codes.same_payer(row.transfer.payer_name, line.payer_name)
    return judge(line.amount_fen, row.attempt.amount_fen, row.part_fen, row.order.status, same_payer=same)


def _meant(line: StatementLine, *, conflict: bool) -> tuple[Transfer | None, Finding]:
    """The transfer whose code stands in the remark; else why there is none. `conflict`: another line counts that has
    its number."""
    found = codes.find(line.remark)
    known = {code: transfer for code in sorted(found.codes) if (transfer := queries.with_code(code, line.account))}
    one, finding = _of(line, found, list(known), conflict=conflict)
    return (known[one] if one is not None else None), finding


def _of(
    line: StatementLine, found: codes.Found, known: Sequence[str], *, conflict: bool
) -> tuple[str | None, Finding]:
    """Of the codes in a remark, those `known`: the one that is meant, or why there is none. Pure."""
    if line.amount_fen <= 0:
        return None, Finding.REVERSAL
    if conflict:
        return None, Finding.CONFLICT
    if len(known) == 1:
        return known[0], Finding.EXACT
    if known:
        return None, Finding.SEVERAL
    if found.codes:
        return None, Finding.UNKNOWN
    return None, Finding.SLIP if found.slip else Finding.NO_CODE


def place(
    line: StatementLine,
    attempt: PaymentAttempt,
    actor: str,
    *,
    same_payer: bool = True,
    reason: str | None = None,
    now: datetime,
) -> Finding:
    """Give a line to the order of an attempt: it is paid if the amount is exact, with what came before or without; a
    person is asked otherwise. Both rows are held by the caller. Gives what it was found to be."""
    order: Order = Order.get_by_id(attempt.order_id)
    parts = [part for part in queries.parts(attempt.id) if part.id != line.id]
    came = sum(part.amount_fen for part in parts)
    finding = judge(line.amount_fen, attempt.amount_fen, came, order.status, same_payer=same_payer)
    if finding == Finding.EXACT:
        whole = [] if line.amount_fen == attempt.amount_fen else parts
        settle(attempt, whole, line, line.amount_fen, actor, reason=reason, now=now)
    else:
        _ask(line, finding, attempt.id, actor, reason=reason, now=now)
    return finding


def settle(
    attempt: PaymentAttempt,
    parts: Sequence[StatementLine],
    line: StatementLine,
    applied_fen: int,
    actor: str,
    *,
    back_fen: int = 0,
    reason: str | None = None,
    now: datetime,
) -> None:
    """`parts` and `applied_fen` of `line` are the amount that the attempt asked for, to the fen: it is paid. Raises
    `RuntimeError` if they are not, or somebody was quicker: nothing is written."""
    together = sum(part.amount_fen for part in parts) + applied_fen
    if together != attempt.amount_fen or not 0 < applied_fen <= line.amount_fen or back_fen < 0:
        raise RuntimeError(f"line {line.id} does not pay attempt {attempt.id}")
    with transaction():
        for part in parts:
            if not ledger.move(part, LineAction.SETTLE, actor, now=now, applied_fen=part.amount_fen):
                raise RuntimeError(f"line {part.id} is {part.status}")
        values = {"attempt_id": attempt.id, "applied_fen": applied_fen, "back_fen": back_fen, "reason": reason}
        values |= {"decided_by": actor, "finding": line.finding or Finding.EXACT}
        if not ledger.move(line, LineAction.SETTLE, actor, now=now, **values):
            raise RuntimeError(f"line {line.id} is {line.status}")
        truth = PaymentTruth("paid", attempt.out_trade_no, amount_fen=together, transaction_id=transaction_id(line))
        settlement.apply_truth(attempt, truth, now=now)
        if PaymentAttempt.get_by_id(attempt.id).status != AttemptStatus.PAID:
            raise RuntimeError(f"attempt {attempt.id} was not paid by line {line.id}")
        look_again(attempt.id, now=now)


def hold(attempt_id: str) -> PaymentAttempt:
    """The attempt, which nobody else changes before the transaction ends."""
    attempt = locked(PaymentAttempt, attempt_id)
    assert attempt is not None, "attempts are never deleted"
    return attempt


def look_again(attempt_id: str, *, now: datetime) -> int:
    """What was too little for an order that takes nothing any more is before a person again; gives how many lines.
    Inside a transaction that holds the attempt."""
    order: Order = Order.get_by_id(PaymentAttempt.get_by_id(attempt_id).order_id)
    if order.status in OPEN_ORDERS:
        return 0
    found = 0
    finding = Finding.PAID if order.status == OrderStatus.PAID else Finding.CLOSED
    for part in queries.parts(attempt_id):
        if part.status == LineStatus.HELD:
            if not ledger.move(part, LineAction.ASK, "system", now=now, finding=finding):
                continue
        else:
            seen = {"status": part.status, "attempt_id": attempt_id}
            if not compare_and_set(StatementLine, part.id, seen, {"finding": finding}):
                continue
            ledger.close_cases(part, f"the order is {order.status}", "system", now=now)
            part.finding = finding
        ledger.file_case(part, now=now)
        found += 1
    return found


def _ask(
    line: StatementLine,
    finding: Finding,
    attempt_id: str | None,
    actor: str,
    *,
    reason: str | None = None,
    now: datetime,
) -> None:
    """Put a line before a person; one that is there already, by another question."""
    values = {"finding": finding, "attempt_id": attempt_id}
    if line.status == LineStatus.OPEN:
        seen = {"status": line.status, "attempt_id": line.attempt_id}
        if not compare_and_set(StatementLine, line.id, seen, values):
            raise RuntimeError(f"line {line.id} was decided meanwhile")
        ledger.close_cases(line, f"given to another order: {reason}", actor, now=now)
        line.finding, line.attempt_id = finding, attempt_id
    elif not ledger.move(line, LineAction.ASK, actor, now=now, **values):
        return
    ledger.file_case(line, now=now)
