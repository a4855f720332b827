"""New keys for the photos on proofs (`app.core.rotation`)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from app.certificate.models import ProofPhoto, photo_aad
from app.core import crypto
from app.core.canaries import PHOTOS
from app.core.crypto import CannotOpen
from app.core.db import compare_and_set
from app.core.rotation import Use


def rewrite(_now: datetime) -> Iterator[bool | str]:
    """Seal each photo anew that is not under today's key."""
    vault = crypto.photos()
    for row_id, sealed in _photos():
        if crypto.key_of(sealed) == vault.current:
            yield False
            continue
        try:
            picture = vault.open_bytes(sealed, photo_aad(row_id))
        except CannotOpen:
            yield f"proof_photo {row_id}: cannot be opened with any key of the ring"
            continue
        fresh = vault.seal_bytes(picture, photo_aad(row_id))
        yield compare_and_set(ProofPhoto, row_id, {"sealed": sealed}, {"sealed": fresh})


def uses(_now: datetime) -> Iterator[Use]:
    """The key of each photo."""
    for _, sealed in _photos():
        yield Use(PHOTOS, crypto.key_of(sealed), "proof_photo.sealed")


def _photos() -> Iterator[tuple[str, bytes]]:
    last = ""
    query = ProofPhoto.select(ProofPhoto.id, ProofPhoto.sealed).order_by(ProofPhoto.id).limit(50)
    while rows := list(query.where(ProofPhoto.id > last).tuples()):
        last = rows[-1][0]
        for row_id, sealed in rows:
            yield row_id, bytes(sealed)
