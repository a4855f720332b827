"""What a provider says about a payment, applied: credited once, or given back. Asked by notifications, by "I have
paid", by the closing of an order and by the janitor: late, twice, out of order or lost, the end is the same."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import datetime, timedelta
from functools import partial

import peewee
import structlog

from app.cases import service as cases
from app.core.db import after_commit, locked, transaction
from app.core.ids import new_id
from app.core.queue import enqueue_hint
from app.pay import ledger
from app.pay.channels import provider_of
from app.pay.errors import REFUND_TOO_MUCH
from app.pay.models import Order, PaymentAttempt, Refund
from app.pay.providers.protocol import PaymentTruth, Unknown
from app.pay.status import CAPTURED, AttemptAction, AttemptStatus, OrderAction, OrderStatus, RefundStatus

log = structlog.get_logger(__name__)

TOGETHER = 4.0  # seconds that a person waits for all providers: our own answer must be out within 5
ANSWERED = timedelta(hours=20)  # a case about silence is filed after a day
BETWEEN_PARTS = timedelta(seconds=61)  # WeChat takes one refund of a payment a minute
SEND_REFUND = "jobs.entries.send_refund"


def ask(attempt: PaymentAttempt, *, now: datetime) -> PaymentTruth:
    """Ask the provider about an attempt and apply its answer. Raises `Unknown` when there is none."""
    truth = provider_of(attempt).query(attempt.out_trade_no)
    apply_truth(attempt, truth, now=now)
    return truth


def ask_all(attempts: Sequence[PaymentAttempt], *, now: datetime) -> bool:
    """Ask about several attempts at one time, and wait for all of them together: one that hangs takes no time from
    the others. What is answered in time is applied; True if something was not."""
    if not attempts:
        return False
    pool = ThreadPoolExecutor(len(attempts), thread_name_prefix="ask")
    asked = {pool.submit(provider_of(attempt).query, attempt.out_trade_no): attempt for attempt in attempts}
    answered, silent = wait(asked, timeout=TOGETHER)
    pool.shutdown(wait=False, cancel_futures=True)
    doubt = bool(silent)
    for question in answered:
        attempt = asked[question]
        try:
            apply_truth(attempt, question.result(), now=now)
        except Unknown as error:
            log.warning("payment_unknown", attempt_id=attempt.id, error=str(error))
            doubt = True
    return doubt


def mismatch(attempt: PaymentAttempt, truth: PaymentTruth) -> str | None:
    """What of a payment is not what we asked for (fault P4), or None."""
    if not truth.ours:
        return "merchant"
    if truth.out_trade_no != attempt.out_trade_no:
        return "number"
    if truth.currency != "CNY":
        return "currency"
    if truth.amount_fen != attempt.amount_fen:
        return "amount"
    return None if truth.transaction_id else "transaction"


def apply_truth(attempt: PaymentAttempt, truth: PaymentTruth, *, now: datetime) -> None:
    """Credit what is paid, once; give back what the order does not take; leave to a person what does not fit. What
    is not paid changes nothing here: closing is the business of whoever closes the order. A person who was to look
    why nothing was known of it need not any more."""
    _known(attempt, truth.state, now)
    if truth.state != "paid":
        return
    wrong = mismatch(attempt, truth)
    if wrong is not None:
        dispute(attempt, truth, wrong, now=now)
    else:
        credit(attempt, truth, now=now)


def _known(attempt: PaymentAttempt, state: str, now: datetime) -> None:
    """The provider has answered: nobody need look any more why it does not."""
    if attempt.created_at < now - ANSWERED:
        about = f"attempt:{attempt.id}"
        cases.decide_about("pay.unknown_for_long", about, f"it is known: {state}", actor="system", now=now)


def dispute(attempt: PaymentAttempt, truth: PaymentTruth, wrong: str, *, now: datetime) -> None:
    """A signed statement that does not fit what we asked for: nothing is granted by it, and a person decides."""
    facts = {
        "wrong": wrong,
        "asked_fen": attempt.amount_fen,
        "paid_fen": truth.amount_fen,
        "transaction": truth.transaction_id,
    }
    captured = truth.amount_fen if truth.amount_fen > 0 else None
    with transaction():
        _known(attempt, "paid", now)
        ledger.move(attempt, AttemptAction.DISPUTE, f"mismatch:{wrong}", now=now, ask_at=None, captured_fen=captured)
        row = locked(PaymentAttempt, attempt.id)  # a person may be deciding about it at this moment
        if row is not None and row.status != AttemptStatus.RETURNED:  # that is decided already
            ledger.file_case("pay.mismatch", attempt, facts, now=now)


def credit(attempt: PaymentAttempt, truth: PaymentTruth, *, now: datetime) -> None:
    """One transaction: the attempt is paid; the order takes the money if it still waits for it, or it goes back."""
    evidence = f"transaction:{truth.transaction_id}"
    paid_at = min(truth.paid_at or now, now)
    with transaction():
        paid = ledger.move(
            attempt,
            AttemptAction.PAY,
            evidence,
            now=now,
            transaction_id=truth.transaction_id,
            captured_fen=truth.amount_fen,
            paid_at=paid_at,
            ask_at=None,
        )
        if not paid:
            return
        order = Order.get_by_id(attempt.order_id)
        if not ledger.move(order, OrderAction.PAY, evidence, now=now, paid_at=paid_at, paid_attempt_id=attempt.id):
            reason = "late" if order.status == OrderStatus.CLOSED else "double"
            request_refund(attempt, truth.amount_fen, reason, now=now)


def request_refund(attempt: PaymentAttempt, amount_fen: int, reason: str, *, now: datetime) -> str:
    """`amount_fen` of what an attempt captured goes back; one row, one number, however often it is sent (fault P11).
    Joins the caller's transaction; gives the refund's id. Raises `refund_too_much`."""
    refund_id = new_id()
    if amount_fen <= 0 or not _hold(attempt, amount_fen):
        raise REFUND_TOO_MUCH()
    Refund.create(
        id=refund_id,
        order_id=attempt.order_id,
        attempt_id=attempt.id,
        out_refund_no=f"R{refund_id.upper()}",
        amount_fen=amount_fen,
        reason=reason,
        status=RefundStatus.REQUESTED,
        try_at=_after_the_others(attempt.id, now),
        created_at=now,
    )
    log.info("refund_requested", order_id=attempt.order_id, reason=reason)
    # the row is the truth; this only spares the wait for the next sweep
    after_commit(partial(enqueue_hint, SEND_REFUND, refund_id))
    return refund_id


def _hold(attempt: PaymentAttempt, amount_fen: int) -> bool:
    """Count `amount_fen` more as going back, if so much of what was captured is left; in one statement, so that of
    several at one moment each finds what the others have left."""
    together = peewee.fn.COALESCE(PaymentAttempt.refunded_fen, 0) + amount_fen
    enough = PaymentAttempt.status.in_(CAPTURED) & (together <= PaymentAttempt.captured_fen)
    update = PaymentAttempt.update(refunded_fen=together).where(PaymentAttempt.id == attempt.id, enough)
    return bool(update.execute())


def _after_the_others(attempt_id: str, now: datetime) -> datetime:
    """When a further refund of this attempt may be sent."""
    others = Refund.select(Refund.created_at, Refund.try_at).where(Refund.attempt_id == attempt_id).tuples()
    return max([now, *((try_at or created_at) + BETWEEN_PARTS for created_at, try_at in others)])
