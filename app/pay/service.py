"""Orders: made, paid, asked about. The row is committed first, then the provider is called, then its answer is
applied."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from app.cases import service as cases
from app.core import inbox
from app.core.db import insert_once, transaction
from app.core.errors import NOT_FOUND
from app.core.ids import new_id
from app.pay import ledger, providers, queries, refunds, settlement
from app.pay.channels import authority, offered, provider_of
from app.pay.errors import (
    CHANNEL_NOT_OFFERED,
    IN_ANOTHER_ORDER,
    NOTIFICATION_REFUSED,
    ORDER_CLOSING,
    ORDER_OVER,
    ORDER_PAID,
    PAYMENT_REFUSED,
    PAYMENT_UNKNOWN,
)
from app.pay.models import Order, OrderLine, PaymentAttempt
from app.pay.notify_url import notify_url
from app.pay.providers.protocol import Forged, PaymentRequest, Refused, Unknown
from app.pay.status import OPEN_ATTEMPTS, AttemptAction, AttemptStatus, OrderStatus
from app.policy import load as policy

log = structlog.get_logger(__name__)

FIRST_QUESTION = timedelta(seconds=10)  # after the QR code was shown
INBOX = "pay"


@dataclass(frozen=True)
class Line:
    """One opaque thing to sell: `sku` is unique among open and paid orders, `amount_fen` its price."""

    sku: str
    title: str
    amount_fen: int


def create_order(
    *, person_id: str, programme: str, version: str, lines: Sequence[Line], expires_at: datetime, now: datetime
) -> Order:
    """An order of these lines, open until `expires_at`; the same lines again give the same order. Joins the caller's
    transaction. Raises `order_paid`, `order_closing` or `in_another_order` when a line is taken."""
    if not lines or any(line.amount_fen <= 0 for line in lines):
        raise ValueError("an order needs lines with a price")
    skus = {line.sku for line in lines}
    with transaction():
        taken = {line.order_id for line in OrderLine.select().where(OrderLine.open_sku.in_(list(skus)))}
        if taken:
            return _same_order(taken, skus, person_id, now)
        order: Order = Order.create(
            person_id=person_id,
            programme=programme,
            version=version,
            status=OrderStatus.PENDING,
            amount_fen=sum(line.amount_fen for line in lines),
            expires_at=expires_at,
            created_at=now,
        )
        for line in lines:
            OrderLine.create(
                order_id=order.id, sku=line.sku, open_sku=line.sku, title=line.title, amount_fen=line.amount_fen
            )
        return order


def _same_order(taken: set[str], skus: set[str], person_id: str, now: datetime) -> Order:
    order = queries.get_order(taken.pop())
    if taken or set(queries.skus(order.id)) != skus or order.person_id != person_id:
        raise IN_ANOTHER_ORDER(order_id=order.id if order.person_id == person_id else None)
    if order.status == OrderStatus.PAID:
        raise ORDER_PAID(order_id=order.id)
    if order.status == OrderStatus.CLOSING or order.expires_at <= now:
        raise ORDER_CLOSING(order_id=order.id)
    return order


def start_payment(person_id: str, order_id: str, channel: str, client: str, *, now: datetime) -> PaymentAttempt:
    """The attempt to pay this order by `channel`, with what its QR code shows; a second click gives the same one.
    Raises `order_over`, `order_paid`, `channel_not_offered`, `payment_unknown`, `payment_refused`."""
    order = queries.order_of(person_id, order_id)
    if order.status == OrderStatus.PAID:
        raise ORDER_PAID()
    if order.status != OrderStatus.PENDING or order.expires_at <= now:
        raise ORDER_OVER()
    attempt = _attempt(order, channel, client, now)
    if attempt.status == AttemptStatus.WAITING:
        return attempt
    if attempt.status not in OPEN_ATTEMPTS:
        raise ORDER_OVER()
    request = PaymentRequest(
        out_trade_no=attempt.out_trade_no,
        title=" ".join(line.title for line in queries.lines(order.id)),
        amount_fen=attempt.amount_fen,
        expires_at=order.expires_at,
        notify_url=notify_url(attempt),
    )
    try:
        code_url = provider_of(attempt).create(request)
    except Unknown as error:
        log.warning("payment_unknown", attempt_id=attempt.id, error=str(error))
        ledger.move_attempt(attempt.id, AttemptAction.DOUBT, "create", now=now)
        raise PAYMENT_UNKNOWN(headers={"Retry-After": "5"}) from error
    except Refused as refusal:
        log.error("payment_refused", attempt_id=attempt.id, provider_code=refusal.code)
        check_payment(person_id, order_id, now=now)  # "paid already" is one of the reasons to refuse
        raise PAYMENT_REFUSED() from refusal
    ledger.move_attempt(
        attempt.id, AttemptAction.OPEN, "create", now=now, code_url=code_url, ask_at=now + FIRST_QUESTION
    )
    opened: PaymentAttempt = PaymentAttempt.get_by_id(attempt.id)
    if opened.status == AttemptStatus.PAID:  # its notification was quicker than this answer (fault P5)
        raise ORDER_PAID()
    if opened.status != AttemptStatus.WAITING:
        raise ORDER_OVER()
    return opened


def _attempt(order: Order, channel: str, client: str, now: datetime) -> PaymentAttempt:
    programme = policy.programme(order.programme, order.version)
    chosen = {one.name: one for one in offered(programme, client)}.get(channel)
    merchant = authority(programme, chosen) if chosen else None
    if chosen is None or merchant is None:
        raise CHANNEL_NOT_OFFERED()
    attempt_id = new_id()
    insert_once(
        PaymentAttempt,
        id=attempt_id,
        order_id=order.id,
        channel=channel,
        authority=merchant,
        out_trade_no=f"T{attempt_id.upper()}",
        status=AttemptStatus.CREATED,
        amount_fen=order.amount_fen,
        created_at=now,
        ask_at=now + FIRST_QUESTION,
    )
    attempt: PaymentAttempt = PaymentAttempt.get(
        PaymentAttempt.order_id == order.id, PaymentAttempt.channel == channel
    )
    return attempt


def check_payment(person_id: str, order_id: str, *, now: datetime) -> Order:
    """ "I have paid": ask the providers of this order's open attempts at once. Raises `payment_unknown` when one that
    could have the money does not answer."""
    order = queries.order_of(person_id, order_id)
    doubt: Unknown | None = None
    if order.status != OrderStatus.PAID:
        for attempt in queries.open_attempts(order.id):
            try:
                settlement.ask(attempt.id, now=now)
            except Unknown as error:
                doubt = error
    order = queries.order_of(person_id, order_id)
    if doubt is not None and order.status != OrderStatus.PAID:
        raise PAYMENT_UNKNOWN(headers={"Retry-After": "5"}) from doubt
    return order


def receive_notification(kind: str, merchant: str, headers: Mapping[str, str], body: bytes, *, now: datetime) -> None:
    """Verify a provider's callback and commit it; it is applied by a job. Raises `notification_refused`: then nothing
    was changed and nobody was called (fault P3)."""
    known = {p.authority.secrets.wechatpay for p in policy.all_programmes()}
    if kind not in providers.kinds() or merchant not in known:
        raise NOT_FOUND()
    try:
        notification = providers.provider(kind, merchant).verify_notification(headers, body, now)
    except Forged as error:
        log.warning("notification_refused", kind=kind, merchant=merchant, why=str(error))
        raise NOTIFICATION_REFUSED() from error
    content = {"kind": notification.kind, "number": notification.number, "merchant": merchant, "provider": kind}
    content["raw"] = body.decode("utf-8")
    inbox.record(INBOX, f"{kind}:{merchant}:{notification.external_id}"[:96], json.dumps(content), now=now)


def apply_notification(body: str, now: datetime) -> None:
    """Apply a committed callback: it only names what to ask about. Raises `Unknown`: then it comes again."""
    content = json.loads(body)
    number = content["number"]
    if content["kind"] == "refund":
        refunds.ask_refund(number, now=now)
        return
    attempt = PaymentAttempt.get_or_none(PaymentAttempt.out_trade_no == number)
    if attempt is None:
        cases.file("pay.unknown_number", f"number:{number}"[:64], {"merchant": content["merchant"]}, now=now)
        return
    settlement.ask(attempt.id, now=now)
