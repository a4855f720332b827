"""The one door for changes of status: compare-and-set, the history row, the outbox row, in one transaction."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from app.cases import service as cases
from app.core import outbox
from app.core.db import compare_and_set, transaction
from app.pay.models import Order, OrderLine, PaymentAttempt, PaymentEvent, Refund
from app.pay.status import NotAllowed, OrderStatus, next_attempt, next_order, next_refund

Row = Order | PaymentAttempt | Refund
TABLES: dict[type[Row], tuple[str, Callable[[str, Any], str]]] = {
    Order: ("order", next_order),
    PaymentAttempt: ("attempt", next_attempt),
    Refund: ("refund", next_refund),
}
TRIES = 10  # each lost race means that another worker moved the row on; no row has as many statuses


def move(row: Row, action: str, evidence: str, *, now: datetime, **values: Any) -> bool:
    """Apply `action` and set `values` if it follows the row's status; True if this caller did it. `row` may have been
    read before the transaction: who loses a race looks again, and goes on if the action still follows."""
    kind, next_status = TABLES[type(row)]
    with transaction():
        for _ in range(TRIES):
            before = row.status
            try:
                after = next_status(before, action)
            except NotAllowed:
                return False
            if compare_and_set(type(row), row.id, {"status": before}, {"status": after, **values}):
                _write_down(row, kind, action, before, after, evidence, now)
                row.status = after
                return True
            row.status = type(row).get_by_id(row.id).status
    raise RuntimeError(f"{kind} {row.id} does not come to rest")


def file_case(kind: str, row: PaymentAttempt | Refund, facts: dict[str, str | int | None], *, now: datetime) -> bool:
    """File a case about an attempt or a refund, as `cases.file` does."""
    order = Order.get_by_id(row.order_id)
    subject = f"{TABLES[type(row)][0]}:{row.id}"
    return cases.file(kind, subject, facts, programme=order.programme, person_id=order.person_id, now=now)


def _write_down(row: Row, kind: str, action: str, before: str, after: str, evidence: str, now: datetime) -> None:
    order_id = row.id if isinstance(row, Order) else row.order_id
    PaymentEvent.create(
        order_id=order_id,
        kind=kind,
        subject_id=row.id,
        action=action,
        before=before,
        after=after,
        at=now,
        evidence=evidence[:120],
    )
    if not isinstance(row, Order):
        return
    if after == OrderStatus.CLOSED:
        OrderLine.update(open_sku=None).where(OrderLine.order_id == row.id).execute()
        outbox.emit("order.closed", row.id, {"order_id": row.id}, now=now)
    elif after == OrderStatus.PAID:
        outbox.emit("order.paid", row.id, {"order_id": row.id}, now=now)
