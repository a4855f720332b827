"""The one door for changes of status: compare-and-set, the history row, the outbox row, in one transaction."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from app.core import outbox
from app.core.db import compare_and_set, transaction
from app.pay.models import Order, OrderLine, PaymentAttempt, PaymentEvent, Refund
from app.pay.status import (
    AttemptAction,
    NotAllowed,
    OrderAction,
    OrderStatus,
    RefundAction,
    next_attempt,
    next_order,
    next_refund,
)


def _event(order_id: str, kind: str, row: Any, action: str, after: str, evidence: str, now: datetime) -> None:
    PaymentEvent.create(
        order_id=order_id,
        kind=kind,
        subject_id=row.id,
        action=action,
        before=row.status,
        after=after,
        at=now,
        evidence=evidence[:120],
    )


def move_order(order_id: str, action: OrderAction, evidence: str, *, now: datetime, **values: Any) -> bool:
    """Apply `action` to the order if it follows its status now; True if this caller did it. Closing releases the
    order's things; paying and closing are announced."""
    with transaction():
        order = Order.get_by_id(order_id)
        try:
            after = next_order(order.status, action)
        except NotAllowed:
            return False
        if not compare_and_set(Order, order_id, {"status": order.status}, {"status": after, **values}):
            return False
        _event(order_id, "order", order, action, after, evidence, now)
        if after is OrderStatus.CLOSED:
            OrderLine.update(open_sku=None).where(OrderLine.order_id == order_id).execute()
            outbox.emit("order.closed", order_id, {"order_id": order_id}, now=now)
        elif after is OrderStatus.PAID:
            outbox.emit("order.paid", order_id, {"order_id": order_id}, now=now)
        return True


def move_attempt(attempt_id: str, action: AttemptAction, evidence: str, *, now: datetime, **values: Any) -> bool:
    """Apply `action` to the attempt if it follows its status now; True if this caller did it."""
    with transaction():
        attempt = PaymentAttempt.get_by_id(attempt_id)
        try:
            after = next_attempt(attempt.status, action)
        except NotAllowed:
            return False
        if not compare_and_set(PaymentAttempt, attempt_id, {"status": attempt.status}, {"status": after, **values}):
            return False
        _event(attempt.order_id, "attempt", attempt, action, after, evidence, now)
        return True


def move_refund(refund_id: str, action: RefundAction, evidence: str, *, now: datetime, **values: Any) -> bool:
    """Apply `action` to the refund if it follows its status now; True if this caller did it."""
    with transaction():
        refund = Refund.get_by_id(refund_id)
        try:
            after = next_refund(refund.status, action)
        except NotAllowed:
            return False
        if not compare_and_set(Refund, refund_id, {"status": refund.status}, {"status": after, **values}):
            return False
        _event(refund.order_id, "refund", refund, action, after, evidence, now)
        return True
