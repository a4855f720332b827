"""Work for a person to decide."""

from __future__ import annotations

import peewee

from app.core.crypto import Sealed
from app.core.db import BaseModel, UtcField
from app.core.staff import EVERYWHERE


class Case(BaseModel):
    """`kind` says which domain filed it and what it is about ('pay.mismatch'); `subject` names the row
    ('attempt:<id>'). One open question per kind and subject: `open_key` is unique, and cleared by the decision, after
    which the same question can come up again.

    `status`: 'open'; 'second_look' (somebody has `proposed`, another one confirms it); 'waiting' (something was done
    about it, and the domain that filed it closes it, or brings it back); 'decided'. `claimed_by` has it until
    `claimed_until`: nobody else decides meanwhile. `due_at`: the end of the last working day on which it should be
    decided. `proposed` (JSON): a decision's key, reason and note."""

    kind = peewee.CharField(48)
    subject = peewee.CharField(64)
    programme = peewee.CharField(32, null=True, default=EVERYWHERE)  # NULL: filed by the version before; as none
    person_id = peewee.CharField(16, null=True, index=True)
    status = peewee.CharField(16, default="open")
    open_key = peewee.CharField(120, null=True, unique=True)
    facts = Sealed()
    facts_sealed = peewee.TextField()
    filed_at = UtcField()
    due_at = UtcField(null=True)
    claimed_by = peewee.CharField(64, null=True)
    claimed_until = UtcField(null=True)
    proposed = Sealed()
    proposed_sealed = peewee.TextField(null=True)
    proposed_by = peewee.CharField(64, null=True)
    proposed_at = UtcField(null=True)
    decision = Sealed()
    decision_sealed = peewee.TextField(null=True)
    decided_by = peewee.CharField(64, null=True)
    decided_at = UtcField(null=True)

    class Meta:
        indexes = (
            (("kind", "subject"), False),
            (("status", "filed_at"), False),
            (("status", "kind", "filed_at"), False),
            (("status", "decided_at"), False),
            (("decided_by", "decided_at"), False),
            (("filed_at",), False),
        )
