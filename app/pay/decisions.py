"""What a person decides where the machine may not: money in dispute goes back, a part of what was kept goes back, a
failed refund is sent again."""

from __future__ import annotations

from datetime import datetime
from functools import partial

from app.cases import service as cases
from app.core import audit
from app.core.db import after_commit, locked, transaction
from app.core.errors import NOT_FOUND
from app.core.queue import enqueue_hint
from app.pay import janitor, ledger, queries, refunds, settlement
from app.pay.channels import ONLINE, provider_of
from app.pay.errors import (
    NOT_DISPUTED,
    NOTHING_CAPTURED,
    NOTHING_KEPT,
    PAYMENT_UNKNOWN,
    REFUND_NOT_FAILED,
    REFUND_ON_ITS_WAY,
    SOMETHING_CAPTURED,
    STILL_DISPUTED,
    TRANSFER_WAITS,
)
from app.pay.models import Order, PaymentAttempt, Refund
from app.pay.providers.protocol import PaymentTruth, Unknown
from app.pay.status import AttemptAction, AttemptStatus, RefundAction
from app.pay.transfers import queries as transfer_queries
from app.pay.transfers.words import waits_words


def give_back(attempt_id: str, *, reason: str, actor: str, now: datetime) -> str:
    """Refund the whole of what a disputed attempt captured: the amount that the provider names now, not the one of
    the word that was disputed. Gives the refund's id. Raises `not_found`, `not_disputed`, `nothing_captured`, and
    `payment_unknown` while the provider does not answer."""
    attempt = _disputed(attempt_id)
    truth = _captured(attempt)
    if truth is None:
        raise NOTHING_CAPTURED()
    with transaction():
        moved = ledger.move(
            attempt,
            AttemptAction.GIVE_BACK,
            actor,
            now=now,
            captured_fen=truth.amount_fen,
            transaction_id=truth.transaction_id or None,
            paid_at=min(truth.paid_at or now, now),
        )
        if not moved:  # another person was quicker
            raise NOT_DISPUTED()
        refund_id = settlement.request_refund(attempt, truth.amount_fen, "disputed", now=now)
        cases.decide_about("pay.mismatch", f"attempt:{attempt.id}", f"given back: {reason}", actor=actor, now=now)
        audit.record(
            actor, "payment.given_back", f"attempt:{attempt.id}", now=now, reason=reason, amount_fen=truth.amount_fen
        )
    return refund_id


def refund_part(order_id: str, amount_fen: int, *, reason: str, actor: str, now: datetime) -> str:
    """Give back `amount_fen` of the payment that a paid order keeps: all its refunds together are never more than it
    captured, however many people decide at one moment. What was bought stays as it is. Gives the refund's id. Raises
    `not_found`, `nothing_kept`, `refund_too_much`."""
    order = queries.get_order(order_id)
    kept = PaymentAttempt.get_or_none(PaymentAttempt.id == order.paid_attempt_id)
    if kept is None:
        raise NOTHING_KEPT()
    with transaction():
        refund_id = settlement.request_refund(kept, amount_fen, "agreed", now=now)
        audit.record(actor, "payment.refunded", f"order:{order_id}", now=now, reason=reason, amount_fen=amount_fen)
    return refund_id


def dismiss(attempt_id: str, *, reason: str, actor: str, now: datetime) -> None:
    """End a dispute about money that this merchant does not have; the person may then pay anew. Raises `not_found`,
    `not_disputed`, `something_captured`, and `payment_unknown` while the provider does not answer."""
    attempt = _disputed(attempt_id)
    if _captured(attempt) is not None:
        raise SOMETHING_CAPTURED()
    with transaction():
        later = now + janitor.LATE_QUESTIONS[0]  # it is not closed at the provider: money may come yet
        if not ledger.move(attempt, AttemptAction.DISMISS, actor, now=now, closed_at=now, ask_at=later):
            raise NOT_DISPUTED()
        cases.decide_about("pay.mismatch", f"attempt:{attempt.id}", f"dismissed: {reason}", actor=actor, now=now)
        audit.record(actor, "payment.dismissed", f"attempt:{attempt.id}", now=now, reason=reason)


def require_no_dispute(attempt_id: str) -> None:
    """A word that does not fit may come when the payment is counted, or given back, already: it changed nothing then.
    Raises `not_found`, `still_disputed`."""
    attempt: PaymentAttempt | None = PaymentAttempt.get_or_none(PaymentAttempt.id == attempt_id)
    if attempt is None:
        raise NOT_FOUND()
    if attempt.status == AttemptStatus.DISPUTED:
        raise STILL_DISPUTED()


