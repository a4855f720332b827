"""Staff of the centre: their accounts, rights, second factors and sessions. Trainees' accounts are another table."""

from __future__ import annotations

import peewee

from app.core.crypto import Sealed
from app.core.db import BaseModel, UtcField


class Member(BaseModel):
    """One of the staff. `password_hash` None: invited, not yet here. `invitation`: what the link names that sets a
    password, once. `totp`: the second factor's secret, valid from `totp_at` on; `totp_step`: the last time step of
    which a code was used, so that each is good once. Disabled since `disabled_at`. `made_by`: the
    member in whose hand it is, who made it or its first link, until a second administrator has agreed."""

    login = peewee.CharField(32, unique=True)
    name = peewee.CharField(32)
    password_hash = peewee.CharField(160, null=True)
    invitation = peewee.CharField(16, null=True)
    totp = Sealed()
    totp_sealed = peewee.TextField(null=True)
    totp_at = UtcField(null=True)
    totp_step = peewee.BigIntegerField(default=0)
    created_at = UtcField()
    disabled_at = UtcField(null=True)
    made_by = peewee.CharField(16, null=True)

    class Meta:
        table_name = "staff_member"


class MemberRight(BaseModel):
    """A right of a member within a programme, or everywhere ('*')."""

    member_id = peewee.CharField(16)
    right = peewee.CharField(16, column_name="right_name")  # `right` is a word of SQL's
    programme = peewee.CharField(32)

    class Meta:
        table_name = "staff_right"
        indexes = ((("member_id", "right", "programme"), True),)


class RecoveryCode(BaseModel):
    """A code in place of the second factor, once."""

    member_id = peewee.CharField(16, index=True)
    code_hash = peewee.CharField(64)
    used_at = UtcField(null=True)

    class Meta:
        table_name = "staff_recovery_code"


class MemberSession(BaseModel):
    """A sign-in. `stage`: 'enrol' (the second factor is still to be set up), 'factor' (still to be given), 'full'.
    Over at `ended_at` or `expires_at`, or when nobody was there since `seen_at` for too long."""

    member_id = peewee.CharField(16, index=True)
    stage = peewee.CharField(8)
    created_at = UtcField()
    seen_at = UtcField()
    expires_at = UtcField(index=True)
    ended_at = UtcField(null=True)

    class Meta:
        table_name = "staff_session"
