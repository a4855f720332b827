"""The audit log: who did what to whom, when, in which request. Written in the transaction of the deed."""

from __future__ import annotations

import json
from datetime import datetime

import peewee
import structlog

from app.core.db import BaseModel, UtcField


class AuditEntry(BaseModel):
    """`actor` is 'person:<id>', 'staff:<id>' or 'system'; `data` holds masked values and ids only."""

    at = UtcField(index=True)
    actor = peewee.CharField(40)
    action = peewee.CharField(64)
    subject = peewee.CharField(64, index=True)
    data = peewee.TextField()
    request_id = peewee.CharField(40, null=True)


def moments(actor: str, action: str, *, since: datetime) -> list[datetime]:
    """When the actor did this since then, the first time first."""
    query = AuditEntry.select(AuditEntry.at).where(
        AuditEntry.at > since, AuditEntry.actor == actor, AuditEntry.action == action
    )
    return [at for (at,) in query.order_by(AuditEntry.at).tuples()]


def record(actor: str, action: str, subject: str, *, now: datetime, **data: str | int | bool | None) -> None:
    """Add a line, for example `record('person:…', 'phone.changed', 'person:…', now=now, old='138****1234')`."""
    request_id = structlog.contextvars.get_contextvars().get("request_id")
    AuditEntry.create(
        at=now,
        actor=actor,
        action=action,
        subject=subject,
        data=json.dumps(data, ensure_ascii=False),
        request_id=request_id,
    )
