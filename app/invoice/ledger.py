"""The one door for changes of the status of an invoice and of a red letter: compare-and-set, history row and event in
one transaction."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from app.cases import service as cases
from app.core import outbox
from app.core.db import compare_and_set, transaction
from app.invoice.models import Invoice, InvoiceEvent, RedLetter
from app.invoice.status import ENDED, Action, NotAllowed, Status, next_red, next_status
from app.pay import queries as orders

# cases that an end of the invoice leaves nothing to decide in
CLOSES: dict[Status, tuple[str, ...]] = {
    Status.READY: ("invoice.late",),
    Status.CANCELLED: ("invoice.late", "invoice.refused", "invoice.settlement", "invoice.mismatch"),
    Status.REVERSED: (
        "invoice.red_letter",
        "invoice.red_refused",
        "invoice.red_waiting",
        "invoice.red_by_hand",
        "invoice.mismatch",
        "invoice.correction",
    ),
}
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
            if after in ENDED:
                values["live_key"] = None
            if compare_and_set(Invoice, row.id, {"status": before}, {"status": after, "tries": 0, **values}):
                InvoiceEvent.create(
                    invoice_id=row.id, action=action, before=before, after=after, at=now, evidence=evidence[:120]
                )
                row.status = after
                _tell(row, after, now)
                return True
            row.status = Invoice.get_by_id(row.id).status
    raise RuntimeError(f"invoice {row.id} does not come to rest")


def move_red(row: RedLetter, action: Action, evidence: str, *, now: datetime, **values: Any) -> bool:
    """As `move`, of a red letter."""
    with transaction():
        for _ in range(TRIES):
            before = row.status
            try:
                after = next_red(before, action)
            except NotAllowed:
                return False
            if compare_and_set(RedLetter, row.id, {"status": before}, {"status": after, "tries": 0, **values}):
                InvoiceEvent.create(
                    invoice_id=row.id, action=action, before=before, after=after, at=now, evidence=evidence[:120]
                )
                row.status = after
                return True
            row.status = RedLetter.get_by_id(row.id).status
    raise RuntimeError(f"red letter {row.id} does not come to rest")


def give_up(row: Invoice, *, now: datetime) -> bool:
    """Money goes back before there is an invoice: none is made by itself any more. Of what is kept, if only a part
    goes back, one is due all the same: a case."""
    with transaction():
        if not move(row, Action.CANCEL, "money goes back", now=now, next_at=None, hold=None):
            return False
        left_fen = orders.kept_fen(row.order_id)
        if left_fen > 0:
            file_case("invoice.part_kept", row, {"order": row.order_id, "left_fen": left_fen}, now=now)
    return True


def file_case(kind: str, row: Invoice, facts: dict[str, str | int | None], *, now: datetime) -> bool:
    """File a case about an invoice, as `cases.file` does."""
    return cases.file(kind, f"invoice:{row.id}", facts, programme=row.programme, person_id=row.person_id, now=now)


def _tell(row: Invoice, after: Status, now: datetime) -> None:
    if after == Status.READY:
        outbox.emit("invoice.ready", row.id, {"invoice_id": row.id}, now=now)
    for kind in CLOSES.get(after, ()):
        cases.decide_about(kind, f"invoice:{row.id}", f"it is {after}", actor="system", now=now)
