"""The photo of a person: looked at, kept encrypted, and once it is the face of the real-name check, fixed."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from app.account import service as account
from app.cases import service as cases
from app.core import audit, crypto
from app.core.access import Identity
from app.core.db import compare_and_set, transaction
from app.core.errors import CONFLICT, TOO_LARGE, Problem
from app.face import one_inch, queries, review, store, tries
from app.face.errors import (
    FACE_UNAVAILABLE,
    PHOTO_FIXED,
    PHOTO_NOT_FIXED,
    PHOTO_NOT_OFFERED,
    PHOTO_NOT_SAME_PERSON,
    PHOTO_UNFIT,
)
from app.face.judge import same_face
from app.face.models import FaceRecord
from app.face.providers.protocol import ProviderUnavailable
from app.face.service import provider_of
from app.face.status import PhotoStatus
from app.policy import load
from app.policy.schema import Photo, Programme


@dataclass(frozen=True)
class Kept:
    """A photo that was kept: its status and size in pixels."""

    status: PhotoStatus
    width: int
    height: int


NOT_THE_FACE = "照片和实名核验的本人没有对上，请换一张本人近期的照片。"
Replacement = Literal["none", "asked", "agreed", "refused"]


@dataclass(frozen=True)
class Wanted:
    """What photo the caller's programme wants, and how theirs stands. `contact`: who helps with it.
    `returned_because`: the reason of the reviewer, or of the real-name check, while a photo is returned.
    `replacement`: what became of the wish for another one than the confirmed photo, `refused_because` with the
    support's reason."""

    status: PhotoStatus
    changeable: bool
    contact: str
    title: str
    points: tuple[str, ...]
    width_px: int
    height_px: int
    white_ground: bool
    max_bytes: int
    returned_because: str | None
    replacement: Replacement
    refused_because: str | None


def wanted(who: Identity, *, now: datetime) -> Wanted:
    """For the screen on which the photo is taken. Raises `photo_not_offered`."""
    programme, rule = _rule(who, now)
    record = queries.record_of(who.person_id)
    status = queries.photo_status(who.person_id)
    replacement, refused = _replacement(who.person_id, status)
    return Wanted(
        status=status,
        changeable=status != PhotoStatus.CONFIRMED,
        contact=programme.authority.contacts.photo,
        title=one_inch.title(rule),
        points=one_inch.points(rule),
        width_px=rule.width_px,
        height_px=rule.height_px,
        white_ground=rule.ground == "white",
        max_bytes=rule.max_bytes,
        returned_because=_returned_because(record) if status == PhotoStatus.RETURNED else None,
        replacement=replacement,
        refused_because=refused,
    )


def _returned_because(record: FaceRecord | None) -> str:
    """The reviewer's reason; there is none where the real-name check found that it shows somebody else."""
    file = record.photo_file if record is not None else None
    return (review.said(review.PHOTO, review.subject_of(file), review.RETURNED) if file else None) or NOT_THE_FACE


def _replacement(person_id: str, status: PhotoStatus) -> tuple[Replacement, str | None]:
    """What became of the wish for another photo, and why not."""
    subject = f"person:{person_id}"
    case = cases.latest(review.REPLACEMENT, subject)
    if case is None or status not in (PhotoStatus.CONFIRMED, PhotoStatus.NONE):
        return "none", None
    if case.status != "decided":
        return "asked", None
    if status == PhotoStatus.NONE:
        return "agreed", None
    refused = review.said(review.REPLACEMENT, subject, review.NOT_REPLACED)
    return ("refused", refused) if refused else ("none", None)


def check_photo(who: Identity, data: bytes, *, now: datetime) -> tuple[one_inch.Hint, ...]:
    """What would be said of this file, without keeping it; empty when it is fine. Raises `photo_not_picture`,
    `photo_too_many_pixels`, `photo_animated`, `photo_broken`, `too_large`, `pictures_busy`."""
    _, rule = _rule(who, now)
    return _look(data, rule).hints


def set_photo(who: Identity, data: bytes, *, now: datetime) -> Kept:
    """Keep an uploaded file as the caller's photo. The same file again changes nothing. Raises what `check_photo`
    raises, `photo_unfit` with hints, `photo_not_same_person` (not the face of the real-name check; a try of the face
    checks is used up), `face_manual_route` (no try is left), `photo_fixed`, `face_unavailable`."""
    account.require_consent(who.person_id, "face")
    programme, rule = _rule(who, now)
    record = tries.ensure_record(who.person_id)
    index, *older = crypto.indexes("face_record.photo", hashlib.sha256(data).hexdigest())
    settled = record.photo_status in (PhotoStatus.CONFIRMED, PhotoStatus.REVIEW) or (
        record.photo_status == PhotoStatus.WAITING and record.anchor_file is None
    )
    if record.photo_index in (index, *older) and settled:
        return Kept(PhotoStatus(record.photo_status), rule.width_px, rule.height_px)
    if record.photo_status == PhotoStatus.CONFIRMED:
        phone = programme.authority.contacts.photo
        raise PHOTO_FIXED(f"照片已经确认，不能自行更换。如照片有误，请拨打客服电话 {phone}。")
    looked = _look(data, rule)
    if looked.picture is None:
        sentences = [hint.sentence for hint in looked.hints]
        raise PHOTO_UNFIT(sentences[0], fields={"photo": sentences[0]}, hints=_told(looked.hints))
    if record.anchor_file is None:
        status = PhotoStatus.REVIEW if rule.reviewed else PhotoStatus.WAITING
        _keep(record, looked.picture, status, index, programme, now)
    else:
        status = PhotoStatus.REVIEW if rule.reviewed else PhotoStatus.CONFIRMED
        _keep_if_same(record, looked.picture, status, index, programme, now)
    return Kept(status, looked.width, looked.height)


