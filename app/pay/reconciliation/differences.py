"""Differences: each is filed once, with its evidence, as a case; it settles by itself when it matches, or a person
explains it."""

from __future__ import annotations

from datetime import datetime

import peewee

from app.cases import service as cases
from app.core import audit
from app.core.db import compare_and_set, insert_once, transaction
from app.core.staff import EVERYWHERE
from app.pay.models import Order, PaymentAttempt, Refund
from app.pay.reconciliation.judge import Ours, suggestion
from app.pay.reconciliation.models import Bill, BillRow, Difference
from app.pay.reconciliation.status import DifferenceStatus, Finding

CASE = "pay.difference"


def subject_of(ours: Ours) -> str:
    """The name of our row."""
    return f"{'attempt' if isinstance(ours, PaymentAttempt) else 'refund'}:{ours.id}"


def file(
    bill: Bill, finding: Finding, line: BillRow | None, ours: Ours | None, said: str | None, *, now: datetime
) -> None:
    """Write a difference down, and file a case about it; one that is known gets what was found this time. Inside a
    transaction."""
    subject = subject_of(ours) if ours is not None else None
    key = f"{bill.id}|{line.id if line is not None else subject}"
    found = {
        "finding": finding,
        "subject": subject,
        "their_fen": line.amount_fen if line is not None else None,
        "our_fen": _our_fen(finding, ours),
        "our_status": ours.status if ours is not None else None,
        "said": said,
        "suggestion": suggestion(finding, ours),
    }
    known = Difference.get_or_none(Difference.key == key)
    if known is not None:
        compare_and_set(Difference, known.id, {"status": DifferenceStatus.OPEN}, found)
        return
    fresh = insert_once(
        Difference,
        bill_id=bill.id,
        line_id=line.id if line is not None else None,
        key=key,
        kind=_kind(line, ours),
        number=_number(line, ours),
        status=DifferenceStatus.OPEN,
        found_at=now,
        **found,
    )
    row = Difference.get(Difference.key == key)
    if not fresh:  # the schedule and a person have found it at one moment
        compare_and_set(Difference, row.id, {"status": DifferenceStatus.OPEN}, found)
        return
    facts = {"day": bill.day, "merchant": bill.merchant, "number": row.number, "kind": row.kind}
    facts |= {
        name: found[name] for name in ("finding", "subject", "their_fen", "our_fen", "our_status", "suggestion")
    }
    order = Order.get_by_id(ours.order_id) if ours is not None else None
    programme = order.programme if order is not None else EVERYWHERE  # money that we do not know is of no programme
    cases.file(CASE, f"difference:{row.id}", facts, programme=programme, now=now)


def _our_fen(finding: Finding, ours: Ours | None) -> int | None:
    """What our books count for it: a second line, or money that we do not have, counts nothing."""
    if ours is None or finding in (Finding.DUPLICATE, Finding.MISSING_HERE):
        return None
    amount: int | None = ours.captured_fen if isinstance(ours, PaymentAttempt) else ours.amount_fen
    return amount


def _kind(line: BillRow | None, ours: Ours | None) -> str:
    return str(line.kind) if line is not None else "payment" if isinstance(ours, PaymentAttempt) else "refund"


def _number(line: BillRow | None, ours: Ours | None) -> str:
    if line is not None:
        return str(line.number)
    return str(ours.out_refund_no if isinstance(ours, Refund) else ours.out_trade_no) if ours is not None else ""


def settle(row: Difference, *, now: datetime) -> None:
    """It matches by now."""
    values = {"status": DifferenceStatus.SETTLED, "decided_at": now, "decided_by": "system"}
    with transaction():
        if compare_and_set(Difference, row.id, {"status": DifferenceStatus.OPEN}, values):
            cases.decide_about(CASE, f"difference:{row.id}", "it matches by now", actor="system", now=now)


def explain(row: Difference, *, reason: str, actor: str, now: datetime) -> bool:
    """A person says why it will not match, and what was done about it; False if it is not open any more."""
    values = {"status": DifferenceStatus.EXPLAINED, "decided_at": now, "decided_by": actor, "reason": reason}
    with transaction():
        if not compare_and_set(Difference, row.id, {"status": DifferenceStatus.OPEN}, values):
            return False
        cases.decide_about(CASE, f"difference:{row.id}", f"explained: {reason}", actor=actor, now=now)
        audit.record(actor, "difference.explained", f"difference:{row.id}", now=now, reason=reason, number=row.number)
    return True


def without_line(bill: Bill) -> list[Difference]:
    """The open ones that are about rows of ours which no bill has."""
    mine = (Difference.bill_id == bill.id) & Difference.line_id.is_null()
    return list(Difference.select().where(mine, Difference.status == DifferenceStatus.OPEN))


def explained(bill: Bill) -> set[str]:
    """The rows of ours about which a person has explained something."""
    mine = (Difference.bill_id == bill.id) & (Difference.status == DifferenceStatus.EXPLAINED)
    return {subject for (subject,) in Difference.select(Difference.subject).where(mine).tuples() if subject}


def count(bill: Bill) -> dict[str, int]:
    """How many differences of this bill are in each status."""
    rows = Difference.select(Difference.status, peewee.fn.COUNT(Difference.id)).where(Difference.bill_id == bill.id)
    return dict(rows.group_by(Difference.status).tuples())


def shift(bill: Bill, kind: str) -> int:
    """By how many fen our books differ from the bill, in payments or in refunds."""
    lasting = (Difference.bill_id == bill.id) & (Difference.status != DifferenceStatus.SETTLED)
    rows = Difference.select(Difference.our_fen, Difference.their_fen).where(lasting, Difference.kind == kind)
    return sum((ours or 0) - (theirs or 0) for ours, theirs in rows.tuples())
