"""Is the money right? The invariants of payments, over the whole database."""

from __future__ import annotations

from collections import defaultdict

from app.core.outbox import OutboxMessage
from app.pay.models import Order, OrderLine, PaymentAttempt, PaymentEvent, Refund
from app.pay.status import (
    OPEN_ATTEMPTS,
    AttemptAction,
    AttemptStatus,
    NotAllowed,
    OrderAction,
    OrderStatus,
    RefundAction,
    next_attempt,
    next_order,
    next_refund,
)

_NEXT = {
    "order": lambda status, action: next_order(status, OrderAction(action)),
    "attempt": lambda status, action: next_attempt(status, AttemptAction(action)),
    "refund": lambda status, action: next_refund(status, RefundAction(action)),
}


def audit_payments() -> list[str]:
    """What is wrong, a sentence each; an empty list: every order is paid if and only if a payment says so, each paid
    order was granted once, captured money is kept or going back, and no status ever went back."""
    attempts: dict[str, list[PaymentAttempt]] = defaultdict(list)
    for attempt in PaymentAttempt.select():
        attempts[attempt.order_id].append(attempt)
    refunded = {refund.attempt_id: refund for refund in Refund.select()}
    wrong: list[str] = []
    for order in Order.select():
        wrong += _audit_order(order, attempts[order.id], refunded)
    return wrong + _audit_grants() + _audit_history()


def _audit_order(order: Order, attempts: list[PaymentAttempt], refunded: dict[str, Refund]) -> list[str]:
    wrong = []
    paid = [attempt for attempt in attempts if attempt.status == AttemptStatus.PAID]
    kept = [attempt for attempt in paid if attempt.id == order.paid_attempt_id]
    if (order.status == OrderStatus.PAID) != (len(kept) == 1):
        wrong.append(f"order {order.id} is {order.status} with {len(kept)} kept payments")
    for attempt in paid:
        refund = refunded.get(attempt.id)
        if attempt.amount_fen != order.amount_fen:
            wrong.append(f"attempt {attempt.id} captured {attempt.amount_fen}, the order says {order.amount_fen}")
        if (attempt.id == order.paid_attempt_id) == (refund is not None):
            wrong.append(f"attempt {attempt.id}: captured money is neither kept nor going back, or both")
        if refund is not None and refund.amount_fen != attempt.amount_fen:
            wrong.append(f"refund {refund.id} is not the whole of its payment")
    lines = list(OrderLine.select().where(OrderLine.order_id == order.id))
    if sum(line.amount_fen for line in lines) != order.amount_fen:
        wrong.append(f"order {order.id}: its lines do not add up")
    if order.status == OrderStatus.CLOSED:
        if any(attempt.status in OPEN_ATTEMPTS for attempt in attempts):
            wrong.append(f"order {order.id} is closed with an open payment")
        if any(line.open_sku is not None for line in lines):
            wrong.append(f"order {order.id} is closed and still holds its things")
    elif any(line.open_sku is None for line in lines):
        wrong.append(f"order {order.id} is {order.status} and has let go of its things")
    return wrong


def _audit_grants() -> list[str]:
    wrong = []
    status = dict(Order.select(Order.id, Order.status).tuples())
    for event, expected in (("order.paid", OrderStatus.PAID), ("order.closed", OrderStatus.CLOSED)):
        seen: dict[tuple[str, str], int] = defaultdict(int)
        for subscriber, key in (
            OutboxMessage.select(OutboxMessage.subscriber, OutboxMessage.key)
            .where(OutboxMessage.event == event)
            .tuples()
        ):
            seen[subscriber, key] += 1
            if status.get(key) != expected:
                wrong.append(f"{event} of order {key}, which is {status.get(key)}")
        wrong += [f"{event} of order {key} {times} times" for (_, key), times in seen.items() if times > 1]
        if seen:
            granted = {key for _, key in seen}
            missing = {order_id for order_id, now in status.items() if now == expected} - granted
            wrong += [f"order {order_id} is {expected} and no {event} was written" for order_id in missing]
    return wrong


def _audit_history() -> list[str]:
    wrong = []
    last: dict[str, str] = {}
    for event in PaymentEvent.select().order_by(PaymentEvent.at, PaymentEvent.id):
        if event.subject_id in last and last[event.subject_id] != event.before:
            wrong.append(f"{event.kind} {event.subject_id}: history jumps from {last[event.subject_id]}")
        last[event.subject_id] = event.after
        try:
            if _NEXT[event.kind](event.before, event.action) != event.after:
                wrong.append(f"{event.kind} {event.subject_id}: {event.before} {event.action} → {event.after}")
        except NotAllowed as refused:
            wrong.append(f"{event.kind} {event.subject_id}: {refused}")
    for model in (Order, PaymentAttempt, Refund):
        for row_id, now in model.select(model.id, model.status).tuples():
            if row_id in last and last[row_id] != now:
                wrong.append(f"{model.__name__} {row_id} is {now}, its history says {last[row_id]}")
    return wrong
