"""What of a person is the faces': nothing moves, since pictures are sealed for the person who was checked. Who is
kept is checked as themselves; who was corrected to another ID number is checked anew."""

from __future__ import annotations

from datetime import datetime

from app.account import service as account
from app.cases import service as cases
from app.core import audit
from app.core.db import transaction
from app.face import review, store, tries
from app.face.models import FaceRecord
from app.face.status import PhotoStatus


def move(_keep: str, gone: str, now: datetime) -> None:
    """In the merge's transaction: nobody need look at a photo any more whose person is gone."""
    for kind in (review.PHOTO, review.REPLACEMENT, tries.OUT):
        cases.decide_of_person(kind, gone, "账号已合并", actor="system", now=now)


def corrected(payload: dict[str, str], now: datetime) -> None:
    """Subscriber of `account.identity_corrected`: a real-name check of another ID number says nothing of this one.
    The photo waits for the next."""
    record = FaceRecord.get_or_none(FaceRecord.person_id == payload["person_id"])
    if not payload["renumbered"] or record is None or record.anchor_file is None:
        return
    anchor, waits = record.anchor_file, record.photo_status == PhotoStatus.CONFIRMED
    with transaction():
        values: dict[str, str | None] = {"anchor_file": None, "anchor_check_id": None, "anchored_at": None}
        values |= {"photo_status": PhotoStatus.WAITING} if waits else {}
        FaceRecord.update(values | {"version": FaceRecord.version + 1}).where(FaceRecord.id == record.id).execute()
        audit.record(
            "system",
            "face.anchor_dropped",
            f"person:{record.person_id}",
            now=now,
            programme=payload["programme"],
        )
    store.remove(anchor)


PART = account.Part("face", move)
