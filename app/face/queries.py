"""Named reads of the face domain."""

from __future__ import annotations

from datetime import datetime

from app.core.errors import NOT_FOUND
from app.face import store
from app.face.errors import FACE_CHECK_NEEDED
from app.face.models import FaceCheck, FaceRecord
from app.face.status import CheckStatus, PhotoStatus


def record_of(person_id: str) -> FaceRecord | None:
    """What is known of the person's face."""
    return FaceRecord.get_or_none(FaceRecord.person_id == person_id)


def photo_status(person_id: str) -> PhotoStatus:
    """How far the photo is."""
    record = record_of(person_id)
    return PhotoStatus.NONE if record is None else PhotoStatus(record.photo_status)


def photo_ready(person_id: str) -> bool:
    """Whether there is a confirmed photo: for face matches while studying, and for the proof."""
    return photo_status(person_id) is PhotoStatus.CONFIRMED


def anchored(person_id: str) -> bool:
    """Whether a real-name check (name, ID number, live face against the authority's source) was passed once."""
    record = record_of(person_id)
    return record is not None and record.anchor_file is not None


def read_photo(person_id: str) -> bytes | None:
    """The photo, waiting or confirmed, as JPEG without metadata; None if there is none."""
    record = record_of(person_id)
    if record is None or record.photo_file is None:
        return None
    return store.get(person_id, record.photo_file)


def proof_photo(person_id: str, *, compared: bool) -> bytes | None:
    """The photo for a proof: a confirmed one; where the programme compares no faces (`compared` False), one that
    waits will do."""
    good = (PhotoStatus.CONFIRMED,) if compared else (PhotoStatus.CONFIRMED, PhotoStatus.WAITING)
    return read_photo(person_id) if photo_status(person_id) in good else None


def own_check(check_id: str, person_id: str) -> FaceCheck:
    """The person's check. Raises `not_found` for another's."""
    check: FaceCheck | None = FaceCheck.get_or_none(FaceCheck.id == check_id, FaceCheck.person_id == person_id)
    if check is None:
        raise NOT_FOUND()
    return check


def good_pass(person_id: str, purpose: str, subject: str | None, *, now: datetime) -> FaceCheck | None:
    """The oldest pass that is neither used nor expired."""
    return (
        FaceCheck.select()
        .where(
            FaceCheck.person_id == person_id,
            FaceCheck.purpose == purpose,
            FaceCheck.subject == (subject or ""),
            FaceCheck.status == CheckStatus.PASSED,
            FaceCheck.expires_at > now,
        )
        .order_by(FaceCheck.id)
        .first()
    )


def require_pass(person_id: str, purpose: str, subject: str | None, *, now: datetime) -> FaceCheck:
    """A good pass of this person for this purpose and subject. Raises `face_check_needed`."""
    found = good_pass(person_id, purpose, subject, now=now)
    if found is None:
        raise FACE_CHECK_NEEDED(purpose=purpose)
    return found
