"""Persons and how they get in. Who they are is encrypted; one person across all programmes."""

from __future__ import annotations

import peewee

from app.core.crypto import Sealed
from app.core.db import BaseModel, UtcField


class Person(BaseModel):
    """One human being. `phone_origin`: 'roster' (a regulator or an employer supplied it) or 'verified' (a code came
    back from it). `password_hash` None: the programme's first password, which opens nothing but the activation."""

    id_number = Sealed(indexed=True)
    id_number_sealed = peewee.TextField()
    id_number_index = peewee.CharField(32, unique=True)
    name = Sealed(indexed=True)
    name_sealed = peewee.TextField()
    name_index = peewee.CharField(32, index=True)
    phone = Sealed(indexed=True)
    phone_sealed = peewee.TextField(null=True)
    phone_index = peewee.CharField(32, null=True, index=True)
    phone_origin = peewee.CharField(16, null=True)
    password_hash = peewee.CharField(160, null=True)
    activated_at = UtcField(null=True)
    created_at = UtcField()


class Session(BaseModel):
    """A sign-in. `activated` False: opens nothing but the activation. Over at `ended_at` or `expires_at`."""

    person_id = peewee.CharField(16, index=True)
    programme = peewee.CharField(32)
    channel = peewee.CharField(16)
    activated = peewee.BooleanField()
    created_at = UtcField()
    expires_at = UtcField()
    ended_at = UtcField(null=True)


class Consent(BaseModel):
    """A person agreed to a text ('agreement', or 'face' for face data) in a version of it."""

    person_id = peewee.CharField(16)
    kind = peewee.CharField(16)
    version = peewee.CharField(16)
    agreed_at = UtcField()

    class Meta:
        indexes = ((("person_id", "kind", "version"), True),)
