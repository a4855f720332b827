"""J1 for invoices, as functions: a worker killed after the vendor took one, before it was written down."""

from __future__ import annotations

import os
import signal
from datetime import datetime, timedelta

from app.core import db, outbox
from app.core.clock import utcnow
from app.core.db import database
from app.core.ids import new_id
from app.invoice import issuing, queries
from app.invoice.audit import audit_invoices
from app.invoice.models import Invoice
from app.invoice.providers.protocol import Request
from app.pay import service as pay
from tests.pay.till import a_sale, lose_letters, scan, show_code
from tests.world import World


def a_planned_invoice(world: World) -> Invoice:
    """Of an order that was paid this moment, at a vendor that issues as soon as it is asked."""
    world.sandbox.box.invoice_seconds = 0.0
    lose_letters(world)
    sale = a_sale()
    scan(world, show_code(sale))
    pay.check_payment(sale.person.id, sale.order_id, now=utcnow())
    outbox.sweep(now=utcnow())
    row = queries.of_order(sale.order_id)
    if row is None:
        raise RuntimeError("a paid order without an invoice")
    return row


def _another_number(row: Invoice) -> Request:
    made = _request_of(row)
    return Request(f"F{new_id()}".upper(), made.ordered_at, made.buyer, made.lines, made.remark)


_request_of = issuing.request_of


def killed_after_the_call(row: Invoice, *, asks: bool) -> None:
    """A process that has the invoice issued, and is killed before it writes down what came of it; then another one
    works until it rests. With `asks` False each send has a number of its own, and nothing is asked before it."""
    database.close()
    database.obj.close_idle()  # no connection is carried over a fork
    child = os.fork()
    if child == 0:  # the child: nothing above it survives the kill
        with db.connection():
            if not asks:
                issuing.request_of = _another_number
            issuing._apply = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)  # type: ignore[assignment]
            issuing.advance(row.id, now=row.due_from)
        os._exit(1)
    _, status = os.waitpid(child, 0)
    if os.WTERMSIG(status) != signal.SIGKILL:
        raise RuntimeError("the child was not killed")
    database.connect(reuse_if_open=True)
    now: datetime = row.due_from
    for _ in range(10):
        now = now + timedelta(minutes=2)
        issuing.work(now=now)


def at_the_vendor(world: World, row: Invoice) -> int:
    """How many invoices the vendor has for this order."""
    remark = f"订单 {row.order_id}"
    return sum(one["order"]["remark"] == remark for _, one in world.sandbox.box.store.all("invoice", "order", 10_000))


def j1(world: World, tries: int) -> int:
    """Killed after the vendor took it: it is asked for, and there is one invoice."""
    violations = 0
    for _ in range(tries):
        row = a_planned_invoice(world)
        killed_after_the_call(row, asks=True)
        violations += at_the_vendor(world, row) != 1
        violations += Invoice.get_by_id(row.id).status != "ready"
    return violations + len(audit_invoices())


def j1_twin(world: World) -> bool:
    """Without the one number, and without asking first."""
    row = a_planned_invoice(world)
    asks = issuing._ask
    issuing._ask, issuing.request_of = issuing._send, _another_number
    try:
        killed_after_the_call(row, asks=False)
    finally:
        issuing._ask, issuing.request_of = asks, _request_of
    return at_the_vendor(world, row) > 1
