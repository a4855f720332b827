"""Orders: made, paid, asked about. The row is committed first, then the provider is called, then its answer is
applied."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

import msgspec
import peewee
import structlog

from app.core.db import compare_and_set, insert_once, savepoint, transaction
from app.core.engines import is_taken
from app.core.errors import BUSY, NOT_FOUND
from app.pay import ledger, queries, settlement
from app.pay.channels import CHANNELS, ONLINE, TRANSFER, Channel, Device, authority, offered, provider_of, why_none
from app.pay.errors import (
    CHANNEL_NOT_OFFERED,
    IN_ANOTHER_ORDER,
    ORDER_CLOSING,
    ORDER_OVER,
    ORDER_PAID,
    PAID_AT_PROVIDER,
    PAYMENT_DISPUTED,
    PAYMENT_REFUSED,
    PAYMENT_UNKNOWN,
    TRANSFER_COUNTED,
)
from app.pay.models import Order, OrderLine, PaymentAttempt
from app.pay.notify_url import notify_url, return_url
from app.pay.payer import payer_of
from app.pay.providers.protocol import (
    AlreadyPaid,
    Form,
    PayBy,
    PaymentRequest,
    Redirect,
    Refused,
    Unknown,
)
from app.pay.status import OPEN_ATTEMPTS, AttemptAction, AttemptStatus, OrderStatus
from app.pay.transfers import queries as transfer_queries
from app.pay.transfers import service as transfers
from app.policy import load as policy
from app.policy import rules
from app.policy.schema import Programme

log = structlog.get_logger(__name__)

FIRST_QUESTION = timedelta(seconds=10)  # after the QR code was shown
CODE_LIVES = timedelta(minutes=110)  # ten less than WeChat's and Alipay's two hours
CHECK_PAUSE = timedelta(seconds=3)  # between two questions that a person has us ask about one payment
TRIES = 5  # to make an order of things that others order and give up at the same time


@dataclass(frozen=True)
class Payer:
    """Who is to pay: a person, or an organisation for its people."""

    kind: Literal["person", "organisation"]
    id: str


@dataclass(frozen=True)
class Line:
    """One opaque thing to sell: `sku` is unique among open and paid orders, `amount_fen` its price."""

    sku: str
    title: str
    amount_fen: int


def create_order(
    *, payer: Payer, programme: str, version: str, lines: Sequence[Line], expires_at: datetime, now: datetime
) -> Order:
    """An order of these lines, open until `expires_at`; the same lines again for the same payer give the same order.
    Joins the caller's transaction. Raises `order_paid`, `order_closing` or `in_another_order` when a line is taken,
    whoever ordered it (fault P14)."""
    skus = sorted({line.sku for line in lines})
    if len(skus) != len(lines) or not lines or any(line.amount_fen <= 0 for line in lines):
        raise ValueError("an order needs different lines with a price")
    with transaction():
        if queries.in_dispute(skus):
            raise PAYMENT_DISPUTED()
        for _ in range(TRIES):
            if taken := _taken(skus):
                return _same_order(taken, set(skus), payer, now)
            try:
                with savepoint():
                    return _insert_order(payer, programme, version, lines, expires_at, now)
            except peewee.IntegrityError as error:
                if not is_taken(error):
                    raise
                # another one was quicker by a moment (faults P9, P14), and may be closed again by now
    raise BUSY()


def _taken(skus: Sequence[str]) -> set[str]:
    """The orders, open or paid, that hold one of these things."""
    query = OrderLine.select(OrderLine.order_id).where(OrderLine.open_sku.in_(list(skus)))
    return {order_id for (order_id,) in query.tuples()}


def _insert_order(
    payer: Payer, programme: str, version: str, lines: Sequence[Line], expires_at: datetime, now: datetime
) -> Order:
    order: Order = Order.create(
        **{f"{payer.kind}_id": payer.id},
        programme=programme,
        version=version,
        status=OrderStatus.PENDING,
        amount_fen=sum(line.amount_fen for line in lines),
        expires_at=expires_at,
        created_at=now,
    )
    for line in sorted(lines, key=lambda line: line.sku):  # in one order, so that two of these cannot wait in a ring
        OrderLine.create(
            order_id=order.id,
            sku=line.sku,
            open_sku=line.sku,
            title=line.title[:200],
            amount_fen=line.amount_fen,
        )
    return order


def _same_order(taken: set[str], skus: set[str], payer: Payer, now: datetime) -> Order:
    first, *others = taken
    order = queries.get_order(first)
    own = payer.id == (order.person_id if payer.kind == "person" else order.organisation_id)
    if others or set(queries.skus(order.id)) != skus or not own:
        raise IN_ANOTHER_ORDER(order_id=order.id if own else None)
    if order.status == OrderStatus.PAID:
        raise ORDER_PAID(order_id=order.id)
    if order.status == OrderStatus.CLOSING or order.expires_at <= now:
        late = transfer_queries.of_order(order.id) is not None
        raise (TRANSFER_COUNTED if late else ORDER_CLOSING)(order_id=order.id)
    return order


@dataclass(frozen=True)
class Started:
    """An attempt that waits to be paid, and what the client needs for it."""

    attempt: PaymentAttempt
    pay_by: PayBy


def _require_payable(order: Order, now: datetime) -> None:
    if order.status == OrderStatus.PAID:
        raise ORDER_PAID()
    if order.status != OrderStatus.PENDING or order.expires_at <= now:
        raise ORDER_OVER()
    if queries.in_dispute(queries.skus(order.id)):
        raise PAYMENT_DISPUTED()


def start_payment(
    person_id: str, order_id: str, channel: str, on: Device, *, payer_name: str | None = None, now: datetime
) -> Started:
    """The attempt to pay this order by `channel`; a second click gives the same one. `payer_name`: in whose name a
    bank transfer will come. Raises `order_over`, `order_paid`, `payer_name_needed`, `channel_not_offered`,
    `not_on_iphone`, `not_in_wechat`, `open_in_wechat`, `bind_wechat_first`, `authorise_wechat_first`,
    `payment_refused`, `paid_at_provider`, `payment_unknown` (it names the other channels to try)."""
    order = queries.order_of(person_id, order_id)
    _require_payable(order, now)
    programme = policy.programme(order.programme, order.version)
    ways = {one.name: one for one in ways_of(order, on, now=now)}
    if channel not in ways:
        raise (CHANNEL_NOT_OFFERED if ways else why_none(programme, on))()
    if channel == TRANSFER.name:
        return _transfer(order, programme, payer_name or "", now)
    merchant = authority(programme, ways[channel])
    assert merchant is not None, "what is offered has a merchant"
    app, payer = payer_of(programme, ways[channel], merchant, person_id, on)
    attempt = _attempt(order, channel, merchant, payer, now)
    pay_by = _kept(attempt, now)
    if pay_by is None and attempt.status in OPEN_ATTEMPTS:
        others = [name for name in ways if name != channel]
        opened = _open(order, attempt, app, payer, others, now)
        attempt = PaymentAttempt.get_by_id(attempt.id)
        pay_by = _kept(attempt, now) or opened  # of several clicks at one moment all show the same
    if attempt.status == AttemptStatus.PAID:  # its notification was quicker than the answer (fault P5)
        raise ORDER_PAID()
    if attempt.status != AttemptStatus.WAITING or pay_by is None:
        raise ORDER_OVER()
    return Started(attempt, pay_by)


def start_transfer(organisation_id: str, order_id: str, payer_name: str, *, now: datetime) -> Started:
    """An organisation pays its order by a transfer from an account in this name; the same again gives the same code.
    Raises `not_found`, `order_over`, `order_paid`, `payment_disputed`, `channel_not_offered`, `payer_name_needed`."""
    order = Order.get_or_none(Order.id == order_id, Order.organisation_id == organisation_id)
    if order is None:
        raise NOT_FOUND()
    _require_payable(order, now)
    programme = policy.programme(order.programme, order.version)
    if not rules.may_transfer(programme, "enterprise"):
        raise CHANNEL_NOT_OFFERED()
    return _transfer(order, programme, payer_name, now)


def _transfer(order: Order, programme: Programme, payer_name: str, now: datetime) -> Started:
    number = trade_no(order.id, TRANSFER.name)
    attempt = transfers.begin(order, programme, number, payer_name, now=now)
    return Started(attempt, transfers.told(attempt))


def ways_of(order: Order, on: Device, *, now: datetime) -> list[Channel]:
    """The channels by which a pending order can be paid now on this device: once it waits for a transfer, by any
    other only as long as before."""
    programme = policy.programme(order.programme, order.version)
    ways = offered(programme, on)
    transfer = transfer_queries.of_order(order.id)
    if transfer is None:
        return ways
    others = [way for way in ways if way is not TRANSFER] if now < transfer.others_until else []
    return [*others, TRANSFER]


def _kept(attempt: PaymentAttempt, now: datetime) -> PayBy | None:
    """What the provider gave for this attempt, as long as it is good: codes live two hours."""
    if attempt.pay_by is None or now - attempt.created_at > CODE_LIVES:
        return None
    kept: PayBy = msgspec.json.decode(attempt.pay_by, type=PayBy)
    return kept


def _open(
    order: Order,
    attempt: PaymentAttempt,
    app: str | None,
    payer: str | None,
    others: Sequence[str],
    now: datetime,
) -> PayBy:
    """Make the payment at the provider. The same number again is the same payment there, so that this may be
    repeated until an answer comes, and for a new code."""
    try:
        pay_by = provider_of(attempt).create(_request(order, attempt, app, payer))
    except Unknown as error:
        log.warning("payment_unknown", attempt_id=attempt.id, error=str(error))
        ledger.move(attempt, AttemptAction.DOUBT, "create", now=now)
        raise PAYMENT_UNKNOWN(headers={"Retry-After": "5"}, other_channels=list(others)) from error
    except Refused as refusal:
        log.error("payment_refused", attempt_id=attempt.id, provider_code=refusal.code)
        # whatever the reason, the truth is asked for at once (by the janitor: this answer must be out within 5 s)
        PaymentAttempt.update(ask_at=now).where(
            PaymentAttempt.id == attempt.id, PaymentAttempt.status.in_(OPEN_ATTEMPTS)
        ).execute()
        raise (PAID_AT_PROVIDER if isinstance(refusal, AlreadyPaid) else PAYMENT_REFUSED)() from refusal
    kept = None if isinstance(pay_by, Redirect | Form) else msgspec.json.encode(pay_by).decode()
    ledger.move(attempt, AttemptAction.OPEN, "create", now=now, pay_by=kept, ask_at=now + FIRST_QUESTION)
    return pay_by


def _request(order: Order, attempt: PaymentAttempt, app: str | None, payer: str | None) -> PaymentRequest:
    return PaymentRequest(
        way=CHANNELS[attempt.channel].way,
        out_trade_no=attempt.out_trade_no,
        title="、".join(line.title for line in queries.lines(order.id)),
        amount_fen=attempt.amount_fen,
        expires_at=transfer_queries.others_until(order),
        notify_url=notify_url(attempt),
        return_url=return_url(order.id),
        payer=payer,
        payer_app=app,
    )


def form_of(attempt_id: str, *, now: datetime) -> tuple[Order, Form]:
    """The form that takes a browser to the provider's page, and what is paid there. Raises `order_paid`,
    `order_over`."""
    attempt = PaymentAttempt.get_by_id(attempt_id)
    order = queries.get_order(attempt.order_id)
    if order.status == OrderStatus.PAID:
        raise ORDER_PAID()
    until = transfer_queries.others_until(order)
    if order.status != OrderStatus.PENDING or until <= now or attempt.status != AttemptStatus.WAITING:
        raise ORDER_OVER()
    form = provider_of(attempt).create(_request(order, attempt, None, None))
    assert isinstance(form, Form), "its channel's way is a form"
    return order, form


def trade_no(order_id: str, channel: str, payer: str | None = None) -> str:
    """Our number of a payment, letters and digits, as every provider takes them. Made of what it is for: an order
    has one number a channel (and a payer, where the provider ties the payment to one), whoever clicks, and however
    often (fault P9)."""
    # not by the keyed index: it changes with its key, and an order must not get a second number by that
    who = hashlib.sha256(f"{order_id}:{payer}".encode()).hexdigest()[:8] if payer else ""
    return f"{order_id}{CHANNELS[channel].code}{who}".upper()


def _attempt(order: Order, channel: str, merchant: str, payer: str | None, now: datetime) -> PaymentAttempt:
    """The row of this order, channel and payer, committed before any provider hears of it. Raises `order_over` if the
    order begins to close at this moment."""
    number = trade_no(order.id, channel, payer)
    found = PaymentAttempt.get_or_none(PaymentAttempt.out_trade_no == number)
    if found is not None:
        return found
    with transaction():
        held = compare_and_set(Order, order.id, {"status": OrderStatus.PENDING}, {"attempts": Order.attempts + 1})
        if not held:  # who closes the order looks for attempts after this: none may come later
            raise ORDER_OVER()
        insert_once(
            PaymentAttempt,
            order_id=order.id,
            channel=channel,
            authority=merchant,
            out_trade_no=number,
            status=AttemptStatus.CREATED,
            amount_fen=order.amount_fen,
            created_at=now,
            ask_at=now + FIRST_QUESTION,
        )
    made: PaymentAttempt = PaymentAttempt.get(PaymentAttempt.out_trade_no == number)
    return made


def check_payment(person_id: str, order_id: str, *, now: datetime) -> Order:
    """ "I have paid": ask the providers about this order's payments at once; about closed ones too, whose money goes
    back. Each payment at most once in three seconds, all of them together for at most four: what is not asked, or
    not heard, stays as its row says. Raises `payment_unknown` when one that could have the money does not answer."""
    order = queries.order_of(person_id, order_id)
    if order.status == OrderStatus.PAID:
        return order
    doubt = settlement.ask_all([attempt for attempt in queries.attempts(order.id) if _claim(attempt, now)], now=now)
    order = queries.order_of(person_id, order_id)
    if doubt and order.status != OrderStatus.PAID:
        raise PAYMENT_UNKNOWN(headers={"Retry-After": "5"})
    return order


def _claim(attempt: PaymentAttempt, now: datetime) -> bool:
    """Whether this caller is the one to ask about an attempt now."""
    if attempt.status not in (*OPEN_ATTEMPTS, AttemptStatus.CLOSED) or attempt.channel not in ONLINE:
        return False  # of a transfer we know what the last statement has said, and nobody can be asked
    last = attempt.checked_at
    if last is not None and abs(now - last) < CHECK_PAUSE:
        return False
    return compare_and_set(PaymentAttempt, attempt.id, {"checked_at": last}, {"checked_at": now})


def still_kept(order_id: str) -> Literal["yes", "no", "unknown"]:
    """Ask the provider once more about the payment that a paid order keeps: whether it has our money, all of it but
    what we gave back ourselves. Changes nothing."""
    order = queries.get_order(order_id)
    kept = PaymentAttempt.get_or_none(PaymentAttempt.id == order.paid_attempt_id)
    if order.status != OrderStatus.PAID or kept is None:
        return "no"
    try:
        truth = provider_of(kept).query(kept.out_trade_no)
    except Unknown as error:
        log.warning("payment_unknown", attempt_id=kept.id, error=str(error))
        return "unknown"
    same = truth.state == "paid" and truth.transaction_id == kept.transaction_id
    elsewhere = truth.returned and not kept.refunded_fen  # on the platform's own page, by no refund of ours
    return "yes" if same and not elsewhere and settlement.mismatch(kept, truth) is None else "no"
