"""Money going back: asked for until the provider says that it arrived, always under the same number."""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog

from app.cases import service as cases
from app.core import outbox
from app.core.db import compare_and_set, transaction
from app.core.money import yuan
from app.notify import service as notify
from app.pay import ledger
from app.pay.budget import Budget
from app.pay.channels import ONLINE, provider_of
from app.pay.models import Order, PaymentAttempt, Refund
from app.pay.notify_url import notify_url
from app.pay.providers.protocol import RefundRequest, RefundState, Refused, Unknown
from app.pay.status import OPEN_REFUNDS, RefundAction, RefundStatus

log = structlog.get_logger(__name__)

REASONS = {
    "late": "订单已关闭，款项原路退回",
    "double": "重复支付，款项原路退回",
    "disputed": "支付金额不符，款项原路退回",
    "agreed": "协商退款，款项原路退回",
}
SLOW = "pay.refund_slow"
LONG = {  # since it was asked for: nobody has answered; the provider has it, and its bank had its working days
    RefundStatus.REQUESTED: timedelta(hours=24),
    RefundStatus.PROCESSING: timedelta(days=10),
}
TOLD_AGAIN = timedelta(days=7)  # after a person said that they wait for it
SENDING = timedelta(minutes=1)  # longer than a run of the schedule, and the call that ends it


def pause(tries: int) -> timedelta:
    """Between two questions about a refund: 5 s, doubled up to an hour."""
    return timedelta(seconds=min(5 * 2 ** min(tries, 12), 3600))


def being_sent(refund: Refund, *, now: datetime) -> bool:
    """Whether a worker may be sending this refund at this moment: what is on the line is not called back."""
    again_at: datetime | None = refund.try_at
    if again_at is None or not refund.tries:
        return False
    return abs(now - (again_at - pause(refund.tries - 1))) < SENDING


def settle(refund_id: str, *, now: datetime) -> None:
    """Send or ask about one refund, if it is due. The next time is written first: two workers do not ask at once."""
    refund = Refund.get_or_none(Refund.id == refund_id)
    if refund is None or refund.status not in OPEN_REFUNDS or refund.try_at is None or refund.try_at > now:
        return
    seen = {"status": refund.status, "try_at": refund.try_at}
    if not compare_and_set(Refund, refund_id, seen, {"try_at": now + pause(refund.tries), "tries": refund.tries + 1}):
        return
    try:
        state = _ask(refund)
    except Unknown as error:
        log.warning("refund_unknown", refund_id=refund_id, error=str(error))
        _tell_slow(refund, now)
        return
    except Refused as refusal:
        # for example too little money in the merchant's account: a person fills it, and the next try succeeds
        ledger.file_case("pay.refund_refused", refund, {"code": refusal.code}, now=now)
        log.error("refund_refused", refund_id=refund_id, provider_code=refusal.code)
        return
    apply_state(refund, state, now=now)
    _tell_slow(refund, now)


def is_slow(refund: Refund, *, now: datetime) -> bool:
    """Whether money is on its way back for so long that a person has to look. What finance transfers by hand is a
    case of its own from the beginning."""
    return refund.status in OPEN_REFUNDS and now - refund.created_at > LONG[RefundStatus(refund.status)]


def _tell_slow(refund: Refund, now: datetime) -> None:
    if not is_slow(refund, now=now) or PaymentAttempt.get_by_id(refund.attempt_id).channel not in ONLINE:
        return
    if not cases.told_since(SLOW, f"refund:{refund.id}", now - TOLD_AGAIN):
        ledger.file_case(SLOW, refund, {}, now=now)


def _ask(refund: Refund) -> RefundState:
    attempt = PaymentAttempt.get_by_id(refund.attempt_id)
    provider = provider_of(attempt)
    if refund.status == RefundStatus.PROCESSING:
        state = provider.query_refund(refund.out_refund_no, attempt.out_trade_no)
        if state != "absent":
            return state
        log.warning("refund_absent", refund_id=refund.id)  # taken once, not known now: the number makes it safe
    return provider.refund(
        RefundRequest(
            out_refund_no=refund.out_refund_no,
            out_trade_no=attempt.out_trade_no,
            amount_fen=refund.amount_fen,
            total_fen=attempt.captured_fen,
            reason=REASONS[refund.reason],
            notify_url=notify_url(attempt),
            transaction_id=attempt.transaction_id or "",
        )
    )


def apply_state(refund: Refund, state: RefundState, *, now: datetime) -> None:
    """Apply what the provider says of a refund."""
    if state == "succeeded":
        with transaction():
            if ledger.move(refund, RefundAction.SUCCEED, "provider", now=now, succeeded_at=now, try_at=None):
                outbox.emit("refund.succeeded", refund.id, {"refund_id": refund.id}, now=now)
            close_cases(refund, "the refund arrived", actor="system", now=now)
    elif state == "processing":
        ledger.move(refund, RefundAction.ACCEPT, "provider", now=now)
    elif state == "failed":
        with transaction():
            if ledger.move(refund, RefundAction.FAIL, "provider", now=now, try_at=None):
                ledger.file_case("pay.refund_failed", refund, {}, now=now)
                cases.decide_about(SLOW, f"refund:{refund.id}", "it failed", actor="system", now=now)


def close_cases(refund: Refund, decision: str, *, actor: str, now: datetime) -> None:
    """Nobody need look at this refund any more. In the caller's transaction."""
    for kind in ("pay.refund_failed", "pay.refund_refused", SLOW):
        cases.decide_about(kind, f"refund:{refund.id}", decision, actor=actor, now=now)


def tell(payload: dict[str, str], now: datetime) -> None:
    """Subscriber of `refund.succeeded`: the money is back with the person, and they are told. An organisation sees
    it in its own place."""
    refund = Refund.get_by_id(payload["refund_id"])
    order = Order.get_by_id(refund.order_id)
    if order.person_id is None:
        return
    notify.tell(
        person_id=order.person_id,
        programme=order.programme,
        template="refund_succeeded",
        params=[yuan(refund.amount_fen)],
        key=f"refund:{refund.id}",
        now=now,
    )


def ask_refund(out_refund_no: str, *, now: datetime) -> None:
    """A notification names a refund: ask the provider for the truth. Raises `Unknown`."""
    refund = Refund.get_or_none(Refund.out_refund_no == out_refund_no)
    if refund is None or refund.status not in OPEN_REFUNDS:
        return
    attempt = PaymentAttempt.get_by_id(refund.attempt_id)
    apply_state(refund, provider_of(attempt).query_refund(out_refund_no, attempt.out_trade_no), now=now)


def settle_due(*, now: datetime, limit: int = 200) -> int:
    """Every refund whose time has come; gives how many."""
    due = (
        Refund.select(Refund.id).where(Refund.status.in_(OPEN_REFUNDS), Refund.try_at <= now).order_by(Refund.try_at)
    )
    budget, done = Budget(), 0
    for (refund_id,) in list(due.limit(limit).tuples()):
        if budget.spent():
            break
        settle(refund_id, now=now)
        done += 1
    return done
