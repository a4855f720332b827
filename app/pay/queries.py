"""Named reads of orders and payments."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

import peewee

from app.core.errors import NOT_FOUND
from app.pay.models import Order, OrderLine, PaymentAttempt, Refund
from app.pay.status import CAPTURED, OPEN_ATTEMPTS, AttemptStatus

CHANNEL_TITLES = {
    "wechat_native": "微信扫码",
    "wechat_jsapi": "微信内支付",
    "alipay_qr": "支付宝扫码",
    "alipay_wap": "支付宝手机网页",
    "unionpay_b2c": "银联网上支付",
    "bank_transfer": "对公转账",
}


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


def going_back() -> peewee.ModelSelect:
    """A query of the orders that `given_back` names, for joins: `order_id`, `kept_fen` (of the payment that it keeps,
    what does not go back) and `last_at`, when money was sent back last."""
    kept = peewee.fn.COALESCE(PaymentAttempt.captured_fen, 0) - peewee.fn.SUM(Refund.amount_fen)
    query = Refund.select(
        Refund.order_id, kept.alias("kept_fen"), peewee.fn.MAX(Refund.created_at).alias("last_at")
    ).join(Order, on=(Order.paid_attempt_id == Refund.attempt_id))
    query = query.join(PaymentAttempt, on=(PaymentAttempt.id == Refund.attempt_id))
    return query.group_by(Refund.order_id, PaymentAttempt.captured_fen)


def kept_of(order_ids: Sequence[str]) -> dict[str, int]:
    """Of each of these orders, how many fen of the payment that it keeps do not go back; an unpaid one is left
    out."""
    kept = PaymentAttempt.select(Order.id, PaymentAttempt.captured_fen)
    kept = kept.join(Order, on=(Order.paid_attempt_id == PaymentAttempt.id)).where(Order.id.in_(list(order_ids)))
    back = Refund.select(Refund.order_id, peewee.fn.SUM(Refund.amount_fen)).join(
        Order, on=(Order.paid_attempt_id == Refund.attempt_id)
    )
    gone = dict(back.where(Refund.order_id.in_(list(order_ids))).group_by(Refund.order_id).tuples())
    return {order_id: int(captured or 0) - int(gone.get(order_id) or 0) for order_id, captured in kept.tuples()}


def kept_fen(order_id: str) -> int:
    """How many fen of the payment that an order keeps do not go back."""
    kept = PaymentAttempt.get_or_none(PaymentAttempt.id == get_order(order_id).paid_attempt_id)
    if kept is None:
        return 0
    back = Refund.select(peewee.fn.SUM(Refund.amount_fen)).where(Refund.attempt_id == kept.id).scalar()
    return int(kept.captured_fen or 0) - int(back or 0)


@dataclass(frozen=True)
class Taken:
    """What one way to pay brought in a period, and what went back: how many, and fen."""

    channel: str
    paid: int
    paid_fen: int
    back: int
    back_fen: int


def taken(programmes: Collection[str], *, since: datetime, until: datetime) -> list[Taken]:
    """The money of a period in these programmes, by way to pay: captured by a payment (whether the order kept it or
    not), and gone back by a refund, each in the moment it happened."""
    count, total = peewee.fn.COUNT, peewee.fn.SUM
    paid = PaymentAttempt.select(
        PaymentAttempt.channel, count(PaymentAttempt.id), total(PaymentAttempt.captured_fen)
    ).where(PaymentAttempt.paid_at >= since, PaymentAttempt.paid_at < until, PaymentAttempt.status.in_(CAPTURED))
    back = (
        Refund.select(PaymentAttempt.channel, count(Refund.id), total(Refund.amount_fen))
        .join(PaymentAttempt, on=(PaymentAttempt.id == Refund.attempt_id))
        .where(Refund.succeeded_at >= since, Refund.succeeded_at < until)
    )
    found: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    for place, query in ((0, paid), (2, back)):
        query = query.join(Order, on=(Order.id == PaymentAttempt.order_id))
        query = query.where(Order.programme.in_(sorted(programmes))).group_by(PaymentAttempt.channel)
        for channel, number, fen in query.tuples():
            found[channel][place : place + 2] = int(number), int(fen or 0)
    return [Taken(channel, *numbers) for channel, numbers in sorted(found.items(), key=lambda one: -one[1][1])]


def ordered(
    programmes: Collection[str], *, since: datetime, until: datetime, after: tuple[datetime, str], limit: int
) -> list[Order]:
    """Orders of these programmes that were made in a period, the oldest first, beyond `after` (when, id)."""
    at, row_id = Order.created_at, Order.id
    beyond = (at > after[0]) | ((at == after[0]) & (row_id > after[1]))
    query = Order.select().where(at >= max(since, after[0]), at < until, beyond)
    return list(query.where(Order.programme.in_(sorted(programmes))).order_by(at, row_id).limit(limit))


def kept_attempts(orders: Collection[Order]) -> dict[str, PaymentAttempt]:
    """The payments that these orders keep, by the order's id."""
    ids = [order.paid_attempt_id for order in orders if order.paid_attempt_id is not None]
    rows = PaymentAttempt.select().where(PaymentAttempt.id.in_(ids)) if ids else ()
    return {attempt.order_id: attempt for attempt in rows}
