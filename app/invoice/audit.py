"""Are the invoices right? Their invariants, over the whole database."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable
from datetime import datetime, timedelta

from app.cases import service as cases
from app.core.clock import utcnow
from app.invoice import queries, tax
from app.invoice.models import Invoice, InvoiceEvent, InvoiceFile, RedLetter
from app.invoice.status import (
    AT_VENDOR,
    ENDED,
    RED_WORKED_ON,
    Action,
    NotAllowed,
    RedStatus,
    Status,
    next_red,
    next_status,
)
from app.invoice.watch import NO_PAYER
from app.pay import queries as orders
from app.pay.models import Order
from app.pay.status import OrderStatus
from app.policy import load

PLANNED_WITHIN = timedelta(hours=1)


def audit_invoices(now: datetime | None = None) -> list[str]:
    """What is wrong at `now` (default: this moment), a sentence each; an empty list: each paid order of a programme
    that makes invoices by itself has one, within the hour, and at most one that is not over; amounts and tax add up
    to what was paid, or was kept of it; what is ready has its file and its number; no invoice is for money that went
    back without a person knowing; one is taken back exactly if its red letter is there, and another
    follows if money is kept; each history is one path through its table."""
    now = now or utcnow()
    files = {row_id for (row_id,) in InvoiceFile.select(InvoiceFile.id).tuples()}
    back = {order_id: (int(left), last_at) for order_id, left, last_at in orders.going_back().tuples()}
    asked = {case.subject for case in cases.open_cases("invoice.red_letter")}
    steps: dict[str, list[InvoiceEvent]] = defaultdict(list)
    for event in InvoiceEvent.select():
        steps[event.invoice_id].append(event)
    wrong: list[str] = []
    reds = {red.invoice_id: red for red in RedLetter.select()}
    followed = {before for (before,) in Invoice.select(Invoice.replaces).tuples()}
    for row in Invoice.select():
        path = steps.pop(row.id, [])
        wrong += _audit_money(row, orders.get_order(row.order_id), path) + _audit_file(row, files)
        wrong += _audit_path(row, path)
        wrong += _audit_red(row, reds.get(row.id))
        left_fen, last_at = back.get(row.order_id, (row.gross_fen, now))
        if row.status == Status.REVERSED and left_fen > 0 and row.id not in followed:
            wrong.append(f"invoice {row.id} is reversed, money is kept, and there is no next invoice")
        fresh = max(last_at, row.issued_at or now) >= now - PLANNED_WITHIN
        told = f"invoice:{row.id}" in asked or _decided(row, reds.get(row.id), last_at)
        if left_fen != row.gross_fen and row.status in AT_VENDOR and not (told or fresh):
            wrong.append(f"invoice {row.id} stands, its money went back, and nobody was told")
    for red in reds.values():
        wrong += _audit_steps(f"red letter {red.id}", red.status, RedStatus.PLANNED, steps.pop(red.id, []), next_red)
    wrong += [f"history of invoice {row_id}, which is not there" for row_id in steps]
    automatic = [one for one in load.all_programmes() if one.invoice and one.invoice.issued == "automatic"]
    missing = queries.without_invoice(automatic, now - PLANNED_WITHIN, 10_000)
    asked_for = {case.subject for case in cases.of_kind(NO_PAYER)}  # decided ones, too: it wants no invoice
    missing = [order for order in missing if f"order:{order.id}" not in asked_for]
    return wrong + [f"order {order.id} is paid and has no invoice" for order in missing]


def _decided(row: Invoice, red: RedLetter | None, last_at: datetime) -> bool:
    """Whether people decided that the invoice is taken back, or that it stands although money went back by then."""
    if red is None or red.status != RedStatus.WITHDRAWN:
        return red is not None
    return bool(red.why == "money_back" and row.red_letter_at is not None and row.red_letter_at >= last_at)


def _audit_money(row: Invoice, order: Order, path: list[InvoiceEvent]) -> list[str]:
    wrong = []
    if order.status != OrderStatus.PAID:
        wrong.append(f"invoice {row.id} of order {order.id}, which is {order.status}")
    accepted = any(step.action == Action.ACCEPT for step in path)  # with the vendor's tax
    if not accepted and tax.total(queries.split_of(row)) != tax.Split(row.gross_fen, row.net_fen, row.tax_fen):
        wrong.append(f"invoice {row.id}: its lines do not add up to it")
    whole = row.gross_fen == order.amount_fen or (row.replaces is not None and row.gross_fen < order.amount_fen)
    if row.net_fen + row.tax_fen != row.gross_fen or not whole:
        wrong.append(f"invoice {row.id}: {row.net_fen} and {row.tax_fen} fen of tax for {order.amount_fen} fen paid")
    return wrong


def _audit_file(row: Invoice, files: set[str]) -> list[str]:
    wrong = []
    if (row.live_key == row.order_id) == (row.status in ENDED):
        wrong.append(f"invoice {row.id} is {row.status}, and its order's key does not fit that")
    if row.status != Status.REVERSED and (row.status == Status.READY) != (row.id in files):
        wrong.append(f"invoice {row.id} is {row.status}, and its file does not fit that")
    if row.status in (Status.ISSUED, Status.READY) and not (row.number and row.issued_at):
        wrong.append(f"invoice {row.id} is {row.status} with something missing")
    if row.status not in (*AT_VENDOR, Status.REVERSED) and row.number:
        wrong.append(f"invoice {row.id} is {row.status} and has a number")
    waits = row.status in queries.WORKED_ON and row.hold is None
    if waits != (row.next_at is not None):
        wrong.append(f"invoice {row.id} is {row.status}, and when it is looked at again does not fit that")
    return wrong


def _audit_red(row: Invoice, red: RedLetter | None) -> list[str]:
    wrong = []
    there = red is not None and red.status == RedStatus.ISSUED
    if (row.status == Status.REVERSED) != there:
        wrong.append(f"invoice {row.id} is {row.status}, and its red letter does not fit that")
    if red is not None and (
        (there != bool(red.number) and red.status != RedStatus.REFUSED)
        or (red.status in RED_WORKED_ON) != (red.next_at is not None)
    ):
        wrong.append(f"red letter {red.id} is {red.status}, and its number or its next time does not fit that")
    return wrong


def _audit_path(row: Invoice, steps: list[InvoiceEvent]) -> list[str]:
    return _audit_steps(f"invoice {row.id}", row.status, Status.WAITING, steps, next_status)


def _audit_steps(
    name: str, status: str, first: str, steps: list[InvoiceEvent], following: Callable[[str, str], str]
) -> list[str]:
    wrong = []
    balance = Counter({str(first): 1})
    for step in steps:
        try:
            if following(step.before, step.action) != step.after:
                wrong.append(f"{name}: {step.before} {step.action} → {step.after}")
        except NotAllowed as refused:
            wrong.append(f"{name}: {refused}")
        balance.update({step.before: -1, step.after: 1})
    last = [one for one, count in balance.items() if count]
    if last != [status]:
        wrong.append(f"{name} is {status}, its history leads to {last}")
    return wrong
