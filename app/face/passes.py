"""What becomes of a pass: used up once, or over with its time."""

from __future__ import annotations

from datetime import datetime

from app.account import service as account
from app.core.db import compare_and_set
from app.face.errors import FACE_CHECK_NEEDED
from app.face.models import FaceCheck
from app.face.queries import require_pass
from app.face.status import OPEN, Action, CheckStatus, next_status


def consume_pass(person_id: str, purpose: str, subject: str | None, *, now: datetime) -> str:
    """Use up a good pass, for example for one study session; gives the check's id. Of callers at the same time one
    gets it. A pass ends with the consent it rests on. Joins the caller's transaction. Raises `face_check_needed`."""
    if not account.has_consent(person_id, "face"):
        raise FACE_CHECK_NEEDED(purpose=purpose)
    for _ in range(5):
        found = require_pass(person_id, purpose, subject, now=now)
        values = {"status": next_status(found.status, Action.CONSUME), "consumed_at": now}
        if compare_and_set(FaceCheck, found.id, {"status": found.status}, values):
            return str(found.id)
    raise FACE_CHECK_NEEDED(purpose=purpose)


def expire_checks(*, now: datetime, limit: int = 1000) -> int:
    """Close checks and passes whose time is over; gives their number. (They are refused without this, too.)"""
    alive = (*OPEN, CheckStatus.PASSED)
    over = FaceCheck.select(FaceCheck.id, FaceCheck.status).where(
        FaceCheck.status.in_(alive), FaceCheck.expires_at <= now
    )
    closed = 0
    for check in list(over.limit(limit)):
        values = {"status": next_status(check.status, Action.EXPIRE)}
        closed += compare_and_set(FaceCheck, check.id, {"status": check.status}, values)
    return closed
