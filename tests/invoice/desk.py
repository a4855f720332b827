"""A desk: paid orders, the vendor's own books, and the work of the background."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, TypeVar

import requests

from app.cases import service as cases
from app.core import outbox
from app.core.clock import utcnow
from app.invoice import issuing, queries, watch
from app.invoice.models import Invoice
from app.pay import service as pay
from tests.pay.till import Sale, a_sale, scan, show_code
from tests.world import World

Result = TypeVar("Result")
HTTP = 10.0


def a_paid_sale(world: World, *, before: Callable[[Sale], None] = lambda sale: None) -> Sale:
    """A person who paid this moment, at the sandbox's platform; what follows from it was delivered. `before` is done
    between checkout and payment."""
    sale = a_sale()
    before(sale)
    scan(world, show_code(sale))
    pay.check_payment(sale.person.id, sale.order_id, now=utcnow())
    outbox.sweep(now=utcnow())
    return sale


def the_invoice(sale: Sale) -> Invoice:
    """The invoice of a sale, as it is now."""
    row = queries.of_order(sale.order_id)
    assert row is not None
    return row


def due(sale: Sale) -> datetime:
    """The first moment when the invoice of a sale may be issued."""
    moment: datetime = the_invoice(sale).due_from
    return moment


def last_moment(sale: Sale) -> datetime:
    """The last moment in time."""
    moment: datetime = the_invoice(sale).due_until
    return moment


def work(sale: Sale, *, until: timedelta = timedelta(minutes=30), step: float = 15) -> Invoice:
    """Let the background work from the moment when the invoice is looked at next, in steps of `step` seconds, until
    it rests or `until` is over."""
    waits: datetime = the_invoice(sale).next_at or due(sale)
    began = max(due(sale), waits)
    now = began
    while now <= began + until:
        issuing.work(now=now)
        row = the_invoice(sale)
        if row.next_at is None:
            return row
        later: datetime = row.next_at
        now = max(now + timedelta(seconds=step), later)
    return the_invoice(sale)


def at_once(world: World) -> None:
    """The vendor issues as soon as it is asked."""
    world.sandbox.box.invoice_seconds = 0.0


def books(world: World) -> list[dict[str, Any]]:
    """What the vendor has issued or is issuing, the newest first."""
    answer = requests.get(f"{world.sandbox.url}/_control/invoices", timeout=HTTP)
    found: list[dict[str, Any]] = answer.json()
    return found


def booked(world: World, row: Invoice) -> list[dict[str, Any]]:
    """What the vendor has for this order, under whatever number."""
    return [one for one in books(world) if row.order_id.upper() in one["orderNo"]]


def asked(world: World, operation: str) -> int:
    """How often the vendor was asked for that."""
    return world.sandbox.box.journal.count("invoice", operation)


def trouble(world: World, operation: str, kind: str, value: Any = None, times: int | None = 1) -> None:
    """Something goes wrong at the vendor."""
    world.sandbox.box.knobs.add("invoice", operation, kind, value, times)


def open_cases(kind: str, row: Invoice) -> int:
    """How many cases of that kind are open about the invoice."""
    return sum(case.subject == f"invoice:{row.id}" for case in cases.open_cases(kind))


def to_decide(row: Invoice) -> list[str]:
    """The kinds of the cases that are open about the invoice."""
    return sorted(case.kind for case in cases.open_cases() if case.subject == f"invoice:{row.id}")


def look_after(now: datetime) -> None:
    """What the schedule does beside the way of single invoices, and the events of it."""
    watch.look_after(now=now)
    outbox.sweep(now=now)
