"""Any domain files a case; a person decides it, in the console (work.py) or by `python -m ops.manage`."""

from __future__ import annotations

import json
from collections.abc import Collection
from datetime import UTC, datetime, time

import structlog

from app.cases import kinds
from app.cases.messages import Preview, preview
from app.cases.models import Case
from app.cases.work import (
    Outcome,
    batch_decision,
    claim,
    confirm,
    decide_by_staff,
    mark_of,
    paper_of,
    picture_of,
    proposal,
    release,
    send_back,
    take_next,
)
from app.core import audit
from app.core.clock import SHANGHAI
from app.core.db import compare_and_set, insert_once, transaction
from app.core.errors import CONFLICT, NOT_FOUND
from app.core.staff import EVERYWHERE
from app.policy import load as policy
from app.policy import working_days
from app.policy.days import shanghai_day

__all__ = [
    "Outcome",
    "Preview",
    "batch_decision",
    "claim",
    "confirm",
    "decide",
    "decide_about",
    "decide_by_staff",
    "decide_of_person",
    "file",
    "latest",
    "mark_of",
    "of_kind",
    "open_about",
    "open_cases",
    "paper_of",
    "picture_of",
    "preview",
    "proposal",
    "release",
    "send_back",
    "take_next",
    "told_since",
]

log = structlog.get_logger(__name__)

OPEN = ("open", "second_look", "waiting")


def open_key(kind: str, subject: str) -> str:
    """What is unique while the question is open."""
    return f"{kind}|{subject}"


def file(
    kind: str,
    subject: str,
    facts: dict[str, str | int | None],
    *,
    programme: str = EVERYWHERE,
    person_id: str | None = None,
    now: datetime,
) -> bool:
    """File a case for a person to decide, and raise an alert in the log; `programme`: whose staff decide it (of none:
    who may do so everywhere), `person_id`: whom it is about. False while this question is open already; one that
    waited for the end of what was begun is back in its queue then. Once decided, it can be filed again."""
    fresh = insert_once(
        Case,
        kind=kind,
        subject=subject,
        programme=programme,
        person_id=person_id,
        open_key=open_key(kind, subject),
        facts=json.dumps(facts, ensure_ascii=False),
        status="open",
        filed_at=now,
        due_at=_due_at(kind, programme, now),
    )
    if fresh:
        log.warning("case_filed", kind=kind, subject=subject)
        return True
    back = Case.update(status="open").where(Case.open_key == open_key(kind, subject), Case.status == "waiting")
    if back.execute():
        log.warning("case_came_back", kind=kind, subject=subject)
    return False


def _due_at(kind: str, programme: str, now: datetime) -> datetime | None:
    described = kinds.of(kind)
    if described is None:
        return None
    try:
        calendar = policy.in_force(programme, now).calendar
    except policy.UnknownProgramme:  # of none, or not open: the state's calendar
        calendar = None
    last = working_days.add(shanghai_day(now), described.working_days, calendar)
    return datetime.combine(last, time.max, SHANGHAI).astimezone(UTC)


def decide(case_id: str, decision: str, *, actor: str, now: datetime) -> bool:
    """Close a case. `decision`: what was decided, in words; `actor`: 'staff:<id>' or 'system'. It changes nothing
    else: what follows from it is done where it belongs. False if it was decided so before. Raises `not_found`,
    `conflict` (it was decided otherwise)."""
    values = {"status": "decided", "open_key": None, "decided_by": actor, "decided_at": now}
    sealed = Case(id=case_id, decision=decision).decision_sealed
    with transaction():
        case = Case.get_or_none(Case.id == case_id)
        if case is None:
            raise NOT_FOUND()
        still_open = {"open_key": open_key(case.kind, case.subject)}
        if not compare_and_set(Case, case_id, still_open, values | {"decision_sealed": sealed}):
            if Case.get_by_id(case_id).decision != decision:
                raise CONFLICT()
            return False
        audit.record(actor, "case.decided", f"case:{case_id}", now=now, kind=case.kind, about=case.subject)
    return True


def decide_about(kind: str, subject: str, decision: str, *, actor: str, now: datetime) -> bool:
    """Close the open case of this kind about this subject, as `decide` does: False if there is none."""
    case = Case.get_or_none(Case.open_key == open_key(kind, subject))
    return case is not None and decide(case.id, decision, actor=actor, now=now)


def decide_of_person(kind: str, person_id: str, decision: str, *, actor: str, now: datetime) -> int:
    """Close the open cases of this kind about this person, as `decide` does; gives how many."""
    rows = Case.select().where(Case.person_id == person_id, Case.kind == kind, Case.status.in_(OPEN))
    return sum(decide(case.id, decision, actor=actor, now=now) for case in list(rows))


def open_cases(kind: str | None = None) -> list[Case]:
    """Open cases, the oldest first."""
    query = Case.select().where(Case.status.in_(OPEN))
    if kind is not None:
        query = query.where(Case.kind == kind)
    return list(query.order_by(Case.filed_at))


def latest(kind: str, subject: str) -> Case | None:
    """The case that was filed last about this subject, open or decided."""
    found = Case.select().where(Case.kind == kind, Case.subject == subject)
    row: Case | None = found.order_by(Case.filed_at.desc(), Case.id.desc()).first()
    return row


def told_since(kind: str, subject: str, moment: datetime) -> bool:
    """Whether somebody has this question before them, or has decided it after `moment`: for what finds the same
    again and again, and would undo the decision by asking anew."""
    last = latest(kind, subject)
    return last is not None and (last.decided_at is None or last.decided_at > moment)


def open_about(kind: str, subjects: Collection[str]) -> dict[str, str]:
    """About which of these subjects a case of this kind is open, and which case."""
    keys = [open_key(kind, subject) for subject in subjects]
    query = Case.select(Case.subject, Case.id).where(Case.open_key.in_(keys))
    return dict(query.tuples()) if keys else {}


def of_kind(kind: str) -> list[Case]:
    """All cases of a kind, decided ones too."""
    return list(Case.select().where(Case.kind == kind))
