"""An attempt given back: one that a crash or a network took, not the person. The attempt and its score stay in the
history; the person may begin one more in its subject."""

from __future__ import annotations

from datetime import datetime

from app.core import audit
from app.core.db import insert_once, transaction
from app.core.errors import NOT_FOUND
from app.exam.errors import NOT_GIVEN_BACK
from app.exam.models import Attempt, AttemptGrant
from app.exam.status import Status

LOST = (Status.LEFT, Status.TIMED_OUT)


def give_back(attempt_id: str, *, reason: str, evidence: str, words: str, actor: str, now: datetime) -> bool:
    """One attempt more for this one: once, however often it is asked (False then). `reason`: a template's key,
    `evidence`: what shows it, in the staff's words; `words`: both, for the audit log. Raises `not_found`,
    `attempt_not_given_back` for one that is open, was handed in, or passed."""
    row: Attempt | None = Attempt.get_or_none(Attempt.id == attempt_id)
    if row is None:
        raise NOT_FOUND()
    if row.status not in LOST or row.passed:
        raise NOT_GIVEN_BACK()
    with transaction():
        fresh = insert_once(
            AttemptGrant,
            id=row.id,
            enrolment_id=row.enrolment_id,
            subject=row.subject,
            actor=actor,
            reason=reason,
            evidence=evidence,
            at=now,
        )
        if fresh:
            subject = f"exam_attempt:{row.id}"
            audit.record(actor, "exam.attempt_given_back", subject, now=now, programme=row.programme, reason=words)
    return fresh
