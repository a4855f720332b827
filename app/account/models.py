"""Persons and how they get in. Who they are is encrypted; one person across all programmes."""

from __future__ import annotations

import peewee

from app.core.crypto import Sealed
from app.core.db import BaseModel, UtcField


class Person(BaseModel):
    """One human being. `phone_origin`: 'roster' (a regulator or an employer supplied it), 'verified' (a code came
    back from it) or 'support' (two of the staff entered it). `merged_into`: it was the same human being as that
    one, who has everything since; this row opens nothing any more. `password_hash` None: the programme's first
    password, which opens nothing but the activation. `password_set_at`: since when the password is what it is; what
    was bound with an earlier one opens nothing."""

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
    password_set_at = UtcField(null=True)
    activated_at = UtcField(null=True)
    created_at = UtcField()
    merged_into = peewee.CharField(16, null=True, index=True)


class Session(BaseModel):
    """A sign-in. `proved` False: opens nothing but the activation. `activated`: a full one, that is proved, and the
    person has a password of their own and agreed to the user agreement, in the version `agreement`: once another one
    is in force it is none any more, until they agreed to that. Over at `ended_at` or `expires_at`. `followed_by`: the
    session that the activation opened in its place."""

    person_id = peewee.CharField(16, index=True)
    programme = peewee.CharField(32)
    channel = peewee.CharField(16)
    proved = peewee.BooleanField()
    activated = peewee.BooleanField()
    agreement = peewee.CharField(16, null=True)
    created_at = UtcField()
    expires_at = UtcField(index=True)
    ended_at = UtcField(null=True)
    followed_by = peewee.CharField(16, null=True)


# what a session is judged by, in this order
SESSION_COLUMNS = (Session.person_id, Session.activated, Session.expires_at, Session.agreement)


class Consent(BaseModel):
    """A person agreed to a text ('agreement', or 'face' for face data) in a version of it. `session_id`: in which
    session, so that what a stranger ticked before the owner proved who they are does not count."""

    person_id = peewee.CharField(16)
    kind = peewee.CharField(16)
    version = peewee.CharField(16)
    session_id = peewee.CharField(16, null=True)
    agreed_at = UtcField()

    class Meta:
        indexes = ((("person_id", "kind", "version"), True),)


class VerificationCode(BaseModel):
    """A code by SMS. `subject_index`: the index of the ID number that was typed. `asker_index`: the address or the
    session that asked, the only one where it is good. `window_index`: whose window it counts in. `reserved`: it may
    take from the reserve of its phone.

    A row without a person was never sent: asked for somebody unknown, it is made all the same, with a phone that
    nobody has, so that both cases look alike from outside."""

    subject_index = peewee.CharField(32)
    asker_index = peewee.CharField(32)
    window_index = peewee.CharField(32)
    person_id = peewee.CharField(16, null=True)
    programme = peewee.CharField(32)
    purpose = peewee.CharField(16)
    phone = Sealed(indexed=True)
    phone_sealed = peewee.TextField()
    phone_index = peewee.CharField(32)
    reserved = peewee.BooleanField()
    code = Sealed()
    code_sealed = peewee.TextField(null=True)
    code_hash = peewee.CharField(64)
    tries = peewee.IntegerField(default=0)
    created_at = UtcField(index=True)
    expires_at = UtcField()
    used_at = UtcField(null=True)

    class Meta:
        indexes = (
            (("subject_index", "created_at"), False),
            (("window_index", "created_at"), False),
            (("phone_index", "created_at"), False),
        )


class Notice(BaseModel):
    """Something the owner of an account has to hear of, at the phone it had when it happened."""

    person_id = peewee.CharField(16, index=True)
    programme = peewee.CharField(32)
    kind = peewee.CharField(24)
    phone = Sealed()
    phone_sealed = peewee.TextField()
    created_at = UtcField()


class LoginThrottle(BaseModel):
    """Failures counted under one key: an account at an address, an address, an account. Keys are keyed hashes.
    `account_key`: of an account at an address, the account's own key, so that support can let its owner in wherever
    they are."""

    keyed = ("key", "account_key")

    scope = peewee.CharField(16)
    key = peewee.CharField(32)
    account_key = peewee.CharField(32, null=True, index=True)
    failures = peewee.IntegerField(default=0)
    last_at = UtcField(index=True)
    trusted_until = UtcField(null=True)

    class Meta:
        indexes = ((("scope", "key"), True),)
