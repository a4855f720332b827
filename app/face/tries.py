"""How often a person may try: a try is claimed before the provider is asked, so that fifty at once are not fifty."""

from __future__ import annotations

from datetime import datetime, timedelta

from app.cases import service as cases
from app.core import audit
from app.core.db import compare_and_set, insert_once, transaction
from app.core.errors import CONFLICT, Problem
from app.face.errors import FACE_MANUAL_ROUTE
from app.face.models import FaceCheck, FaceRecord
from app.policy import rules
from app.policy.schema import Programme

OUT = "face.no_try_left"  # the case
FORGOTTEN_AFTER = timedelta(hours=24)  # ours: failures in a row are those of one day


def ensure_record(person_id: str) -> FaceRecord:
    """The person's row, made if need be."""
    record: FaceRecord | None = FaceRecord.get_or_none(FaceRecord.person_id == person_id)
    if record is None:
        insert_once(FaceRecord, person_id=person_id)
        record = FaceRecord.get(FaceRecord.person_id == person_id)
    return record


def _used(record: FaceRecord | None, now: datetime) -> int:
    if record is None or record.tried_at is None or record.tried_at <= now - FORGOTTEN_AFTER:
        return 0
    return int(record.tries)


def left(person_id: str, programme: Programme, *, now: datetime) -> int:
    """Tries left; at 0 the manual route is all there is until tomorrow."""
    record = FaceRecord.get_or_none(FaceRecord.person_id == person_id)
    return rules.face_retries_left(programme, _used(record, now))


def require_left(person_id: str, programme: Programme, *, now: datetime) -> None:
    """Raises `face_manual_route` when no try is left."""
    if left(person_id, programme, now=now) == 0:
        raise manual_route(programme)


def manual_route(programme: Programme) -> Problem:
    """The problem that names the telephone number."""
    phone = programme.authority.contacts.face
    return FACE_MANUAL_ROUTE(
        f"多次核验没有通过。请拨打客服电话 {phone} 人工核验，或明天再试。", manual_route={"phone": phone}
    )


def claim(person_id: str, programme: Programme, *, now: datetime) -> None:
    """Take one try. Raises `face_manual_route` when none is left."""
    for _ in range(20):
        with transaction():
            record = ensure_record(person_id)
            used = _used(record, now)
            if rules.face_retries_left(programme, used) == 0:
                raise manual_route(programme)
            if _set(record, used + 1, now):
                return
    raise CONFLICT()


def count(person_id: str, *, now: datetime) -> None:
    """Count a failure that was found afterwards (on the provider's page)."""
    for _ in range(20):
        with transaction():
            record = ensure_record(person_id)
            if _set(record, _used(record, now) + 1, now):
                return
    raise CONFLICT()


def give_back(person_id: str) -> None:
    """The try did not take place: the provider gave no answer."""
    FaceRecord.update(tries=FaceRecord.tries - 1, version=FaceRecord.version + 1).where(
        FaceRecord.person_id == person_id, FaceRecord.tries > 0
    ).execute()


def _set(record: FaceRecord, tries: int, now: datetime) -> bool:
    values = {"tries": tries, "tried_at": now, "version": record.version + 1}
    return compare_and_set(FaceRecord, record.id, {"version": record.version}, values)


def file_case_when_out(check: FaceCheck, programme: Programme, *, now: datetime) -> None:
    """Once no try is left, file a case for support, who are going to be called. In the caller's transaction."""
    if left(check.person_id, programme, now=now) == 0:
        facts = {"person_id": check.person_id, "purpose": check.purpose, "method": check.method}
        cases.file(
            OUT,
            f"face_check:{check.id}",
            facts,
            programme=check.programme,
            person_id=check.person_id,
            now=now,
        )


def allow_again(person_id: str, *, actor: str, reason: str, now: datetime, programme: str | None = None) -> None:
    """Support has looked at the person: the tries start anew. `actor` is 'staff:<id>'; audited with the reason."""
    with transaction():
        record = ensure_record(person_id)
        FaceRecord.update(tries=0, version=FaceRecord.version + 1).where(FaceRecord.id == record.id).execute()
        audit.record(
            actor, "face.tries_given_again", f"person:{person_id}", now=now, reason=reason, programme=programme
        )
