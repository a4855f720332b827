"""Is the money right? The invariants of payments, over the whole database."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import datetime, timedelta
from typing import cast

from app.cases import service as cases
from app.core import outbox
from app.core.clock import utcnow
from app.core.outbox import OutboxMessage
from app.pay import refunds as slow
from app.pay.channels import CHANNELS, ONLINE
from app.pay.ledger import TABLES, Row
from app.pay.models import Order, OrderLine, PaymentAttempt, PaymentEvent, Refund
from app.pay.reconciliation.audit import audit_reconciliation
from app.pay.status import (
    CAPTURED,
    OPEN_ATTEMPTS,
    OPEN_REFUNDS,
    AttemptStatus,
    NotAllowed,
    OrderStatus,
    RefundAction,
    RefundStatus,
)
from app.pay.transfers.audit import audit_transfers

_FIRST = {
    "order": OrderStatus.PENDING.value,
    "attempt": AttemptStatus.CREATED.value,
    "refund": RefundStatus.REQUESTED.value,
}


GRANTED_WITHIN = timedelta(minutes=10)
OVERDUE = timedelta(hours=1)  # while cron was away everything waits; an hour later a person should know

Refunds = defaultdict[str, list[Refund]]


def audit_payments(now: datetime | None = None) -> list[str]:
    """What is wrong at `now` (default: this moment), a sentence each; an empty list: every order is paid if and only
    if a payment says so, each paid order was granted once and within ten minutes, what was captured is kept, going
    back or before a person, no status ever went back without a person's decision, and nothing waits for nobody."""
    attempts: dict[str, list[PaymentAttempt]] = defaultdict(list)
    for attempt in PaymentAttempt.select():
        attempts[attempt.order_id].append(attempt)
    lines: dict[str, list[OrderLine]] = defaultdict(list)
    for line in OrderLine.select():
        lines[line.order_id].append(line)
    refunds: Refunds = defaultdict(list)
    for refund in Refund.select():
        refunds[refund.attempt_id].append(refund)
    wrong: list[str] = []
    for order in Order.select():
        wrong += _audit_money(order, attempts[order.id], refunds)
        wrong += _audit_lines(order, lines[order.id])
    flat = [attempt for some in attempts.values() for attempt in some]
    wrong += _audit_attempts(flat, refunds) + _audit_open_questions(flat, refunds)
    now = now or utcnow()
    wrong += _audit_grants(now) + _audit_history() + audit_limbo(now)
    return wrong + audit_reconciliation(now) + audit_transfers(now)


def _audit_money(order: Order, attempts: list[PaymentAttempt], refunds: Refunds) -> list[str]:
    """captured = kept + refunded: of the payment that the order keeps a part may go back, of any other all of it."""
    wrong = []
    paid = [attempt for attempt in attempts if attempt.status == AttemptStatus.PAID]
    kept = [attempt for attempt in paid if attempt.id == order.paid_attempt_id]
    if (order.status == OrderStatus.PAID) != (len(kept) == 1):
        wrong.append(f"order {order.id} is {order.status} with {len(kept)} kept payments")
    for attempt in paid:
        if attempt.amount_fen != order.amount_fen:
            wrong.append(f"attempt {attempt.id} captured {attempt.amount_fen}, the order says {order.amount_fen}")
        if attempt.captured_fen != attempt.amount_fen:
            wrong.append(f"attempt {attempt.id} took {attempt.captured_fen}, {attempt.amount_fen} was asked for")
    for attempt in attempts:
        back = sum(refund.amount_fen for refund in refunds[attempt.id])
        captured = attempt.captured_fen if attempt.status in CAPTURED else 0
        if back != (attempt.refunded_fen or 0):
            wrong.append(f"attempt {attempt.id} says {attempt.refunded_fen} goes back, its refunds say {back}")
        if back > (captured or 0):
            wrong.append(f"attempt {attempt.id}: {back} of {captured} goes back")
        if attempt.status in CAPTURED and attempt.id != order.paid_attempt_id and back != captured:
            wrong.append(f"attempt {attempt.id}: {back} of {captured}, which the order does not keep, goes back")
    if order.status == OrderStatus.CLOSED and any(attempt.status in OPEN_ATTEMPTS for attempt in attempts):
        wrong.append(f"order {order.id} is closed with an open payment")
    return wrong


