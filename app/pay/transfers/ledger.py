"""The one door for changes of a statement's line: by the table, compare-and-set, with a line in the audit log; and
its cases."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from app.cases import service as cases
from app.core import audit
from app.core.db import compare_and_set, locked, transaction
from app.pay.models import Order, PaymentAttempt
from app.pay.transfers.models import Statement, StatementLine
from app.pay.transfers.status import Finding, LineAction, NotAllowed, next_line

UNKNOWN, PAYER, SHORT, OVER, LATE = (f"pay.transfer_{name}" for name in ("unknown", "payer", "short", "over", "late"))
KIND_OF = {
    Finding.NO_CODE: UNKNOWN,
    Finding.SLIP: UNKNOWN,
    Finding.UNKNOWN: UNKNOWN,
    Finding.SEVERAL: UNKNOWN,
    Finding.REVERSAL: UNKNOWN,
    Finding.CONFLICT: UNKNOWN,
    Finding.PAYER: PAYER,
    Finding.SHORT: SHORT,
    Finding.OVER: OVER,
    Finding.PAID: LATE,
    Finding.CLOSED: LATE,
}
KINDS = (UNKNOWN, PAYER, SHORT, OVER, LATE)


def held(line_id: str) -> tuple[StatementLine, PaymentAttempt | None]:
    """A line and the attempt that it was meant for, which nobody else changes before the transaction ends: always the
    attempt first, so that two who want the same ones do not wait for each other."""
    line = StatementLine.get_by_id(line_id)
    attempt = locked(PaymentAttempt, line.attempt_id) if line.attempt_id else None
    row = locked(StatementLine, line_id)
    assert row is not None, "lines that count are never deleted"
    if row.attempt_id != line.attempt_id:
        raise RuntimeError(f"line {line_id} was given to another order meanwhile")
    return row, attempt


def move(line: StatementLine, action: LineAction, actor: str, *, now: datetime, **values: Any) -> bool:
    """Apply `action` and set `values` if it follows the line's status, and the line is still meant for the order that
    the caller saw; True if this caller did it. Whatever case was open about it is closed."""
    before = line.status
    try:
        after = next_line(before, action)
    except NotAllowed:
        return False
    reason = values.pop("reason", None)
    if reason is not None:
        values["reason_sealed"] = StatementLine(id=line.id, reason=reason).reason_sealed
    with transaction():
        seen = {"status": before, "attempt_id": line.attempt_id}  # two orders never count one line
        if not compare_and_set(StatementLine, line.id, seen, {"status": after, **values}):
            return False
        for name, value in {"status": after, **values}.items():
            setattr(line, name, value)
        said = {"before": before, "amount_fen": line.amount_fen, "attempt": line.attempt_id, "finding": line.finding}
        audit.record(actor, f"transfer.{after}", f"line:{line.id}", now=now, reason=reason, **said)
        if action != LineAction.HOLD:  # that one waits with its case
            close_cases(line, f"{after}: {reason or line.finding}", actor, now=now)
    return True


def close_cases(line: StatementLine, decision: str, actor: str, *, now: datetime) -> None:
    """Nobody need look at this line any more."""
    for kind in KINDS:
        cases.decide_about(kind, f"line:{line.id}", decision, actor=actor, now=now)


def file_case(line: StatementLine, *, now: datetime) -> None:
    """Put a line before a person, by what it was found to be."""
    attempt = PaymentAttempt.get_or_none(PaymentAttempt.id == line.attempt_id)
    order = Order.get_by_id(attempt.order_id) if attempt is not None else None
    programme = order.programme if order is not None else Statement.get_by_id(line.statement_id).programme
    facts: dict[str, str | int | None] = {"finding": line.finding, "amount_fen": line.amount_fen}
    cases.file(
        KIND_OF[Finding(line.finding)],
        f"line:{line.id}",
        facts,
        programme=programme,
        person_id=order.person_id if order is not None else None,
        now=now,
    )
