"""Work for a person to decide."""

from __future__ import annotations

import peewee

from app.core.crypto import Sealed
from app.core.db import BaseModel, UtcField


class Case(BaseModel):
    """`kind` says which domain filed it and what it is about ('pay.mismatch'); `subject` names the row
    ('attempt:<id>'); one open question per kind and subject."""

    kind = peewee.CharField(48)
    subject = peewee.CharField(64)
    status = peewee.CharField(16, default="open")
    facts = Sealed()
    facts_sealed = peewee.TextField()
    filed_at = UtcField()
    decided_at = UtcField(null=True)

    class Meta:
        indexes = ((("kind", "subject"), True), (("status", "filed_at"), False))
