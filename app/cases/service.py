"""Any domain files a case; a person decides it (`python -m ops.manage cases`, until there is a console)."""

from __future__ import annotations

import json
from datetime import datetime

import structlog

from app.cases.models import Case
from app.core import audit
from app.core.db import compare_and_set, insert_once, transaction
from app.core.errors import CONFLICT, NOT_FOUND

log = structlog.get_logger(__name__)


def file(kind: str, subject: str, facts: dict[str, str | int | None], *, now: datetime) -> bool:
    """File a case for a person to decide, and raise an alert in the log. False while this question is open
    already; once it was decided, it can be filed again."""
    fresh = insert_once(
        Case,
        kind=kind,
        subject=subject,
        open_key=f"{kind}|{subject}",
        facts=json.dumps(facts, ensure_ascii=False),
        status="open",
        filed_at=now,
    )
    if fresh:
        log.warning("case_filed", kind=kind, subject=subject)
    return fresh


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
        if not compare_and_set(Case, case_id, {"status": "open"}, values | {"decision_sealed": sealed}):
            if Case.get_by_id(case_id).decision != decision:
                raise CONFLICT()
            return False
        audit.record(actor, "case.decided", f"case:{case_id}", now=now, kind=case.kind, about=case.subject)
    return True


def decide_about(kind: str, subject: str, decision: str, *, actor: str, now: datetime) -> bool:
    """Close the open case of this kind about this subject, as `decide` does: False if there is none."""
    case = Case.get_or_none(Case.kind == kind, Case.subject == subject, Case.status == "open")
    return case is not None and decide(case.id, decision, actor=actor, now=now)


def open_cases(kind: str | None = None) -> list[Case]:
    """Open cases, the oldest first."""
    query = Case.select().where(Case.status == "open")
    if kind is not None:
        query = query.where(Case.kind == kind)
    return list(query.order_by(Case.filed_at))


def of_kind(kind: str) -> list[Case]:
    """All cases of a kind, decided ones too."""
    return list(Case.select().where(Case.kind == kind))
