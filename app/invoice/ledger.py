"""The one door for changes of an invoice's status: compare-and-set, history row and event in one transaction."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from app.cases import service as cases
from app.core import outbox
from app.core.db import compare_and_set, transaction
from app.invoice.models import Invoice, InvoiceEvent
from app.invoice.status import OVER, Action, NotAllowed, Status, next_status

TRIES = 10  # each lost race means that another worker moved the row on


def move(row: Invoice, action: Action, evidence: str, *, now: datetime, **values: Any) -> bool:
    """Apply `action` and set `values` if it follows the row's status; True if this caller did it. Who loses a race
    looks again, and goes on if the action still follows. `row` gets the new status."""
    with transaction():
        for _ in range(TRIES):
            before = row.status
            try:
                after = next_status(before, action)
            except NotAllowed:
                return False
            if compare_and_set(Invoice, row.id, {"status": before}, {"status": after, "tries": 0, **values}):
                InvoiceEvent.create(
                    invoice_id=row.id, action=action, before=before, after=after, at=now, evidence=evidence[:120]
                )
                row.status = after
                _tell(row, after, now)
                return True
            row.status = Invoice.get_by_id(row.id).status
    raise RuntimeError(f"invoice {row.id} does not come to rest")


def _tell(row: Invoice, after: Status, now: datetime) -> None:
    if after == Status.READY:
        outbox.emit("invoice.ready", row.id, {"invoice_id": row.id}, now=now)
    if after in OVER:
        cases.decide_about("invoice.late", f"invoice:{row.id}", f"it is {after}", actor="system", now=now)
