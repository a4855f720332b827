"""Completion proofs: what was true at the issue, sealed; nothing on a proof changes afterwards but its status."""

from __future__ import annotations

import peewee

from app.core.crypto import Sealed
from app.core.db import BaseModel, UtcField


class Proof(BaseModel):
    """One proof an enrolment. `number` stands on the paper, `token` in its QR code; both come with the issue, and so
    do name, ID number and certificate number as they were then. `unwritable` lists the characters of the name that
    the paper's font lacks ('U+2A6DF U+…'): staff look at these."""

    enrolment_id = peewee.CharField(16, unique=True)
    person_id = peewee.CharField(16, index=True)
    programme = peewee.CharField(32)
    version = peewee.CharField(10)
    kind_code = peewee.CharField(32)
    status = peewee.CharField(16)
    number = peewee.CharField(24, null=True, unique=True)
    token = peewee.CharField(32, null=True, unique=True)
    name = Sealed()
    name_sealed = peewee.TextField(null=True)
    id_number = Sealed()
    id_number_sealed = peewee.TextField(null=True)
    certificate_no = Sealed()
    certificate_no_sealed = peewee.TextField(null=True)
    unwritable = peewee.CharField(200, null=True)
    earned_at = UtcField()
    looked_at = UtcField()  # when the photo was last looked for: the longest ago comes first
    issued_at = UtcField(null=True)
    revoked_at = UtcField(null=True)

    class Meta:
        indexes = ((("status", "looked_at"), False),)


class ProofPhoto(BaseModel):
    """The photo on the proof with the same id, as it was at the issue: JPEG, sealed under the photo store's keys. It
    stands in SQL, so that it commits with the proof and is there on every host."""

    sealed = peewee.BlobField()


def photo_aad(proof_id: str) -> str:
    """What the photo's ciphertext is bound to."""
    return f"proof_photo.{proof_id}"


class ProofEvent(BaseModel):
    """One line of a proof's history; `reason` of a revocation."""

    proof_id = peewee.CharField(16, index=True)
    at = UtcField()
    action = peewee.CharField(16)
    status = peewee.CharField(16)
    actor = peewee.CharField(40)
    reason = peewee.CharField(200, null=True)
