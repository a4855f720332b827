"""Work for a person to decide."""

from __future__ import annotations

import peewee

from app.core.crypto import Sealed
from app.core.db import BaseModel, UtcField


class Case(BaseModel):
    """`kind` says which domain filed it and what it is about ('pay.mismatch'); `subject` names the row
    ('attempt:<id>'). One open question per kind and subject: `open_key` is unique, and cleared by the decision, after
    which the same question can come up again."""

    kind = peewee.CharField(48)
    subject = peewee.CharField(64)
    status = peewee.CharField(16, default="open")
    open_key = peewee.CharField(120, null=True, unique=True)
    facts = Sealed()
    facts_sealed = peewee.TextField()
    filed_at = UtcField()
    decision = Sealed()
    decision_sealed = peewee.TextField(null=True)
    decided_by = peewee.CharField(64, null=True)
    decided_at = UtcField(null=True)

    class Meta:
        indexes = ((("kind", "subject"), False), (("status", "filed_at"), False))
