"""One line of a bill beside our row: what is to be said of the two. Pure."""

from __future__ import annotations

from app.pay.models import PaymentAttempt, Refund
from app.pay.reconciliation.models import BillRow
from app.pay.reconciliation.status import Finding
from app.pay.status import AttemptStatus, RefundStatus

Ours = PaymentAttempt | Refund

# What a person should do about it, and in which place (reconciliation/sentences.py says it in words).
ASK, GIVE_BACK_THERE, RETRY, LOOK = "ask", "give_back_there", "retry", "look"


def judge(line: BillRow, ours: Ours | None) -> Finding:
    """What became of this line. `ours`: the row with its number, of the same merchant."""
    if ours is None:
        return Finding.MISSING_HERE
    return _payment(line, ours) if isinstance(ours, PaymentAttempt) else _refund(line, ours)


def _payment(line: BillRow, ours: PaymentAttempt) -> Finding:
    if ours.captured_fen is None or ours.status == AttemptStatus.CLOSED:
        return Finding.MISSING_HERE
    if ours.captured_fen != line.amount_fen:
        return Finding.AMOUNT
    if ours.status == AttemptStatus.DISPUTED:
        return Finding.STATUS
    # one number of ours, paid by two transactions of theirs
    return Finding.MATCH if ours.transaction_id == line.provider_number else Finding.DUPLICATE


def _refund(line: BillRow, ours: Refund) -> Finding:
    if ours.amount_fen != line.amount_fen:
        return Finding.AMOUNT
    same = {
        "succeeded": (RefundStatus.SUCCEEDED,),
        "processing": (RefundStatus.REQUESTED, RefundStatus.PROCESSING, RefundStatus.SUCCEEDED),
        "failed": (RefundStatus.FAILED, RefundStatus.ELSEWHERE),
    }
    return Finding.MATCH if ours.status in same[line.status] else Finding.STATUS


def suggestion(finding: Finding, ours: Ours | None) -> str:
    """What a person should do about it."""
    if finding == Finding.DUPLICATE or (finding == Finding.MISSING_HERE and ours is None):
        return GIVE_BACK_THERE
    if isinstance(ours, Refund) and ours.status == RefundStatus.FAILED:
        return RETRY
    twice = isinstance(ours, Refund) and ours.status == RefundStatus.ELSEWHERE  # given back here, and there
    return LOOK if finding == Finding.AMOUNT or twice else ASK
