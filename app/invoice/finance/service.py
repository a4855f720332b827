"""What finance does about invoices at its desk. Each verb looks at the right first, asks for a reason, and is
audited."""

from __future__ import annotations

from datetime import date, datetime

from app.core.errors import NOT_FOUND
from app.core.staff import Right, Staff
from app.invoice import by_hand, corrections, decisions
from app.invoice.errors import REASON_NEEDED
from app.invoice.finance import queries
from app.policy import load as policy

REASON = (2, 200)  # characters


def reason_of(text: str) -> str:
    """The reason in one line. Raises `reason_needed`."""
    reason = " ".join(text.split())
    if not REASON[0] <= len(reason) <= REASON[1]:
        raise REASON_NEEDED(fields={"reason": REASON_NEEDED.sentence})
    return reason


def hold(staff: Staff, invoice_id: str, reason: str, *, now: datetime) -> None:
    """Keep one invoice back. Raises `not_found`, `reason_needed`, `invoice_on_its_way`."""
    row = queries.one(staff, invoice_id)
    decisions.hold(row.id, reason=reason_of(reason), actor=staff.actor, now=now)


def release(staff: Staff, invoice_id: str, reason: str, *, now: datetime) -> None:
    """Let one go on. Raises as `hold`."""
    row = queries.one(staff, invoice_id)
    decisions.release(row.id, reason=reason_of(reason), actor=staff.actor, now=now)


def _programme(staff: Staff, programme: str) -> str:
    if programme not in {one.key for one in policy.all_programmes()} or not staff.may(Right.FINANCE, programme):
        raise NOT_FOUND()
    return programme


def hold_programme(staff: Staff, programme: str, reason: str, *, now: datetime) -> None:
    """Send none of a programme's invoices. Raises `not_found`, `reason_needed`."""
    programme = _programme(staff, programme)
    decisions.hold_programme(programme, reason=reason_of(reason), actor=staff.actor, now=now)


def release_programme(staff: Staff, programme: str, reason: str, *, now: datetime) -> None:
    """Let them go on. Raises as `hold_programme`."""
    programme = _programme(staff, programme)
    decisions.release_programme(programme, reason=reason_of(reason), actor=staff.actor, now=now)


def ask_correction(staff: Staff, invoice_id: str, reason: str, *, now: datetime) -> None:
    """Finance itself wants an invoice taken back and issued anew: a case, which two people decide. Raises
    `not_found`, `reason_needed`, `invoice_not_ready`, `invoice_being_corrected`."""
    row = queries.one(staff, invoice_id)
    corrections.ask(row, None, reason_of(reason), asked_by=staff.actor, now=now)


def enter_red(
    staff: Staff, invoice_id: str, number: str, day: date | None, pdf: bytes, reason: str, *, now: datetime
) -> None:
    """A red letter that was issued in the tax bureau's own system: a case, which two people decide. Raises
    `not_found`, `reason_needed`, and as `by_hand.enter`."""
    row = queries.one(staff, invoice_id)
    by_hand.enter(row, number, day, pdf, reason=reason_of(reason), actor=staff.actor, now=now)
