"""Are the invoices right? Their invariants, over the whole database."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import datetime, timedelta

from app.core.clock import utcnow
from app.invoice import queries, tax
from app.invoice.models import Invoice, InvoiceEvent, InvoiceFile
from app.invoice.status import AT_VENDOR, NotAllowed, Status, next_status
from app.pay import queries as orders
from app.pay.models import Order
from app.pay.status import OrderStatus
from app.policy import load

PLANNED_WITHIN = timedelta(hours=1)


def audit_invoices(now: datetime | None = None) -> list[str]:
    """What is wrong at `now` (default: this moment), a sentence each; an empty list: each paid order of a programme
    that makes invoices by itself has exactly one, within the hour; amounts and tax add up to what was paid; what is
    ready has its file and its number; no invoice is for money that went back without a person knowing; each history
    is one path through the table."""
    now = now or utcnow()
    files = {row_id for (row_id,) in InvoiceFile.select(InvoiceFile.id).tuples()}
    back = orders.given_back()
    steps: dict[str, list[InvoiceEvent]] = defaultdict(list)
    for event in InvoiceEvent.select():
        steps[event.invoice_id].append(event)
    wrong: list[str] = []
    for row in Invoice.select():
        wrong += _audit_money(row, orders.get_order(row.order_id)) + _audit_file(row, files)
        wrong += _audit_path(row, steps.pop(row.id, []))
        told = row.red_letter_at is not None or row.issued_at is None or row.issued_at >= now - PLANNED_WITHIN
        if row.order_id in back and row.status in AT_VENDOR and not told:
            wrong.append(f"invoice {row.id} stands, its money went back, and nobody was told")
    wrong += [f"history of invoice {row_id}, which is not there" for row_id in steps]
    automatic = [one for one in load.all_programmes() if one.invoice and one.invoice.issued == "automatic"]
    missing = queries.without_invoice(automatic, now - PLANNED_WITHIN, 10_000)
    return wrong + [f"order {order.id} is paid and has no invoice" for order in missing]


def _audit_money(row: Invoice, order: Order) -> list[str]:
    wrong = []
    if order.status != OrderStatus.PAID:
        wrong.append(f"invoice {row.id} of order {order.id}, which is {order.status}")
    parts = tax.total([line.amount for line in queries.lines(row)])
    if parts != tax.Split(row.gross_fen, row.net_fen, row.tax_fen):
        wrong.append(f"invoice {row.id}: its lines do not add up to it")
    if row.net_fen + row.tax_fen != row.gross_fen or row.gross_fen != order.amount_fen:
        wrong.append(f"invoice {row.id}: {row.net_fen} and {row.tax_fen} fen of tax for {order.amount_fen} fen paid")
    return wrong


def _audit_file(row: Invoice, files: set[str]) -> list[str]:
    wrong = []
    if (row.status == Status.READY) != (row.id in files):
        wrong.append(f"invoice {row.id} is {row.status}, and its file does not fit that")
    if row.status in (Status.ISSUED, Status.READY) and not (row.number and row.issued_at):
        wrong.append(f"invoice {row.id} is {row.status} with something missing")
    if row.status not in AT_VENDOR and row.number:
        wrong.append(f"invoice {row.id} is {row.status} and has a number")
    waits = row.status in queries.WORKED_ON and row.hold is None
    if waits != (row.next_at is not None):
        wrong.append(f"invoice {row.id} is {row.status}, and when it is looked at again does not fit that")
    return wrong


def _audit_path(row: Invoice, steps: list[InvoiceEvent]) -> list[str]:
    wrong = []
    balance = Counter({Status.WAITING.value: 1})
    for step in steps:
        try:
            if next_status(step.before, step.action) != step.after:
                wrong.append(f"invoice {row.id}: {step.before} {step.action} → {step.after}")
        except NotAllowed as refused:
            wrong.append(f"invoice {row.id}: {refused}")
        balance.update({step.before: -1, step.after: 1})
    last = [status for status, count in balance.items() if count]
    if last != [row.status]:
        wrong.append(f"invoice {row.id} is {row.status}, its history leads to {last}")
    return wrong
