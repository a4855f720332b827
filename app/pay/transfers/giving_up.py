"""Whoever chose a transfer and has not sent it may pay otherwise: the order closes, and a new one has every way."""

from __future__ import annotations

from datetime import datetime

from app.core import audit
from app.core.db import transaction
from app.pay import janitor, ledger
from app.pay import queries as orders
from app.pay.errors import NO_TRANSFER, ORDER_OVER, ORDER_PAID, TRANSFER_CAME
from app.pay.models import Order
from app.pay.status import AttemptAction, AttemptStatus, OrderAction, OrderStatus
from app.pay.transfers import matching, queries


def give_up(person_id: str, order_id: str, *, now: datetime) -> Order:
    """End a person's order that waits for a transfer of which nothing came; again gives the same order. Money that
    comes all the same goes back as that of every closed order does. Raises `not_found`, `no_transfer`, `order_paid`,
    `order_over`, `transfer_came`."""
    order = orders.order_of(person_id, order_id)
    attempt = next((row for row in orders.attempts(order.id) if row.channel == queries.CHANNEL), None)
    if attempt is None:
        raise NO_TRANSFER()
    with transaction():
        attempt = matching.hold(attempt.id)  # a line that is looked at now is placed first, or finds the order closed
        order = orders.get_order(order.id)
        if attempt.status == AttemptStatus.CLOSED:
            return order
        if order.status == OrderStatus.PAID:
            raise ORDER_PAID()
        if order.status != OrderStatus.PENDING or order.expires_at <= now:
            raise ORDER_OVER()
        if queries.came(attempt.id):
            raise TRANSFER_CAME()
        if not ledger.move(order, OrderAction.START_CLOSING, "given_up", now=now, close_at=now):
            raise ORDER_OVER()  # another channel's money was quicker
        later = now + janitor.LATE_QUESTIONS[0]
        ledger.move(attempt, AttemptAction.CLOSE, "given_up", now=now, closed_at=now, ask_at=later)
        audit.record(f"person:{person_id}", "transfer.given_up", f"attempt:{attempt.id}", now=now)
        if not orders.open_attempts(order.id):  # a code that is still open is the schedule's: its provider is asked
            ledger.move(order, OrderAction.CLOSE, "given_up", now=now, closed_at=now, close_at=None)
    return orders.get_order(order.id)