def ask_again(attempt_id: str, *, reason: str, actor: str, now: datetime) -> None:
    """Ask the provider about an attempt that was unknown for long, and apply what it says. Raises `not_found`,
    `transfer_waits` for a bank transfer (it says until when), and `payment_unknown` while the provider does not
    answer: the case stays open."""
    attempt: PaymentAttempt | None = PaymentAttempt.get_or_none(PaymentAttempt.id == attempt_id)
    if attempt is None:
        raise NOT_FOUND()
    if attempt.channel not in ONLINE:  # there is nobody to ask: what came, the bank's statements say
        last = transfer_queries.waits_until(Order.get_by_id(attempt.order_id))
        raise TRANSFER_WAITS(f"{waits_words(last)}，支付平台查不到。" if last else None)
    try:
        truth = provider_of(attempt).query(attempt.out_trade_no)
    except Unknown as error:
        raise PAYMENT_UNKNOWN() from error
    with transaction():
        answered = f"{reason}：{truth.state}"
        cases.decide_about("pay.unknown_for_long", f"attempt:{attempt.id}", answered, actor=actor, now=now)
        audit.record(actor, "payment.asked_again", f"attempt:{attempt.id}", now=now, answer=truth.state)
        settlement.apply_truth(attempt, truth, now=now)


def _disputed(attempt_id: str) -> PaymentAttempt:
    attempt: PaymentAttempt | None = PaymentAttempt.get_or_none(PaymentAttempt.id == attempt_id)
    if attempt is None:
        raise NOT_FOUND()
    if attempt.status != AttemptStatus.DISPUTED:
        raise NOT_DISPUTED()
    return attempt


def _captured(attempt: PaymentAttempt) -> PaymentTruth | None:
    """What the provider has of this attempt in this merchant's account, or None."""
    try:
        truth = provider_of(attempt).query(attempt.out_trade_no)
    except Unknown as error:
        raise PAYMENT_UNKNOWN() from error
    # another amount is what a dispute is about; money that is not in this merchant's account cannot leave it
    here = settlement.mismatch(attempt, truth) in (None, "amount", "transaction")
    return truth if truth.state == "paid" and here and truth.amount_fen > 0 else None


def retry_refund(refund_id: str, *, reason: str, actor: str, now: datetime) -> None:
    """Send a failed refund again under the number it has: the provider can never pay it twice. Its case stays open
    until the money arrived. Raises `not_found`, `refund_not_failed`."""
    refund = Refund.get_or_none(Refund.id == refund_id)
    if refund is None:
        raise NOT_FOUND()
    with transaction():
        if not ledger.move(refund, RefundAction.RETRY, actor, now=now, try_at=now, tries=0):
            raise REFUND_NOT_FAILED()
        audit.record(actor, "refund.retried", f"refund:{refund.id}", now=now, reason=reason)
    after_commit(partial(enqueue_hint, settlement.SEND_REFUND, refund_id))


def leave_refund(refund_id: str, *, reason: str, actor: str, now: datetime) -> None:
    """The money was given back in another way: this refund is never sent again. Raises `not_found`,
    `refund_on_its_way` where the provider has it or has paid it, or it is just being sent, and `payment_unknown`
    while it does not answer."""
    refund = Refund.get_or_none(Refund.id == refund_id)
    if refund is None:
        raise NOT_FOUND()
    if refunds.being_sent(refund, now=now):  # "absent" says nothing now
        raise REFUND_ON_ITS_WAY("系统刚刚向支付平台提交过这笔退款，请过两分钟再登记，不要先用其他方式退。")
    attempt = PaymentAttempt.get_by_id(refund.attempt_id)
    try:
        state = provider_of(attempt).query_refund(refund.out_refund_no, attempt.out_trade_no)
    except Unknown as error:
        raise PAYMENT_UNKNOWN() from error
    if state in ("processing", "succeeded"):
        raise REFUND_ON_ITS_WAY()
    with transaction():
        row = locked(Refund, refund_id)
        same = row is not None and (row.status, row.tries, row.try_at) == (refund.status, refund.tries, refund.try_at)
        # sent, or sent again, since the provider was asked: its answer is of before
        if not same or not ledger.move(refund, RefundAction.LEAVE, actor, now=now, try_at=None):
            raise REFUND_ON_ITS_WAY()
        refunds.close_cases(refund, f"given back elsewhere: {reason}", actor=actor, now=now)
        audit.record(actor, "refund.left", f"refund:{refund.id}", now=now, reason=reason)