def ask_replacement(who: Identity, reason: str, *, now: datetime) -> bool:
    """The person says that the confirmed photo is wrong: support decide whether a new one may be uploaded (yunnan
    manual, step 3 (二) A). False if that was asked already. Raises `photo_not_offered`, `photo_not_fixed`."""
    programme, _ = _rule(who, now)
    if queries.photo_status(who.person_id) != PhotoStatus.CONFIRMED:
        raise PHOTO_NOT_FIXED()
    facts: dict[str, str | int | None] = {"reason": " ".join(reason.split())}
    subject = f"person:{who.person_id}"
    return cases.file(review.REPLACEMENT, subject, facts, programme=programme.key, person_id=who.person_id, now=now)


def release_photo(person_id: str, *, actor: str, reason: str, now: datetime, programme: str | None = None) -> None:
    """Support gives a wrong photo free: the person uploads a new one, which again has to show the same face.
    `actor` is 'staff:<id>'; audited with the reason (yunnan manual, step 3 (二) A: a wrong photo goes to support)."""
    with transaction():
        record = tries.ensure_record(person_id)
        values = {"photo_status": PhotoStatus.NONE, "photo_index": None, "version": record.version + 1}
        if not compare_and_set(FaceRecord, record.id, {"version": record.version}, values):
            raise CONFLICT()
        audit.record(actor, "photo.released", f"person:{person_id}", now=now, reason=reason, programme=programme)


def _rule(who: Identity, now: datetime) -> tuple[Programme, Photo]:
    programme = load.in_force(account.get_session(who.session_id).programme, now)
    if programme.photo is None:
        raise PHOTO_NOT_OFFERED()
    return programme, programme.photo


def _look(data: bytes, rule: Photo) -> one_inch.Checked:
    if len(data) > rule.max_bytes:
        raise TOO_LARGE()
    return one_inch.check(data, rule)


def _told(hints: tuple[one_inch.Hint, ...]) -> list[dict[str, str]]:
    return [{"code": hint.code, "sentence": hint.sentence} for hint in hints]


def _keep_if_same(
    record: FaceRecord, picture: bytes, status: PhotoStatus, index: str, offered: Programme, now: datetime
) -> None:
    """Keep a photo that shows the anchored face, by the rules of the programme whose check anchored it, whatever the
    caller has signed in to (`offered`). Each comparison costs money: it takes a try, and only a wrong face uses it
    up."""
    check = queries.own_check(str(record.anchor_check_id), record.person_id)
    programme = load.programme(check.programme, check.version)
    tries.claim(record.person_id, programme, now=now)
    record.version += 1
    anchor = store.get(record.person_id, record.anchor_file)
    try:
        if anchor is None:
            raise ProviderUnavailable("our own photo store has no such picture")
        same = same_face(provider_of(programme), programme, anchor, picture)
    except ProviderUnavailable as error:
        tries.give_back(record.person_id)
        phone = programme.authority.contacts.photo
        raise FACE_UNAVAILABLE(
            "照片比对服务暂时没有响应，照片还没有保存，请稍后再上传。",
            headers={"Retry-After": "10"},
            manual_route={"phone": phone},
        ) from error
    if not same:
        raise PHOTO_NOT_SAME_PERSON()
    try:
        _keep(record, picture, status, index, offered, now)
    finally:
        tries.give_back(record.person_id)


def _keep(
    record: FaceRecord, picture: bytes, status: PhotoStatus, index: str, programme: Programme, now: datetime
) -> None:
    name = store.put("portrait", record.person_id, picture, now=now)
    values = {
        "photo_file": name,
        "photo_status": status,
        "photo_index": index,
        "photo_at": now,
        "version": record.version + 1,
    }
    try:
        with transaction():
            account.hold_consent(record.person_id, "face")
            won = compare_and_set(FaceRecord, record.id, {"version": record.version}, values)
            if won:
                who = f"person:{record.person_id}"
                audit.record(who, "photo.uploaded", who, now=now, status=str(status))
                review.withdraw(record.photo_file, "学员换了一张照片", now=now)
                if status == PhotoStatus.REVIEW:
                    review.ask(record.person_id, programme.key, name, now=now)
    except Problem:  # the consent was taken back while the picture was looked at
        store.remove(name)
        raise
    # the file that no row names is deleted after the row is committed, never before
    store.remove(record.photo_file if won else name)
    if not won:
        raise CONFLICT()
