"""Faces: what is known of a person's face, the checks, and each try of a check. Pictures lie in files (store.py)."""

from __future__ import annotations

import peewee

from app.core.crypto import Sealed
from app.core.db import BaseModel, UtcField
from app.face.status import CheckStatus, PhotoStatus

EVIDENCE_DAYS = 30  # ours: pictures of tries are kept so long for complaints, then deleted


class FaceRecord(BaseModel):
    """One row a person. `anchor`: the live picture of the first real-name check that passed; every later photo is
    compared with it. `photo_index`: keyed hash of the file as it was uploaded, so that sending it again is no change.
    `tries`: tries since the last pass, the one under way included. `withdrawn_at`: when the consent was taken back
    under which the pictures came, until these are deleted. `version` goes up with every change."""

    person_id = peewee.CharField(16, unique=True)
    photo_file = peewee.CharField(80, null=True)
    photo_status = peewee.CharField(16, default=PhotoStatus.NONE)
    photo_index = peewee.CharField(32, null=True)
    photo_at = UtcField(null=True)
    anchor_file = peewee.CharField(80, null=True)
    anchor_check_id = peewee.CharField(16, null=True)
    anchored_at = UtcField(null=True)
    tries = peewee.IntegerField(default=0)
    tried_at = UtcField(null=True)
    withdrawn_at = UtcField(null=True, index=True)
    version = peewee.IntegerField(default=0)


class FaceCheck(BaseModel):
    """One check of one person for one purpose. `expires_at`: until when it can be done, and once passed, until when
    the pass is good. `nonce_index`: keyed hash of the secret that only its maker holds. `rule`: the purpose whose
    rule of the programme holds, settled at the start ('activation' for the first login). `asked_at`: when the
    provider was last asked how its page went."""

    person_id = peewee.CharField(16)
    programme = peewee.CharField(32)
    version = peewee.CharField(10)
    purpose = peewee.CharField(16)
    rule = peewee.CharField(16, default="")
    subject = peewee.CharField(32, default="")
    method = peewee.CharField(16)
    nonce_index = peewee.CharField(32)
    status = peewee.CharField(16, default=CheckStatus.CREATED)
    attempts = peewee.IntegerField(default=0)
    provider_ref = Sealed()
    provider_ref_sealed = peewee.TextField(null=True)
    reason = peewee.CharField(32, null=True)
    created_at = UtcField()
    expires_at = UtcField()
    asked_at = UtcField(null=True)
    passed_at = UtcField(null=True)
    consumed_at = UtcField(null=True)

    class Meta:
        indexes = ((("person_id", "purpose", "subject", "status"), False), (("status", "expires_at"), False))


class FaceAttempt(BaseModel):
    """The history of a check: one row a try. Scores are the provider's: match 0-100, liveness 0-1."""

    check_id = peewee.CharField(16, index=True)
    person_id = peewee.CharField(16, index=True)
    at = UtcField()
    outcome = peewee.CharField(16)
    reason = peewee.CharField(32, null=True)
    match_score = peewee.FloatField(null=True)
    liveness_score = peewee.FloatField(null=True)
    provider_code = peewee.CharField(16, null=True)
    evidence_file = peewee.CharField(80, null=True)
