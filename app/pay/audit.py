"""Is the money right? The invariants of payments, over the whole database."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import datetime, timedelta

from app.cases import service as cases
from app.core import outbox
from app.core.clock import utcnow
from app.core.outbox import OutboxMessage
from app.pay.channels import CHANNELS
from app.pay.ledger import TABLES
from app.pay.models import Order, OrderLine, PaymentAttempt, PaymentEvent, Refund
from app.pay.status import OPEN_ATTEMPTS, AttemptStatus, NotAllowed, OrderStatus, RefundAction, RefundStatus

_FIRST = {
    "order": OrderStatus.PENDING.value,
    "attempt": AttemptStatus.CREATED.value,
    "refund": RefundStatus.REQUESTED.value,
}


GRANTED_WITHIN = timedelta(minutes=10)


def audit_payments(now: datetime | None = None) -> list[str]:
    """What is wrong at `now` (default: this moment), a sentence each; an empty list: every order is paid if and only
    if a payment says so, each paid order was granted once and within ten minutes, captured money is kept, going back
    or before a person, and no status ever went back without a person's decision."""
    attempts: dict[str, list[PaymentAttempt]] = defaultdict(list)
    for attempt in PaymentAttempt.select():
        attempts[attempt.order_id].append(attempt)
    lines: dict[str, list[OrderLine]] = defaultdict(list)
    for line in OrderLine.select():
        lines[line.order_id].append(line)
    refunded = {refund.attempt_id: refund for refund in Refund.select()}
    wrong: list[str] = []
    for order in Order.select():
        wrong += _audit_money(order, attempts[order.id], refunded)
        wrong += _audit_lines(order, lines[order.id])
    wrong += _audit_attempts(attempts, refunded) + _audit_open_questions(attempts, refunded)
    return wrong + _audit_grants(now or utcnow()) + _audit_history()


def _audit_money(order: Order, attempts: list[PaymentAttempt], refunded: dict[str, Refund]) -> list[str]:
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
        if attempt.captured_fen != attempt.amount_fen:
            wrong.append(f"attempt {attempt.id} took {attempt.captured_fen}, {attempt.amount_fen} was asked for")
    for attempt in attempts:
        refund = refunded.get(attempt.id)
        if refund is not None and refund.amount_fen != attempt.captured_fen:
            wrong.append(f"refund {refund.id} is not the whole of its payment")
        if attempt.status == AttemptStatus.RETURNED and refund is None:
            wrong.append(f"attempt {attempt.id} was to be given back and is not")
    if order.status == OrderStatus.CLOSED and any(attempt.status in OPEN_ATTEMPTS for attempt in attempts):
        wrong.append(f"order {order.id} is closed with an open payment")
    return wrong


def _audit_lines(order: Order, lines: list[OrderLine]) -> list[str]:
    wrong = []
    if sum(line.amount_fen for line in lines) != order.amount_fen:
        wrong.append(f"order {order.id}: its lines do not add up")
    held = {line.open_sku == line.sku for line in lines}
    if order.status == OrderStatus.CLOSED:
        if True in held:
            wrong.append(f"order {order.id} is closed and still holds its things")
    elif False in held:
        wrong.append(f"order {order.id} is {order.status} and has let go of its things")
    return wrong


def _audit_attempts(attempts: dict[str, list[PaymentAttempt]], refunded: dict[str, Refund]) -> list[str]:
    wrong = []
    flat = [attempt for some in attempts.values() for attempt in some]
    paid = {attempt.id: attempt for attempt in flat if attempt.status == AttemptStatus.PAID}
    numbers = Counter((attempt.authority, attempt.transaction_id) for attempt in paid.values())
    wrong += [
        f"transaction {number} of {merchant} paid {n} times" for (merchant, number), n in numbers.items() if n > 1
    ]
    ways = Counter(
        (attempt.order_id, attempt.channel) for attempt in flat if CHANNELS[attempt.channel].way != "jsapi"
    )
    wrong += [f"order {order_id} has {n} payments by {channel}" for (order_id, channel), n in ways.items() if n > 1]
    wrong += [f"attempt {row.id} is paid without a transaction" for row in paid.values() if not row.transaction_id]
    captured = paid.keys() | {attempt.id for attempt in flat if attempt.status == AttemptStatus.RETURNED}
    wrong += [f"refund of attempt {attempt_id}, which is not paid" for attempt_id in refunded.keys() - captured]
    return wrong


