"""Who may enrol (the regulator's roster) and who has enrolled, with the history of each enrolment."""

from __future__ import annotations

import peewee

from app.core.crypto import Sealed
from app.core.db import BaseModel, UtcField


class RosterImport(BaseModel):
    """One imported file that changed the roster. `actor` as in the audit log; counts are rows."""

    programme = peewee.CharField(32)
    file_sha256 = peewee.CharField(64)
    actor = peewee.CharField(40)
    imported_at = UtcField()
    rows = peewee.IntegerField()
    added = peewee.IntegerField()
    changed = peewee.IntegerField()


class RosterEntry(BaseModel):
    """One certificate of one person, as the regulator lists it. Days are Shanghai's; `expires_on` is the last day of
    validity. A certificate number stands once in a programme."""

    programme = peewee.CharField(32)
    person_id = peewee.CharField(16, index=True)
    kind_code = peewee.CharField(32)
    certificate_no = Sealed(indexed=True)
    certificate_no_sealed = peewee.TextField()
    certificate_no_index = peewee.CharField(32)
    issued_on = peewee.DateField(null=True)
    expires_on = peewee.DateField(null=True)
    import_id = peewee.CharField(16)

    class Meta:
        indexes = ((("programme", "certificate_no_index"), True),)


class Enrolment(BaseModel):
    """One person's way through a programme for one certificate, by the rules of `version` (ISO date): those in force
    at the sign-up, and again when the order was made. `certificate_expires_on` is the expiry the course is for.
    `reminded_days`: the person was told so many days before the end of the study period."""

    person_id = peewee.CharField(16, index=True)
    programme = peewee.CharField(32)
    version = peewee.CharField(10)
    kind_code = peewee.CharField(32)
    roster_entry_id = peewee.CharField(16, index=True)
    open_entry_id = peewee.CharField(16, null=True, unique=True)  # the roster entry while open: one at a time
    certificate_expires_on = peewee.DateField(null=True)
    status = peewee.CharField(16)
    order_id = peewee.CharField(16, null=True)
    signed_up_at = UtcField()
    paid_at = UtcField(null=True)
    study_deadline = UtcField(null=True)
    reminded_days = peewee.IntegerField(null=True)
    passed_at = UtcField(null=True)
    completed_at = UtcField(null=True)

    class Meta:
        indexes = ((("status", "study_deadline"), False), (("signed_up_at",), False))


class EnrolmentEvent(BaseModel):
    """One line of an enrolment's history. `reference` is the id of what caused it, an order's for example."""

    enrolment_id = peewee.CharField(16, index=True)
    at = UtcField()
    action = peewee.CharField(16)
    status = peewee.CharField(16)
    reference = peewee.CharField(16, null=True)