def _audit_lines(order: Order, lines: list[OrderLine]) -> list[str]:
    wrong = []
    if (order.person_id is None) == (order.organisation_id is None):
        wrong.append(f"order {order.id} is paid by nobody, or by two")
    if sum(line.amount_fen for line in lines) != order.amount_fen:
        wrong.append(f"order {order.id}: its lines do not add up")
    held = {line.open_sku == line.sku for line in lines}
    if order.status == OrderStatus.CLOSED:
        if True in held:
            wrong.append(f"order {order.id} is closed and still holds its things")
    elif False in held:
        wrong.append(f"order {order.id} is {order.status} and has let go of its things")
    return wrong


def _audit_attempts(attempts: list[PaymentAttempt], refunds: Refunds) -> list[str]:
    wrong = []
    paid = {attempt.id: attempt for attempt in attempts if attempt.status == AttemptStatus.PAID}
    numbers = Counter((attempt.authority, attempt.transaction_id) for attempt in paid.values())
    wrong += [
        f"transaction {number} of {merchant} paid {n} times" for (merchant, number), n in numbers.items() if n > 1
    ]
    ways = Counter(
        (attempt.order_id, attempt.channel) for attempt in attempts if CHANNELS[attempt.channel].way != "jsapi"
    )
    wrong += [f"order {order_id} has {n} payments by {channel}" for (order_id, channel), n in ways.items() if n > 1]
    wrong += [f"attempt {row.id} is paid without a transaction" for row in paid.values() if not row.transaction_id]
    known = {attempt.id for attempt in attempts}
    return wrong + [f"refund of attempt {attempt_id}, which is not there" for attempt_id in refunds.keys() - known]


def _audit_open_questions(attempts: list[PaymentAttempt], refunds: Refunds) -> list[str]:
    """Money that only a person can take further is before a person: a case about it is open."""
    wrong = []
    open_ = {case.subject for kind in ("pay.mismatch", "pay.refund_failed") for case in cases.open_cases(kind)}
    for attempt in attempts:
        if attempt.status == AttemptStatus.DISPUTED and f"attempt:{attempt.id}" not in open_:
            wrong.append(f"attempt {attempt.id} is disputed and no case about it is open")
    for refund in [refund for some in refunds.values() for refund in some]:
        if refund.status == RefundStatus.FAILED and f"refund:{refund.id}" not in open_:
            wrong.append(f"refund {refund.id} failed and no case about it is open")
    return wrong + _audit_slow(attempts, refunds)


def _audit_slow(attempts: list[PaymentAttempt], refunds: Refunds) -> list[str]:
    """A refund that was asked about for too long, by its own next time, was put before a person."""
    online = [refund for attempt in attempts if attempt.channel in ONLINE for refund in refunds[attempt.id]]
    return [
        f"refund {refund.id} is {refund.status} for too long and nobody was asked"
        for refund in online
        if (again_at := cast("datetime | None", refund.try_at)) and slow.is_slow(refund, now=again_at - OVERDUE)
        if not any(cases.latest(kind, f"refund:{refund.id}") for kind in (slow.SLOW, "pay.refund_refused"))
    ]


def audit_limbo(now: datetime) -> list[str]:
    """What waits for something that nothing will do any more, or should have been done an hour ago: each row that is
    not at its end has its next time, and the schedule keeps it."""
    waiting: tuple[tuple[str, type[Row], tuple[str, ...], str], ...] = (
        ("order", Order, (OrderStatus.PENDING,), "expires_at"),
        ("order", Order, (OrderStatus.CLOSING,), "close_at"),
        ("attempt", PaymentAttempt, OPEN_ATTEMPTS, "ask_at"),
        ("refund", Refund, OPEN_REFUNDS, "try_at"),
    )
    wrong = []
    for kind, model, statuses, name in waiting:
        moment = getattr(model, name)
        stuck = model.status.in_(statuses) & (moment.is_null() | (moment < now - OVERDUE))
        for row_id, status in model.select(model.id, model.status).where(stuck).tuples():
            wrong.append(f"{kind} {row_id} is {status} and nothing moves it")
    late = (PaymentAttempt.status == AttemptStatus.CLOSED) & (PaymentAttempt.ask_at < now - OVERDUE)
    for (row_id,) in PaymentAttempt.select(PaymentAttempt.id).where(late).tuples():
        wrong.append(f"attempt {row_id} is closed and nobody asks whether it was paid late")
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
