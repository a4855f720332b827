"""Taking an invoice back and issuing the next one: who may ask for it, and what finance decides (the cases, under a
second look). Each verb is one transaction with its line in the audit log; `actor` is 'staff:<id>', `reason` is
theirs."""

from __future__ import annotations

import json
from datetime import datetime

from app.cases import service as cases
from app.core import audit
from app.core.db import transaction
from app.invoice import issuing, payers, queries, red_letters
from app.invoice.errors import (
    INVOICE_BEING_CORRECTED,
    INVOICE_NOT_READY,
    INVOICE_NOTHING_TO_CORRECT,
    INVOICE_ON_ITS_WAY,
)
from app.invoice.ledger import file_case, move, move_red
from app.invoice.models import Invoice, PayerProfile
from app.invoice.status import AT_VENDOR, Action, RedStatus, Status

CASE = "invoice.correction"


def ask(row: Invoice, profile: PayerProfile | None, words: str, *, asked_by: str, now: datetime) -> None:
    """The payer, or finance, wants an invoice corrected: into the name of `profile` (None: the same name). A person
    decides; asked again while that is open, the case stays as it is. Raises `invoice_not_ready`,
    `invoice_being_corrected`, `invoice_nothing_to_correct` (the payer's details are the ones that stand on it)."""
    if row.status != Status.READY:
        raise INVOICE_NOT_READY()
    if queries.being_reversed([row.id]):
        raise INVOICE_BEING_CORRECTED()
    own = asked_by.startswith("person:")
    if own and (profile is None or payers.of_row(profile) == payers.of_row(queries.buyer(row))):
        raise INVOICE_NOTHING_TO_CORRECT()
    facts: dict[str, str | int | None] = {
        "order": row.order_id,
        "number": row.number,
        "by": "payer" if own else "staff",
        "words": words,
        "profile_id": profile.id if profile is not None else row.profile_id,
    }
    with transaction():
        if file_case(CASE, row, facts, now=now):
            Invoice.update(answer=None).where(Invoice.id == row.id).execute()
            audit.record(asked_by, "invoice.correction_asked", f"invoice:{row.id}", now=now, reason=words)


def asked_name(row: Invoice) -> str | None:
    """In whose name the next one is asked for by a correction that nobody has decided yet, or None."""
    case = cases.latest(CASE, f"invoice:{row.id}")
    if case is None or not case.open_key:
        return None
    named: str | None = json.loads(case.facts).get("profile_id")
    return named


def turn_down(invoice_id: str, answer: str, *, reason: str, actor: str, now: datetime) -> None:
    """The invoice stays as it is; the payer reads the answer ('same', 'unproven', 'used') beside it."""
    row = queries.by_id(invoice_id)
    with transaction():
        Invoice.update(answer=answer).where(Invoice.id == row.id).execute()
        audit.record(actor, "invoice.correction_refused", f"invoice:{row.id}", now=now, reason=reason)


def reverse(
    invoice_id: str, *, why: str, profile_id: str | None = None, reason: str, actor: str, now: datetime
) -> None:
    """Take an invoice back by a red letter; of the money that is kept then the next one is issued, in the name of
    this profile (None: `asked_name`, or the same). One that was voided at the vendor has nothing to take back: the
    next one follows at once. Raises `not_found`, `invoice_on_its_way`, `invoice_being_corrected`, `conflict`."""
    row = queries.by_id(invoice_id)
    profile_id = profile_id or asked_name(row) or row.profile_id
    with transaction():
        if row.status not in AT_VENDOR or (not row.number and not queries.is_void(row)):
            raise INVOICE_ON_ITS_WAY()
        if queries.is_void(row):
            if not move(row, Action.CANCEL, "voided at the vendor", now=now, next_at=None, number=None):
                raise INVOICE_ON_ITS_WAY()
            issuing.follow_kept(row, profile_id, now=now)
        elif not red_letters.plan(row, why, profile_id, actor=actor, now=now):
            raise INVOICE_BEING_CORRECTED()
        Invoice.update(red_letter_at=now).where(Invoice.id == row.id).execute()
        for kind in ("invoice.red_letter", "invoice.mismatch", CASE):
            cases.decide_about(kind, f"invoice:{row.id}", reason, actor=actor, now=now)
        audit.record(actor, "invoice.reversed", f"invoice:{row.id}", now=now, reason=reason)


