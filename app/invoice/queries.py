"""Named reads of invoices."""

from __future__ import annotations

import operator
from datetime import datetime
from functools import reduce

import peewee

from app.core.errors import NOT_FOUND
from app.invoice import tax
from app.invoice.models import Invoice, InvoiceEvent, PayerProfile
from app.invoice.providers.protocol import Line
from app.invoice.status import AT_VENDOR, Status
from app.pay import queries as orders
from app.pay.models import Order
from app.pay.status import OrderStatus
from app.policy import load
from app.policy.schema import Programme

WORKED_ON = (Status.WAITING, Status.SENDING, Status.UNKNOWN, Status.ISSUING, Status.ISSUED)


def by_id(invoice_id: str) -> Invoice:
    """The invoice, whoever's it is. Raises `not_found`."""
    row = Invoice.get_or_none(Invoice.id == invoice_id)
    if row is None:
        raise NOT_FOUND()
    return row


def owned(invoice_id: str, person_id: str) -> Invoice:
    """An invoice of this person. Raises `not_found` for another's, too."""
    row = Invoice.get_or_none(Invoice.id == invoice_id, Invoice.person_id == person_id)
    if row is None:
        raise NOT_FOUND()
    return row


def of_order(order_id: str) -> Invoice | None:
    """The invoice of an order."""
    return Invoice.get_or_none(Invoice.order_id == order_id)


def of_person(person_id: str) -> dict[str, Invoice]:
    """A person's invoices, by order."""
    return {row.order_id: row for row in Invoice.select().where(Invoice.person_id == person_id)}


def buyer(row: Invoice) -> PayerProfile:
    """In whose name the invoice is."""
    found: PayerProfile = PayerProfile.get_by_id(row.profile_id)
    return found


def programme_of(row: Invoice | Order) -> Programme:
    """The programme version under which was ordered."""
    return load.programme(row.programme, row.version)


def lines(row: Invoice) -> list[Line]:
    """The lines of the invoice: one for each line of the order."""
    return [
        Line(row.goods_name, row.goods_code, row.tax_rate_permille, tax.split(line.amount_fen, row.tax_rate_permille))
        for line in orders.lines(row.order_id)
    ]


def history(invoice_id: str) -> list[InvoiceEvent]:
    """The invoice's history, oldest first."""
    return list(InvoiceEvent.select().where(InvoiceEvent.invoice_id == invoice_id).order_by(InvoiceEvent.id))


def due(now: datetime, limit: int) -> list[str]:
    """Invoices that want to be looked at, the longest waiting first."""
    query = Invoice.select(Invoice.id).where(Invoice.status.in_(WORKED_ON), Invoice.next_at <= now)
    return [row_id for (row_id,) in query.order_by(Invoice.next_at).limit(limit).tuples()]


def late(now: datetime, limit: int) -> list[Invoice]:
    """Invoices whose last working day is over, and nobody was told yet. (A refused one has a case already.)"""
    query = Invoice.select().where(Invoice.status.in_(WORKED_ON), Invoice.due_until < now, Invoice.late_at.is_null())
    return list(query.order_by(Invoice.due_until).limit(limit))


def without_invoice(
    programmes: list[Programme], before: datetime, limit: int, *, since: datetime | None = None
) -> list[Order]:
    """Orders of these programmes that were paid before `before` and have no invoice; with `since` only those that
    could still be paid then, which an index finds."""
    if not programmes:
        return []
    of_these = reduce(
        operator.or_,
        [(Order.programme == one.key) & (Order.version == one.version.isoformat()) for one in programmes],
    )
    query = Order.select().join(Invoice, peewee.JOIN.LEFT_OUTER, on=(Invoice.order_id == Order.id))
    found = query.where(Order.status == OrderStatus.PAID, Order.paid_at < before, Invoice.id.is_null(), of_these)
    if since is not None:
        found = found.where(Order.expires_at > since)
    return list(found.order_by(Order.paid_at).limit(limit))


def over_given_back(limit: int) -> list[Invoice]:
    """Invoices, not yet over or at the vendor, of orders whose kept money goes back."""
    query = Invoice.select().where(
        Invoice.order_id.in_(sorted(orders.given_back())),
        (Invoice.status == Status.WAITING) | (Invoice.status == Status.REFUSED)
        | (Invoice.status.in_(AT_VENDOR) & Invoice.red_letter_at.is_null()),
    )  # fmt: skip
    return list(query.limit(limit))
