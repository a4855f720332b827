"""New keys for the photo store (`app.core.rotation`): each file that a row points at is written anew in its place."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import peewee

from app.core import crypto
from app.core.canaries import PHOTOS
from app.core.crypto import CannotOpen
from app.core.db import compare_and_set
from app.core.rotation import Use
from app.face import store
from app.face.models import FaceAttempt, FaceCheck, FaceRecord

AGAIN = timedelta(days=1)  # a file that is sent again so late is a new one


def rewrite(now: datetime) -> Iterator[bool | str]:
    """Write the files anew, and forget the keyed hashes that mean nothing any more: they cannot be made again."""
    with store.alone():
        for person_id, name, column in _files():
            try:
                changed = store.reseal(person_id, name)
            except CannotOpen:
                yield f"photos {name}: cannot be opened with any key of the ring"
                continue
            if changed and not column.model.select().where(column == name).exists():
                store.remove(name)  # it was deleted meanwhile
            yield changed
    yield from _forget(FaceCheck.nonce_index, FaceCheck.expires_at <= now, "")
    yield from _forget(FaceRecord.photo_index, FaceRecord.photo_at < now - AGAIN, None)


def _forget(column: peewee.Field, useless: peewee.Expression, blank: str | None) -> Iterator[bool]:
    model = column.model
    found = model.select(model.id, column).where(useless, column.is_null(False), column != "").tuples()
    for row_id, index in list(found):
        if crypto.key_of_index(index) != crypto.fields().current_index:
            yield compare_and_set(model, row_id, {column.name: index}, {column.name: blank})


def uses(_now: datetime) -> Iterator[Use]:
    """The key of each file that a row points at."""
    for _, name, column in _files():
        key_id = store.key_of(name)
        if key_id is not None:
            yield Use(PHOTOS, key_id, column.name)


def _files() -> Iterator[tuple[str, str, peewee.Field]]:
    """Person, name and column of each file, in pieces: rows come and go meanwhile."""
    for column in (FaceRecord.photo_file, FaceRecord.anchor_file, FaceAttempt.evidence_file):
        model, last = column.model, ""
        query = model.select(model.id, model.person_id, column).order_by(model.id).limit(500)
        while rows := list(query.where(model.id > last, column.is_null(False)).tuples()):
            last = rows[-1][0]
            for _, person_id, name in rows:
                yield person_id, name, column
