"""Named reads of invoices."""

from __future__ import annotations

import json
import operator
from collections.abc import Collection, Sequence
from datetime import datetime
from functools import reduce
from typing import Any

import peewee

from app.cases import service as cases
from app.core.errors import NOT_FOUND
from app.invoice import tax
from app.invoice.models import Invoice, InvoiceEvent, PayerProfile, ProgrammeHold, RedLetter
from app.invoice.providers.protocol import Line
from app.invoice.status import AT_VENDOR, RED_OPEN, RED_WORKED_ON, RedStatus, Status
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
    """The invoice of an order; of several, one after the other, the last."""
    return Invoice.select().where(Invoice.order_id == order_id).order_by(Invoice.id.desc()).first()


def every_of_order(order_id: str) -> list[Invoice]:
    """All invoices of an order, one after the other."""
    return list(Invoice.select().where(Invoice.order_id == order_id).order_by(Invoice.id))


def replaced(row: Invoice) -> Invoice | None:
    """The invoice that this one follows."""
    return Invoice.get_or_none(Invoice.id == row.replaces) if row.replaces is not None else None


def of_person(person_id: str) -> dict[str, Invoice]:
    """A person's invoices, by order; of several of an order, the last."""
    return {row.order_id: row for row in Invoice.select().where(Invoice.person_id == person_id).order_by(Invoice.id)}


def is_void(row: Invoice) -> bool:
    """Whether a disputed invoice was voided at the vendor."""
    last = InvoiceEvent.select().where(InvoiceEvent.invoice_id == row.id).order_by(InvoiceEvent.id.desc()).first()
    return row.status == Status.DISPUTED and last is not None and last.evidence == "mismatch:void"


def mismatch_of(row: Invoice) -> dict[str, Any]:
    """What the case says of an invoice that is not what was asked for (`issuing.mismatch`); empty where none is."""
    case = cases.latest("invoice.mismatch", f"invoice:{row.id}")
    told: dict[str, Any] = json.loads(case.facts) if case is not None else {}
    return told


def issued_fen(row: Invoice) -> tuple[int, int | None]:
    """What stands on the invoice at the bureau, with its tax and the tax of it: what was asked for, unless the vendor
    said otherwise. The tax is None where nobody said it of another amount."""
    told = mismatch_of(row)
    gross, tax_fen = told.get("issued_fen"), told.get("issued_tax_fen")
    if gross is None or gross == row.gross_fen:
        return row.gross_fen, row.tax_fen if tax_fen is None else tax_fen
    return gross, tax_fen


def red_letter_of(invoice_id: str) -> RedLetter | None:
    """The red letter of an invoice."""
    return RedLetter.get_or_none(RedLetter.invoice_id == invoice_id)


def being_reversed(invoice_ids: Sequence[str]) -> set[str]:
    """Of these invoices, those whose red letter is on its way."""
    query = RedLetter.select(RedLetter.invoice_id).where(
        RedLetter.invoice_id.in_(list(invoice_ids)), RedLetter.status.in_(RED_OPEN)
    )
    return {invoice_id for (invoice_id,) in query.tuples()}


def red_letters_due(now: datetime, limit: int) -> list[str]:
    """Red letters that want to be looked at, the longest waiting first."""
    query = RedLetter.select(RedLetter.id).where(RedLetter.status.in_(RED_WORKED_ON), RedLetter.next_at <= now)
    return [row_id for (row_id,) in query.order_by(RedLetter.next_at).limit(limit).tuples()]


def red_letters_since(before: datetime, limit: int) -> list[RedLetter]:
    """Red letters that were decided before then, or whose form was sent before then, and have not come, and nobody
    was told yet."""
    with_form = RedLetter.status == RedStatus.APPLIED
    waits = (with_form & (RedLetter.sent_at < before)) | (~with_form & (RedLetter.decided_at < before))
    query = RedLetter.select().where(RedLetter.status.in_(RED_WORKED_ON), waits, RedLetter.waits_at.is_null())
    return list(query.order_by(RedLetter.decided_at).limit(limit))


def hold_of(programme: str) -> ProgrammeHold | None:
    """Finance's hold of a whole programme."""
    return ProgrammeHold.get_or_none(ProgrammeHold.programme == programme)


def holds() -> list[ProgrammeHold]:
    """Every programme that finance holds."""
    return list(ProgrammeHold.select().order_by(ProgrammeHold.programme))


def money_went_back(row: Invoice) -> bool:
    """Whether the invoice counts money that goes back."""
    return row.order_id in orders.given_back([row.order_id]) and orders.kept_fen(row.order_id) != row.gross_fen


def buyer(row: Invoice) -> PayerProfile:
    """In whose name the invoice is."""
    found: PayerProfile = PayerProfile.get_by_id(row.profile_id)
    return found


def programme_of(row: Invoice | Order) -> Programme:
    """The programme version under which was ordered."""
    return load.programme(row.programme, row.version)


def lines(row: Invoice) -> list[Line]:
    """The lines of the invoice: one for each line of the order, or one of what was left of the money; one, too, where
    the vendor's tax was accepted."""
    parts = split_of(row)
    if tax.total(parts).tax_fen != row.tax_fen:
        parts = [tax.Split(row.gross_fen, row.net_fen, row.tax_fen)]
    return [Line(row.goods_name, row.goods_code, row.tax_rate_permille, part) for part in parts]


def split_of(row: Invoice) -> list[tax.Split]:
    """The amounts of its lines and their tax, as they are asked of the vendor."""
    return [tax.split(amount, row.tax_rate_permille) for amount in amounts_of(row.order_id, row.gross_fen)]


def amounts_of(order_id: str, gross_fen: int) -> list[int]:
    """The amounts of an invoice's lines: those of the order's, if these are what it is about, or its whole."""
    amounts = [line.amount_fen for line in orders.lines(order_id)]
    return amounts if sum(amounts) == gross_fen else [gross_fen]


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
    programmes: list[Programme],
    before: datetime,
    limit: int,
    *,
    since: datetime | None = None,
    but: Collection[str] = (),
) -> list[Order]:
    """Orders of these programmes, `but` these, that were paid before `before` and have no invoice; with `since` only
    those that could still be paid then, which an index finds."""
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
    if but:
        found = found.where(Order.id.not_in(sorted(but)))
    return list(found.order_by(Order.paid_at).limit(limit))


def over_given_back(limit: int) -> list[Invoice]:
    """Invoices, not yet over or at the vendor, that count money which goes back; of those at the vendor the ones
    whose red letter is not on its way, and of whose money nobody was told since it was sent back last."""
    back = orders.going_back().alias("back")
    untold = Invoice.red_letter_at.is_null() | (Invoice.red_letter_at < back.c.last_at)
    on_its_way = RedLetter.select(RedLetter.invoice_id).where(RedLetter.status.in_(RED_OPEN))
    query = Invoice.select().join(back, on=(Invoice.order_id == back.c.order_id)).where(
        Invoice.gross_fen != back.c.kept_fen,
        (Invoice.status == Status.WAITING) | (Invoice.status == Status.REFUSED)
        | (Invoice.status.in_(AT_VENDOR) & untold & Invoice.id.not_in(on_its_way)),
    )  # fmt: skip
    return list(query.order_by(Invoice.id).limit(limit))
