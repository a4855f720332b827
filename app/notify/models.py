"""Messages to phones."""

from __future__ import annotations

import peewee

from app.core.crypto import Sealed
from app.core.db import BaseModel, UtcField


class Sms(BaseModel):
    """One SMS. `key` is the business key: one message, however often it is asked for. Template and sign are kept as
    the programme's file had them when it was queued. `params` (a JSON list): a code is forgotten once the provider
    was called for the last time, what support may send once more after a month. `claimed_at`: when the call began.
    `ask_at`: when to ask for its report."""

    key = peewee.CharField(96, unique=True)
    person_id = peewee.CharField(16, index=True)
    programme = peewee.CharField(32)
    authority = peewee.CharField(64)
    template = peewee.CharField(32)
    template_id = peewee.CharField(32)
    sign = peewee.CharField(32)
    phone = Sealed(indexed=True)
    phone_sealed = peewee.TextField()
    phone_index = peewee.CharField(32)
    params = Sealed()
    params_sealed = peewee.TextField(null=True)
    status = peewee.CharField(16)
    tries = peewee.IntegerField(default=0)
    created_at = UtcField(index=True)
    send_at = UtcField()
    expires_at = UtcField(null=True)
    claimed_at = UtcField(null=True)
    sent_at = UtcField(null=True)
    reported_at = UtcField(null=True)
    ask_at = UtcField(null=True)
    asked = peewee.IntegerField(default=0)
    serial_no = peewee.CharField(64, null=True, index=True)
    provider_code = peewee.CharField(64, null=True)

    class Meta:
        indexes = (
            (("status", "send_at"), False),
            (("status", "ask_at"), False),
            (("phone_index", "status"), False),
        )
