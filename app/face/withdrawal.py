"""Who takes back the consent to face data has their pictures deleted: the photo, the face of the real-name check,
those of the tries. What was found by them stays, and so does a proof with its own copy of the photo (ADR 84)."""

from __future__ import annotations

from datetime import datetime

from app.account import service as account
from app.cases import service as cases
from app.core import audit, sweep
from app.core.db import locked, transaction
from app.face import review, store, tries
from app.face.models import FaceAttempt, FaceRecord
from app.face.status import PhotoStatus

BATCH = 500
WHY = "学员撤回了对人脸信息的同意"


def asked(payload: dict[str, str], now: datetime) -> None:
    """Subscriber of `account.consent_withdrawn`."""
    if payload["kind"] == "face":
        FaceRecord.update(withdrawn_at=now).where(FaceRecord.person_id == payload["person_id"]).execute()


def forget(*, now: datetime) -> int:
    """Scheduled: delete the pictures of those who took their consent back; gives of how many. While support has to
    find out whether it was the person who tried, the pictures stay: they are what is decided by."""
    held = {case.person_id for case in cases.open_cases(tries.OUT)} - {None}
    waiting = FaceRecord.select().where(FaceRecord.withdrawn_at.is_null(False))
    if held:
        waiting = waiting.where(FaceRecord.person_id.not_in(held))
    done, _ = sweep.each(
        "face.forget", waiting.order_by(FaceRecord.withdrawn_at).limit(BATCH), lambda row: _forget(row, now)
    )
    return done


def _forget(row: FaceRecord, now: datetime) -> bool:
    with transaction():
        account.get_person(row.person_id, locked=True)
        record = locked(FaceRecord, row.id)
        if record is None or record.withdrawn_at is None:
            return False
        again = account.has_consent(record.person_id, "face")  # agreed to anew while support looked: they are needed
        files = [] if again else _files(record)
        for name in files:
            store.remove(name)  # before the rows: a file that no row names would never be found
        _blank(record, now, pictures=not again)
    for name in files:
        store.remove(name)  # once more: new keys may have brought it back while a row named it
    return not again


def _files(record: FaceRecord) -> list[str]:
    tried = FaceAttempt.select(FaceAttempt.evidence_file).where(
        FaceAttempt.person_id == record.person_id, FaceAttempt.evidence_file.is_null(False)
    )
    names = (record.photo_file, record.anchor_file, *(name for (name,) in tried.tuples()))
    return [name for name in names if name is not None]


def _blank(record: FaceRecord, now: datetime, *, pictures: bool) -> None:
    """The rows name no picture any more, and nobody need look at one."""
    values: dict[str, object] = {"withdrawn_at": None, "version": record.version + 1}
    if pictures:
        review.withdraw(record.photo_file, WHY, now=now)
        cases.decide_about(review.REPLACEMENT, f"person:{record.person_id}", WHY, actor="system", now=now)
        values |= {"photo_status": PhotoStatus.NONE, "photo_file": None, "photo_index": None, "photo_at": None}
        values |= {"anchor_file": None, "anchor_check_id": None, "anchored_at": None}
        FaceAttempt.update(evidence_file=None).where(FaceAttempt.person_id == record.person_id).execute()
        audit.record("system", "face.pictures_deleted", f"person:{record.person_id}", now=now)
    FaceRecord.update(values).where(FaceRecord.id == record.id).execute()
