"""Any domain files a case; the console shows them (it comes with the centre's console)."""

from __future__ import annotations

import json
from datetime import datetime

import structlog

from app.cases.models import Case
from app.core.db import insert_once

log = structlog.get_logger(__name__)


def file(kind: str, subject: str, facts: dict[str, str | int | None], *, now: datetime) -> bool:
    """File a case for a person to decide, and raise an alert in the log. False if this one is on file already."""
    fresh = insert_once(
        Case, kind=kind, subject=subject, facts=json.dumps(facts, ensure_ascii=False), status="open", filed_at=now
    )
    if fresh:
        log.warning("case_filed", kind=kind, subject=subject)
    return fresh


def open_cases(kind: str | None = None) -> list[Case]:
    """Open cases, the oldest first."""
    query = Case.select().where(Case.status == "open")
    if kind is not None:
        query = query.where(Case.kind == kind)
    return list(query.order_by(Case.filed_at))


def of_kind(kind: str) -> list[Case]:
    """All cases of a kind, decided ones too."""
    return list(Case.select().where(Case.kind == kind))
