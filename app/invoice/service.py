"""Invoices as the other domains and the trainee's screens know them. The way of one invoice stands in issuing.py,
what finance decides in decisions.py."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from app.core import tokens
from app.core.clock import shanghai
from app.core.db import transaction
from app.core.money import yuan
from app.invoice import issuing, payers, queries
from app.invoice.errors import (
    INVOICE_AUTOMATIC,
    INVOICE_LINK_OVER,
    INVOICE_MONEY_BACK,
    INVOICE_NEEDS_PAYMENT,
    INVOICE_NOT_READY,
    NO_INVOICE_HERE,
)
from app.invoice.models import Invoice, InvoiceFile
from app.invoice.payers import Details, Payer, details, payer, save
from app.invoice.status import Status
from app.notify import service as notify
from app.pay import queries as orders
from app.pay.models import Order
from app.pay.status import OrderStatus
from app.policy import working_days
from app.policy.schema import Invoice as Rule
from app.policy.schema import Programme

__all__ = ["Details", "Payer", "confirm_order", "details", "payer", "save"]

confirm_order = payers.choose
LINK = "invoice.pdf"
LINK_MINUTES = 10
State = Literal["requestable", "planned", "held", "late", "problem", "cancelled", "ready"]


def paid(payload: dict[str, str], now: datetime) -> None:
    """Subscriber of `order.paid`: where invoices are made by themselves, the order's is planned. Yunnan manual, step
    2 (二) 3, picture, and (三) 3."""
    order = orders.get_order(payload["order_id"])
    rule = queries.programme_of(order).invoice
    if rule is not None and rule.issued == "automatic":
        profile = payers.at_payment(order, now=now)
        issuing.plan(order, rule, profile, since=order.paid_at, now=now)


def request(person_id: str, order_id: str, *, now: datetime) -> Invoice:
    """The invoice of the person's order, where it is made on request; asked twice it is the same one. Its working
    days count from the request. Raises `not_found`, `no_invoice_here`, `invoice_automatic`, `invoice_needs_payment`,
    `invoice_money_back`."""
    order = orders.order_of(person_id, order_id)
    rule = queries.programme_of(order).invoice
    if rule is None:
        raise NO_INVOICE_HERE()
    if rule.issued == "automatic":
        raise INVOICE_AUTOMATIC()
    if order.status != OrderStatus.PAID:
        raise INVOICE_NEEDS_PAYMENT()
    if order.id in orders.given_back([order.id]):
        raise INVOICE_MONEY_BACK()
    with transaction():
        if not rule.details_fixed_once_paid:
            profile = payers.choose(order.id, payers.payer(person_id), now=now)
        else:
            profile = payers.at_payment(order, now=now)
        return issuing.plan(order, rule, profile, since=now, now=now)


# --- what the trainee sees ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Card:
    """A paid order and its invoice, where there is one: its state in a word and in a sentence, and the working days
    in which it is to be issued."""

    order: Order
    invoice: Invoice | None
    programme: Programme
    state: State
    sentence: str
    due_from: datetime | None
    due_until: datetime | None


def cards(person_id: str, *, now: datetime) -> list[Card]:
    """One card for each paid order of a programme that has invoices, the newest first."""
    found = queries.of_person(person_id)
    mine = [order for order in orders.orders_of(person_id) if order.status == OrderStatus.PAID]
    back = orders.given_back([order.id for order in mine])
    made = [_card(order, found.get(order.id), order.id in back, now) for order in mine]
    return [card for card in made if card is not None]


def card(invoice: Invoice, *, now: datetime) -> Card:
    """The card of one invoice."""
    order = orders.get_order(invoice.order_id)
    return _shown(order, invoice, queries.programme_of(order), now)


def _card(order: Order, invoice: Invoice | None, given_back: bool, now: datetime) -> Card | None:
    programme = queries.programme_of(order)
    if invoice is not None:
        return _shown(order, invoice, programme, now)
    if programme.invoice is None:
        return None
    if given_back:
        return Card(order, None, programme, "cancelled", MONEY_BACK, None, None)
    if programme.invoice.issued == "on_request":
        return Card(order, None, programme, "requestable", "需要发票的，点“申请开票”。", None, None)
    opens, closes = _window(programme, programme.invoice, order.paid_at)
    return Card(order, None, programme, "planned", _expected(opens, closes), opens, closes)


def _window(programme: Programme, rule: Rule, since: datetime) -> tuple[datetime, datetime]:
    return working_days.window(since, rule.after_payment, programme.calendar)


MONEY_BACK = "这笔订单的款项已退回，不开具发票。"


def _expected(opens: datetime, closes: datetime) -> str:
    first, last = shanghai(opens), shanghai(closes)
    days = f"{first.month}月{first.day}日"
    if first.date() != last.date():
        days += f"至{last.month}月{last.day}日"
    return f"发票会自动开具，预计{days}可以下载，开好后会发短信通知。"


def _shown(order: Order, row: Invoice, programme: Programme, now: datetime) -> Card:
    phone = programme.authority.contacts.invoice
    state: State
    if row.status == Status.READY:
        state, sentence = "ready", "发票已开具，可以下载。"
    elif row.status == Status.CANCELLED:
        state, sentence = "cancelled", MONEY_BACK
    elif row.status in (Status.REFUSED, Status.DISPUTED):
        state, sentence = "problem", f"开票遇到问题，工作人员正在处理，不需要您操作。如着急请拨打 {phone}。"
    elif row.hold is not None:
        state, sentence = "held", f"财务正在核对这笔款项，核对后就会开具。如着急请拨打 {phone}。"
    elif row.due_until < now:
        state, sentence = "late", f"发票比预计的晚，工作人员已收到提醒。如着急请拨打 {phone}。"
    else:
        state, sentence = "planned", _expected(row.due_from, row.due_until)
    return Card(order, row, programme, state, sentence, row.due_from, row.due_until)


def pdf_link(row: Invoice, *, now: datetime) -> str | None:
    """A link to the PDF that works for some minutes in any browser without a session; None until it is ready."""
    if row.status != Status.READY:
        return None
    ticket = tokens.sign(LINK, row.id, expires=now + timedelta(minutes=LINK_MINUTES))
    return f"/api/v1/invoices/{row.id}.pdf?ticket={ticket}"


def pdf(invoice_id: str, ticket: str, *, now: datetime) -> tuple[Invoice, bytes]:
    """The invoice and its PDF, from our own store, for the holder of a link. Raises `invoice_link_over`,
    `invoice_not_ready`."""
    try:
        if tokens.verify(LINK, ticket, now) != [invoice_id]:
            raise INVOICE_LINK_OVER()
    except tokens.BadToken as error:
        raise INVOICE_LINK_OVER() from error
    row = queries.by_id(invoice_id)
    file = InvoiceFile.get_or_none(InvoiceFile.id == row.id)
    if row.status != Status.READY or file is None:
        raise INVOICE_NOT_READY()
    return row, base64.b64decode(file.pdf)


def tell_ready(payload: dict[str, str], now: datetime) -> None:
    """Subscriber of `invoice.ready`: the payer is told, where the programme has such a message."""
    row = queries.by_id(payload["invoice_id"])
    notify.tell(
        person_id=row.person_id,
        programme=row.programme,
        template="invoice_ready",
        params=[yuan(row.gross_fen)],
        key=f"invoice:{row.id}",
        now=now,
    )
