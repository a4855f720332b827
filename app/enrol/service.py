"""The life of an enrolment: who may study, and what the events of other domains make of it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from app.core.db import compare_and_set, transaction
from app.core.errors import CONFLICT, NOT_FOUND, ProblemKind
from app.enrol import queries
from app.enrol.errors import NOT_PAID_YET, STUDY_PERIOD_OVER
from app.enrol.models import Enrolment, EnrolmentEvent
from app.enrol.roster.service import import_roster as import_roster
from app.enrol.status import OPEN, Action, Status, next_status
from app.enrol.unmasking import unmask as unmask

LAPSE_BATCH = 500


def get(enrolment_id: str) -> Enrolment:
    """The enrolment with this id, whoever's it is. Raises `NOT_FOUND`."""
    row = Enrolment.get_or_none(Enrolment.id == enrolment_id)
    if row is None:
        raise NOT_FOUND()
    return row


def study_access(enrolment_id: str, person_id: str, *, now: datetime) -> Enrolment:
    """The person's enrolment, if studying (and sitting the exam) is open at `now`: paid and inside the study period,
    or passed, which allows looking again. Raises `NOT_FOUND` (also for another person's), `NOT_PAID_YET`,
    `STUDY_PERIOD_OVER`. Yunnan manual, step 3 (四) 1."""
    (row,) = queries.owned([enrolment_id], person_id)
    if refusal := study_refusal(row, now=now):
        raise refusal()
    return row


def study_refusal(row: Enrolment, *, now: datetime) -> ProblemKind | None:
    """Why the enrolment's owner cannot study at `now`: `NOT_PAID_YET`, `STUDY_PERIOD_OVER` (also before the job has
    found that it lapsed), or nothing."""
    if row.status == Status.SIGNED_UP:
        return NOT_PAID_YET
    late = row.status == Status.STUDYING and row.study_deadline is not None and now > row.study_deadline
    return STUDY_PERIOD_OVER if row.status == Status.LAPSED or late else None


def move(row: Enrolment, action: Action, *, now: datetime, reference: str | None = None, **values: Any) -> None:
    """Apply `action` to the enrolment as it was read, with its history line, in the caller's transaction; `values`
    are columns that change with it. Raises `status.NotAllowed`, and `CONFLICT` if another worker changed the row."""
    after = next_status(Status(row.status), action)
    values |= {"status": after, "open_entry_id": row.open_entry_id if after in OPEN else None}
    if not Enrolment.update(values).where(Enrolment.id == row.id, _as_read(row)).execute():
        raise CONFLICT()
    EnrolmentEvent.create(enrolment_id=row.id, at=now, action=action, status=after, reference=reference)
    for name, value in values.items():
        setattr(row, name, value)


def _as_read(row: Enrolment) -> Any:
    """That the row is still as it was read. An order may change while the status stays, so it counts too."""
    same_order = Enrolment.order_id.is_null() if row.order_id is None else Enrolment.order_id == row.order_id
    return (Enrolment.status == row.status) & same_order


def passed(payload: dict[str, str], now: datetime) -> None:
    """Subscriber of `exam.passed`: every subject is passed."""
    row = get(payload["enrolment_id"])
    if next_status(Status(row.status), Action.PASS) != row.status:
        move(row, Action.PASS, now=now, passed_at=now)


def completed(payload: dict[str, str], now: datetime) -> None:
    """Subscriber of `proof.issued`: the way is at its end."""
    row = get(payload["enrolment_id"])
    if next_status(Status(row.status), Action.COMPLETE) != row.status:
        move(row, Action.COMPLETE, now=now, passed_at=row.passed_at or now, completed_at=now)


def lapse(*, now: datetime) -> int:
    """Scheduled: those whose study period is over without a pass. The deadline itself is still in time. At most
    `LAPSE_BATCH` a run; gives the number lapsed."""
    due = (
        Enrolment.select()
        .where(Enrolment.status == Status.STUDYING, Enrolment.study_deadline < now)
        .order_by(Enrolment.study_deadline)
        .limit(LAPSE_BATCH)
    )
    count = 0
    for row in list(due):
        with transaction():
            # not by `move`: a pass that arrives meanwhile is no conflict, it has simply won
            values = {"status": next_status(Status.STUDYING, Action.LAPSE), "open_entry_id": None}
            where = {"status": Status.STUDYING, "study_deadline": row.study_deadline}
            if compare_and_set(Enrolment, row.id, where, values):
                EnrolmentEvent.create(enrolment_id=row.id, at=now, action=Action.LAPSE, status=Status.LAPSED)
                count += 1
    return count