def _audit_open_questions(attempts: dict[str, list[PaymentAttempt]], refunded: dict[str, Refund]) -> list[str]:
    """Money that only a person can take further is before a person: a case about it is open."""
    wrong = []
    open_ = {case.subject for kind in ("pay.mismatch", "pay.refund_failed") for case in cases.open_cases(kind)}
    for attempt in [attempt for some in attempts.values() for attempt in some]:
        if attempt.status == AttemptStatus.DISPUTED and f"attempt:{attempt.id}" not in open_:
            wrong.append(f"attempt {attempt.id} is disputed and no case about it is open")
    for refund in refunded.values():
        if refund.status == RefundStatus.FAILED and f"refund:{refund.id}" not in open_:
            wrong.append(f"refund {refund.id} failed and no case about it is open")
    return wrong


def _audit_grants(now: datetime) -> list[str]:
    wrong = []
    status = dict(Order.select(Order.id, Order.status).tuples())
    for event, expected in (("order.paid", OrderStatus.PAID), ("order.closed", OrderStatus.CLOSED)):
        rows = OutboxMessage.select(OutboxMessage.subscriber, OutboxMessage.key).where(OutboxMessage.event == event)
        seen = Counter(rows.tuples())
        for (_, order_id), times in seen.items():
            if status.get(order_id) != expected:
                wrong.append(f"{event} of order {order_id}, which is {status.get(order_id)}")
            if times > 1:
                wrong.append(f"{event} of order {order_id} {times} times")
        granted = {order_id for _, order_id in seen}
        missing = {order_id for order_id, now in status.items() if now == expected} - granted
        if outbox.subscribers(event):
            wrong += [f"order {order_id} is {expected} and no {event} was written" for order_id in missing]
    late = outbox.undelivered("order.paid", before=now - GRANTED_WITHIN)
    return wrong + [f"order {order_id} is paid and not granted" for order_id in late]


def _audit_history() -> list[str]:
    """Each row's history is one path through the table, from its first status to the one it has now. By status, not
    by time: two steps may carry one moment, and only a person's retry leads back."""
    paths: dict[str, list[PaymentEvent]] = defaultdict(list)
    for event in PaymentEvent.select():
        paths[event.subject_id].append(event)
    wrong = []
    for model, (kind, next_status) in TABLES.items():
        for row_id, now in model.select(model.id, model.status).tuples():
            steps, status = list(paths[row_id]), _FIRST[kind]
            retries = sum(step.action == RefundAction.RETRY for step in steps)
            if any(times > 1 + retries for times in Counter(step.before for step in steps).values()):
                wrong.append(f"{kind} {row_id} left a status twice")
            for step in steps:
                try:
                    if next_status(step.before, step.action) != step.after:
                        wrong.append(f"{kind} {row_id}: {step.before} {step.action} → {step.after}")
                except NotAllowed as refused:
                    wrong.append(f"{kind} {row_id}: {refused}")
            balance, reached = Counter({status: 1}), {status}
            for step in steps:
                balance.update({step.before: -1, step.after: 1})
            for _ in steps:  # one more step of the way each time, in whatever sequence the rows come
                reached |= {step.after for step in steps if step.before in reached}
            last = [name for name, count in balance.items() if count]
            if last != [now] or not {step.before for step in steps} <= reached:
                wrong.append(f"{kind} {row_id} is {now}, its history leads to {last}")
    return wrong