def issue_kept(invoice_id: str, *, reason: str, actor: str, now: datetime) -> None:
    """Of an invoice that was given up because a part of its money went back: one of what is kept. Raises `not_found`,
    `invoice_on_its_way` (there is one already, or nothing is kept)."""
    row = queries.by_id(invoice_id)
    with transaction():
        if row.status != Status.CANCELLED or not issuing.follow(row, row.profile_id, now=now):
            raise INVOICE_ON_ITS_WAY()
        cases.decide_about("invoice.part_kept", f"invoice:{row.id}", reason, actor=actor, now=now)
        audit.record(actor, "invoice.rest_issued", f"invoice:{row.id}", now=now, reason=reason)


def retry_red(invoice_id: str, *, reason: str, actor: str, now: datetime) -> None:
    """The cause of a refused red letter was mended: it is asked for anew. Raises `not_found`,
    `invoice_on_its_way`."""
    row = queries.by_id(invoice_id)
    with transaction():
        red = queries.red_letter_of(row.id)
        if red is None or not red_letters.again(red, now=now):
            raise INVOICE_ON_ITS_WAY()
        cases.decide_about("invoice.red_refused", f"invoice:{row.id}", reason, actor=actor, now=now)
        audit.record(actor, "invoice.red_letter_retried", f"invoice:{row.id}", now=now, reason=reason)


def accept_red(invoice_id: str, *, reason: str, actor: str, now: datetime) -> None:
    """A red letter of another amount, or of one that nobody said, is taken as it is: the invoice is over. Raises
    `not_found`, `invoice_on_its_way` (the bureau has none), `conflict`."""
    row = queries.by_id(invoice_id)
    with transaction():
        red = queries.red_letter_of(row.id)
        if red is None or not red_letters.accept(red, row, now=now):
            raise INVOICE_ON_ITS_WAY()
        cases.decide_about("invoice.red_refused", f"invoice:{row.id}", reason, actor=actor, now=now)
        audit.record(actor, "invoice.red_letter_accepted", f"invoice:{row.id}", now=now, reason=reason)


def withdraw(invoice_id: str, *, reason: str, actor: str, now: datetime) -> None:
    """There is to be no red letter after all: the invoice stands, with the money that went back by now, if it was
    for that. Raises `not_found`, `invoice_on_its_way`."""
    row = queries.by_id(invoice_id)
    with transaction():
        red = queries.red_letter_of(row.id)
        if red is None or red.status != RedStatus.REFUSED or red.number:  # one that exists is not withdrawn
            raise INVOICE_ON_ITS_WAY()
        if not move_red(red, Action.CANCEL, "decided", now=now):
            raise INVOICE_ON_ITS_WAY()
        known_at = now if red.why == "money_back" else None  # of a mistake: nothing was decided about money
        Invoice.update(red_letter_at=known_at).where(Invoice.id == row.id).execute()
        cases.decide_about("invoice.red_refused", f"invoice:{row.id}", reason, actor=actor, now=now)
        audit.record(actor, "invoice.red_letter_withdrawn", f"invoice:{row.id}", now=now, reason=reason)


def issue_none(invoice_id: str, ended: str, *, reason: str, actor: str, now: datetime) -> None:
    """A refused invoice is not issued; the payer is told why, and what to do ('details': correct them and ask again;
    'offline': staff issue it elsewhere; 'none'). Raises `not_found`, `invoice_on_its_way`."""
    row = queries.by_id(invoice_id)
    with transaction():
        if row.status != Status.REFUSED or not move(row, Action.CANCEL, "decided", now=now, ended=ended):
            raise INVOICE_ON_ITS_WAY()
        audit.record(actor, "invoice.not_issued", f"invoice:{row.id}", now=now, reason=reason)
