"""New keys for the pictures of help tickets (`app.core.rotation`)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from app.core import crypto
from app.core.canaries import PHOTOS
from app.core.crypto import CannotOpen
from app.core.db import compare_and_set
from app.core.rotation import Use
from app.support.models import TicketPicture, picture_aad


def rewrite(_now: datetime) -> Iterator[bool | str]:
    """Seal each picture anew that is not under today's key."""
    vault = crypto.photos()
    for row_id, sealed in _pictures():
        if crypto.key_of(sealed) == vault.current:
            yield False
            continue
        try:
            picture = vault.open_bytes(sealed, picture_aad(row_id))
        except CannotOpen:
            yield f"support_picture {row_id}: cannot be opened with any key of the ring"
            continue
        fresh = vault.seal_bytes(picture, picture_aad(row_id))
        yield compare_and_set(TicketPicture, row_id, {"sealed": sealed}, {"sealed": fresh})


def uses(_now: datetime) -> Iterator[Use]:
    """The key of each picture."""
    for _, sealed in _pictures():
        yield Use(PHOTOS, crypto.key_of(sealed), "support_picture.sealed")


def _pictures() -> Iterator[tuple[str, bytes]]:
    last = ""
    query = TicketPicture.select(TicketPicture.id, TicketPicture.sealed).order_by(TicketPicture.id).limit(50)
    while rows := list(query.where(TicketPicture.id > last).tuples()):
        last = rows[-1][0]
        for row_id, sealed in rows:
            yield row_id, bytes(sealed)
