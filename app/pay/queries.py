"""Named reads of orders and payments."""

from __future__ import annotations

from collections.abc import Sequence

from app.core.errors import NOT_FOUND
from app.pay.models import Order, OrderLine, PaymentAttempt, Refund
from app.pay.status import OPEN_ATTEMPTS, AttemptStatus


def order_of(person_id: str, order_id: str) -> Order:
    """An order of this person. Raises `not_found` for another's, too."""
    order = Order.get_or_none(Order.id == order_id, Order.person_id == person_id)
    if order is None:
        raise NOT_FOUND()
    return order


def get_order(order_id: str) -> Order:
    """Any order. Raises `not_found`."""
    order = Order.get_or_none(Order.id == order_id)
    if order is None:
        raise NOT_FOUND()
    return order


def orders_of(person_id: str) -> list[Order]:
    """A person's orders, the newest first."""
    return list(Order.select().where(Order.person_id == person_id).order_by(Order.created_at.desc(), Order.id.desc()))


def lines(order_id: str) -> list[OrderLine]:
    """The lines of an order, in the order in which they were made."""
    return list(OrderLine.select().where(OrderLine.order_id == order_id).order_by(OrderLine.id))


def skus(order_id: str) -> list[str]:
    """What an order sells."""
    return [line.sku for line in lines(order_id)]


def attempts(order_id: str) -> list[PaymentAttempt]:
    """Every attempt to pay an order."""
    return list(PaymentAttempt.select().where(PaymentAttempt.order_id == order_id).order_by(PaymentAttempt.id))


def open_attempts(order_id: str) -> list[PaymentAttempt]:
    """The attempts of an order that may still bring money."""
    return [attempt for attempt in attempts(order_id) if attempt.status in OPEN_ATTEMPTS]


def in_dispute(skus: Sequence[str]) -> bool:
    """Whether money was captured for one of these things and a person has not decided about it yet: nobody may be
    asked to pay for it again meanwhile."""
    orders = OrderLine.select(OrderLine.order_id).where(OrderLine.sku.in_(list(skus)))
    disputed = (PaymentAttempt.order_id.in_(orders)) & (PaymentAttempt.status == AttemptStatus.DISPUTED)
    return bool(PaymentAttempt.select(PaymentAttempt.id).where(disputed).exists())


def refunds(order_id: str) -> list[Refund]:
    """The refunds of an order."""
    return list(Refund.select().where(Refund.order_id == order_id).order_by(Refund.id))


def given_back(order_ids: Sequence[str] | None = None) -> set[str]:
    """Which orders (of these, or of all) let the payment go that they had kept: a refund of it was asked for."""
    query = Refund.select(Refund.order_id).join(Order, on=(Order.paid_attempt_id == Refund.attempt_id))
    if order_ids is not None:
        query = query.where(Refund.order_id.in_(list(order_ids)))
    return {order_id for (order_id,) in query.tuples()}
