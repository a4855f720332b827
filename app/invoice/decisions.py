"""What finance decides about an invoice on its way, and about a whole programme's. Each verb is one transaction
with its line in the audit log; `actor` is 'staff:<id>', `reason` is theirs."""

from __future__ import annotations

from datetime import datetime
from functools import partial

from app.cases import service as cases
from app.core import audit
from app.core.db import after_commit, compare_and_set, insert_once, transaction
from app.core.queue import enqueue_hint
from app.invoice import queries
from app.invoice.errors import INVOICE_NOT_AS_ASKED, INVOICE_ON_ITS_WAY
from app.invoice.issuing import ADVANCE
from app.invoice.ledger import move
from app.invoice.models import Invoice, ProgrammeHold
from app.invoice.status import Action, Status

ACCEPTABLE = ("tax", "amount left out")  # what may be wrong with an invoice that is accepted


def hold(invoice_id: str, *, reason: str, actor: str, now: datetime) -> None:
    """Keep an invoice back that was not sent yet. Raises `not_found`, `invoice_on_its_way`."""
    row = queries.by_id(invoice_id)
    if row.hold == "finance" and row.status == Status.WAITING:
        return
    with transaction():
        seen = {"status": Status.WAITING, "hold": row.hold}
        if not compare_and_set(Invoice, row.id, seen, {"hold": "finance", "next_at": None}):
            raise INVOICE_ON_ITS_WAY()
        _write_down(row, "invoice.held", reason, actor, now)


def release(invoice_id: str, *, reason: str, actor: str, now: datetime) -> None:
    """A person has checked the money: the invoice goes on when its working days have come, and the platform is not
    asked again. Raises `not_found`, `invoice_on_its_way` (it is not held)."""
    row = queries.by_id(invoice_id)
    opens: datetime = row.due_from
    if row.hold is None:
        raise INVOICE_ON_ITS_WAY()
    due = max(opens, now)
    values = {"hold": None, "settled_at": now, "next_at": due}
    with transaction():
        if not compare_and_set(Invoice, row.id, {"status": Status.WAITING, "hold": row.hold}, values):
            raise INVOICE_ON_ITS_WAY()
        cases.decide_about("invoice.settlement", f"invoice:{row.id}", reason, actor=actor, now=now)
        _write_down(row, "invoice.released", reason, actor, now)
        _hint(row, due, now)


def retry(invoice_id: str, *, reason: str, actor: str, now: datetime) -> None:
    """The cause of a refusal was mended at the vendor: it is asked again, under the same number. Raises `not_found`,
    `invoice_on_its_way`."""
    row = queries.by_id(invoice_id)
    with transaction():
        if not move(row, Action.RETRY, "decided", now=now, next_at=now):
            raise INVOICE_ON_ITS_WAY()
        cases.decide_about("invoice.refused", f"invoice:{row.id}", reason, actor=actor, now=now)
        _write_down(row, "invoice.retried", reason, actor, now)
        _hint(row, now, now)


def accept(invoice_id: str, *, reason: str, actor: str, now: datetime) -> None:
    """What the vendor issued is to be taken as it is: the invoice has its tax. Another amount than the money that was
    paid is never right. Raises `not_found`, `invoice_on_its_way`, `invoice_not_as_asked`."""
    row = queries.by_id(invoice_id)
    if row.status == Status.DISPUTED and queries.mismatch_of(row).get("wrong") not in ACCEPTABLE:
        raise INVOICE_NOT_AS_ASKED()
    _, tax_fen = queries.issued_fen(row)
    amounts = {"tax_fen": tax_fen, "net_fen": row.gross_fen - tax_fen} if tax_fen is not None else {}
    with transaction():
        if not move(row, Action.ACCEPT, "decided", now=now, next_at=now, **amounts):
            raise INVOICE_ON_ITS_WAY()
        cases.decide_about("invoice.mismatch", f"invoice:{row.id}", reason, actor=actor, now=now)
        _write_down(row, "invoice.accepted", reason, actor, now)
        _hint(row, now, now)


def hold_programme(programme: str, *, reason: str, actor: str, now: datetime) -> None:
    """Send none of a programme's invoices until it is released; again it changes nothing."""
    with transaction():
        held = {"programme": programme, "held_by": actor, "held_at": now, "reason": reason}
        if insert_once(ProgrammeHold, **held):
            audit.record(actor, "invoices.held", f"programme:{programme}", now=now, reason=reason)


def release_programme(programme: str, *, reason: str, actor: str, now: datetime) -> None:
    """The programme's invoices go on; those that were due in between at once. Each that was held for itself stays."""
    with transaction():
        if not ProgrammeHold.delete().where(ProgrammeHold.programme == programme).execute():
            return
        due = (Invoice.programme == programme) & (Invoice.status == Status.WAITING) & Invoice.hold.is_null()
        Invoice.update(next_at=now).where(due, Invoice.due_from <= now, Invoice.next_at > now).execute()
        audit.record(actor, "invoices.released", f"programme:{programme}", now=now, reason=reason)


def _hint(row: Invoice, due: datetime, now: datetime) -> None:
    if due <= now:
        after_commit(partial(enqueue_hint, ADVANCE, row.id))


def _write_down(row: Invoice, action: str, reason: str, actor: str, now: datetime) -> None:
    audit.record(actor, action, f"invoice:{row.id}", now=now, reason=reason)
