"""What trainees write to support, and what is answered."""

from __future__ import annotations

import peewee

from app.core.crypto import Sealed
from app.core.db import BaseModel, UtcField


class Ticket(BaseModel):
    """One matter of one person. `client_id`: the phone's own id of it, so that what is sent twice is one. `revision`
    counts the writes: of two at the same moment one looks again. `read_at`: when the person last saw the answers."""

    person_id = peewee.CharField(16)
    programme = peewee.CharField(32)
    client_id = peewee.CharField(40)
    topic = peewee.CharField(24)
    status = peewee.CharField(16)
    revision = peewee.IntegerField(default=0)
    created_at = UtcField()
    changed_at = UtcField()
    read_at = UtcField(null=True)

    class Meta:
        table_name = "support_ticket"
        indexes = ((("person_id", "client_id"), True), (("person_id", "changed_at"), False))


class TicketMessage(BaseModel):
    """What was written. `actor`: who wrote it, as in the audit log ('person:<id>', 'staff:<id>')."""

    ticket_id = peewee.CharField(16)
    client_id = peewee.CharField(40)
    actor = peewee.CharField(40)
    text = Sealed()
    text_sealed = peewee.TextField()
    at = UtcField()

    class Meta:
        table_name = "support_message"
        indexes = ((("ticket_id", "client_id"), True),)


class TicketPicture(BaseModel):
    """A picture of a message, as a clean JPEG, sealed under the photo store's keys; it stands in SQL, so that it
    commits with its message and is there on every host. Without a message it waits to be sent, and is forgotten."""

    person_id = peewee.CharField(16)
    client_id = peewee.CharField(40)
    message_id = peewee.CharField(16, null=True, index=True)
    sealed = peewee.BlobField()
    created_at = UtcField()

    class Meta:
        table_name = "support_picture"
        indexes = ((("person_id", "client_id"), True), (("person_id", "created_at"), False))


def picture_aad(picture_id: str) -> str:
    """What a picture's ciphertext is bound to."""
    return f"support_picture.{picture_id}"
