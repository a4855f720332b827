"""The audit log: who did what to whom, when, in which request. Written in the transaction of the deed."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

import peewee
import structlog

from app.core.db import BaseModel, UtcField
from app.core.logging import redact_text


class AuditEntry(BaseModel):
    """`actor` is 'person:<id>', 'staff:<id>' or 'system'; `data` holds masked values and ids only. `programme`: in
    which it was done, where the deed belongs to one: only its staff read the line on a person's page."""

    at = UtcField(index=True)
    actor = peewee.CharField(40)
    action = peewee.CharField(64)
    subject = peewee.CharField(64, index=True)
    data = peewee.TextField()
    request_id = peewee.CharField(40, null=True)
    programme = peewee.CharField(32, null=True)


@dataclass(frozen=True)
class Line:
    """A line of the log, as it is read again."""

    id: str
    at: datetime
    actor: str
    action: str
    subject: str
    data: dict[str, str | int | bool | None]


def about(
    subjects: Collection[str],
    *,
    limit: int,
    programmes: Collection[str] | None = None,
    older: peewee.Expression | None = None,
    without: Collection[str] = (),
) -> list[Line]:
    """What was done about any of these, the latest first; `older`: of that part of the log; `without`: but these
    actions. `programmes`: what staff did about a person in another one, or in none that is known, is left out."""
    query = AuditEntry.select().where(AuditEntry.subject.in_(list(subjects)))
    if programmes is not None:
        by_staff = AuditEntry.subject.startswith("person:") & AuditEntry.actor.startswith("staff:")
        query = query.where(AuditEntry.programme.in_(list(programmes)) | (AuditEntry.programme.is_null() & ~by_staff))
    if without:
        query = query.where(AuditEntry.action.not_in(list(without)))
    if older is not None:
        query = query.where(older)
    rows = query.order_by(AuditEntry.at.desc(), AuditEntry.id.desc()).limit(limit)
    return [Line(row.id, row.at, row.actor, row.action, row.subject, json.loads(row.data)) for row in rows]


def moments(actor: str, actions: Collection[str], *, since: datetime) -> list[datetime]:
    """When the actor did any of these since then, the first time first."""
    query = AuditEntry.select(AuditEntry.at).where(
        AuditEntry.at > since, AuditEntry.actor == actor, AuditEntry.action.in_(list(actions))
    )
    return [at for (at,) in query.order_by(AuditEntry.at).tuples()]


def record(actor: str, action: str, subject: str, *, now: datetime, **data: str | int | bool | None) -> None:
    """Add a line, for example `record('person:…', 'phone.changed', 'person:…', now=now, old='138****1234')`;
    `programme=`: in which it is done. ID numbers and phones that somebody wrote into a text are masked."""
    request_id = structlog.contextvars.get_contextvars().get("request_id")
    programme = data.get("programme")
    if programme is None:
        data.pop("programme", None)
    said = {name: redact_text(value) if isinstance(value, str) else value for name, value in data.items()}
    AuditEntry.create(
        at=now,
        actor=actor,
        action=action,
        subject=subject,
        data=json.dumps(said, ensure_ascii=False),
        request_id=request_id,
        programme=programme,
    )
