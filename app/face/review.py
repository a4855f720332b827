"""Photos that staff look at (henan manual, 基本信息 个人信息: 待确认, 已确认, 退回), each upload a case of its own:
what was decided about one photo says nothing of the next."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from app.cases import service as cases
from app.cases.kinds import Reason
from app.core import audit
from app.core.db import compare_and_set
from app.core.errors import CONFLICT
from app.face.models import FaceRecord
from app.face.status import PhotoStatus

PHOTO = "face.photo"
REPLACEMENT = "face.photo_replacement"
RETURNED = (
    Reason("blurred", "照片不清晰，请在光线好的地方重新拍摄。"),
    Reason("ground", "照片背景不是白色，请以白墙为背景重新拍摄。"),
    Reason("covered", "照片中戴有帽子、墨镜或面部有遮挡，请免冠露脸重新拍摄。"),
    Reason("retouched", "照片经过美颜或修图，请上传未经修饰的照片。"),
    Reason("not_one_person", "照片不是本人单独的正面照，请上传本人正面照片。"),
)
NOT_REPLACED = (
    Reason("fits", "现在的照片清晰、与本人相符，不需要更换。"),
    Reason("used", "照片已用于证明，不能更换；如证明有误请致电客服。"),
)


def subject_of(photo_file: str) -> str:
    """What a case says of this photo: the file's own name."""
    return f"photo:{photo_file.rpartition('/')[2]}"


def ask(person_id: str, programme: str, photo_file: str, *, now: datetime) -> None:
    """File the case of an upload, in the transaction that keeps it."""
    cases.file(PHOTO, subject_of(photo_file), {}, programme=programme, person_id=person_id, now=now)


def withdraw(photo_file: str | None, why: str, *, now: datetime) -> None:
    """Nobody need look at this photo any more. Whoever decides about it at this moment loses, or has won already."""
    if photo_file is not None:
        cases.decide_about(PHOTO, subject_of(photo_file), why, actor="system", now=now)


def said(kind: str, subject: str, reasons: tuple[Reason, ...]) -> str | None:
    """The reason that the person was given when this was decided last; None: there was none, or nothing is decided.
    What staff noted for themselves is no part of it."""
    case = cases.latest(kind, subject)
    decision = (case.decision or "") if case is not None and case.status == "decided" else ""
    return next((reason.text for reason in reasons if reason.text in decision), None)


def record_of(person_id: str, subject: str) -> FaceRecord | None:
    """The person's row, if this photo is still the one under review."""
    record = FaceRecord.get_or_none(FaceRecord.person_id == person_id)
    if record is None or record.photo_file is None or subject_of(record.photo_file) != subject:
        return None
    return record if record.photo_status == PhotoStatus.REVIEW else None


def confirm(person_id: str, subject: str, *, programme: str, actor: str, reason: str, now: datetime) -> None:
    """The photo is good. It is confirmed at once if its face was compared (at the upload, or at a real-name check
    since), else when the check comes. In the caller's transaction. Raises `conflict`."""
    record = record_of(person_id, subject)
    compared = record is not None and record.anchor_file is not None
    status = PhotoStatus.CONFIRMED if compared else PhotoStatus.WAITING
    _set(record, {"photo_status": status}, "photo.confirmed", programme, actor, reason, now)


def give_back(person_id: str, subject: str, *, programme: str, actor: str, reason: str, now: datetime) -> None:
    """The photo is returned: a new one is to be uploaded, the same file as well. In the caller's transaction. Raises
    `conflict`."""
    record = record_of(person_id, subject)
    values = {"photo_status": PhotoStatus.RETURNED, "photo_index": None}
    _set(record, values, "photo.returned", programme, actor, reason, now)


def _set(
    record: FaceRecord | None,
    values: Mapping[str, str | None],
    action: str,
    programme: str,
    actor: str,
    reason: str,
    now: datetime,
) -> None:
    if record is None or not compare_and_set(
        FaceRecord, record.id, {"version": record.version}, {**values, "version": record.version + 1}
    ):
        raise CONFLICT()
    audit.record(actor, action, f"person:{record.person_id}", now=now, programme=programme, reason=reason)
