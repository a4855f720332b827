"""A red letter that staff issued in the tax bureau's own system, where the vendor could not: one of finance enters it
with its PDF, two decide, and the correction goes on as if the vendor had issued it."""

from __future__ import annotations

import base64
import json
import re
from datetime import date, datetime, time

from app.cases import service as cases
from app.cases.models import Case
from app.core import audit
from app.core.clock import SHANGHAI
from app.core.db import compare_and_set, transaction
from app.invoice import corrections, queries, red_letters
from app.invoice.errors import (
    INVOICE_BEING_CORRECTED,
    INVOICE_NOT_CORRECTED,
    RED_DAY,
    RED_ENTERED,
    RED_FILE,
    RED_NUMBER,
    RED_NUMBER_TAKEN,
    RED_ON_ITS_WAY,
)
from app.invoice.ledger import file_case
from app.invoice.models import Invoice, RedEntry, RedLetter
from app.invoice.red_letters import PATIENCE
from app.invoice.status import AT_VENDOR, RedStatus
from app.policy.days import shanghai_day

CASE = "invoice.red_by_hand"
ASKING = (corrections.CASE, "invoice.red_letter", "invoice.mismatch")
MAX_FILE = 5 * 1024 * 1024
NUMBER = re.compile(r"\d{20}|\d{8}")  # a digital invoice's; one of before


def may_enter(row: Invoice, *, now: datetime) -> bool:
    """Whether a red letter may be entered for this invoice now."""
    return _why_not(row, now) is None


def _why_not(row: Invoice, now: datetime) -> str | None:
    """'not_corrected': nobody asked for a correction. 'on_its_way': the vendor has a form of ours, and may issue one
    itself (what the buyer has not agreed to in three days is void at the bureau)."""
    if row.status not in AT_VENDOR or queries.is_void(row):
        return "not_corrected"
    red = queries.red_letter_of(row.id)
    if red is not None and red.status != RedStatus.WITHDRAWN:
        over = red.status in (RedStatus.PLANNED, RedStatus.REFUSED) and red.number is None
        over |= red.status == RedStatus.APPLIED and red.sent_at is not None and red.sent_at <= now - PATIENCE
        return None if over else "on_its_way"
    subject = f"invoice:{row.id}"
    asked = any(cases.open_about(kind, [subject]) for kind in ASKING)
    return None if asked else "not_corrected"


def enter(row: Invoice, number: str, day: date | None, pdf: bytes, *, reason: str, actor: str, now: datetime) -> None:
    """Enter the red letter `number` of `day` (Shanghai) for an invoice that is being corrected, with its PDF: a case,
    which two people decide. Raises `invoice_not_corrected`, `red_on_its_way`, `red_number`, `red_day`, `red_file`,
    `red_number_taken`, `red_entered`."""
    number = "".join(number.split())
    if not NUMBER.fullmatch(number):
        raise RED_NUMBER(fields={"number": RED_NUMBER.sentence})
    if day is None or row.issued_at is None or not shanghai_day(row.issued_at) <= day <= shanghai_day(now):
        raise RED_DAY(fields={"day": RED_DAY.sentence})
    if not pdf.startswith(b"%PDF-") or len(pdf) > MAX_FILE:
        raise RED_FILE(fields={"file": RED_FILE.sentence})
    with transaction():
        _require(row, number, now)
        entry = RedEntry.create(
            invoice_id=row.id,
            number=number,
            day=day.isoformat(),
            pdf=base64.b64encode(pdf).decode(),
            entered_by=actor,
            entered_at=now,
        )
        facts: dict[str, str | int | None] = {"entry": entry.id, "order": row.order_id, "words": reason}
        if not file_case(CASE, row, facts, now=now):
            raise RED_ENTERED()
        audit.record(actor, "invoice.red_entered", f"invoice:{row.id}", now=now, reason=reason, number=number)


def _require(row: Invoice, number: str, now: datetime) -> None:
    why = _why_not(Invoice.get_by_id(row.id), now)
    if why is not None:
        raise (RED_ON_ITS_WAY if why == "on_its_way" else INVOICE_NOT_CORRECTED)()
    if any(model.select(model.id).where(model.number == number).exists() for model in (Invoice, RedLetter)):
        raise RED_NUMBER_TAKEN()


def entry_of(case: Case) -> RedEntry:
    """What a case asks about."""
    found: RedEntry = RedEntry.get_by_id(json.loads(case.facts).get("entry"))
    return found


def paper(case: Case) -> bytes:
    """The PDF that was entered."""
    return base64.b64decode(entry_of(case).pdf)


def take(case: Case, *, reason: str, actor: str, now: datetime) -> None:
    """It is right: the invoice is over, and the next one is planned if money is kept. Raises `invoice_not_corrected`,
    `red_on_its_way`, `red_number_taken`, `invoice_being_corrected`, `conflict`."""
    entry = entry_of(case)
    with transaction():
        row = queries.by_id(entry.invoice_id)
        _require(row, entry.number, now)
        issued_at = datetime.combine(date.fromisoformat(entry.day), time(), SHANGHAI)
        compare_and_set(Invoice, row.id, {"red_letter_at": None}, {"red_letter_at": now})
        if not red_letters.by_hand(row, entry.number, issued_at, corrections.asked_name(row), actor=actor, now=now):
            raise INVOICE_BEING_CORRECTED()
        audit.record(actor, "invoice.red_taken", f"invoice:{row.id}", now=now, reason=reason, number=entry.number)


def turn_down(case: Case, *, reason: str, actor: str, now: datetime) -> None:
    """It is not right: the invoice stays as it is, and it may be entered anew."""
    audit.record(actor, "invoice.red_turned_down", case.subject, now=now, reason=reason)
