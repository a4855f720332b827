"""What staff decide about photos and faces."""

from __future__ import annotations

import json

from app.account import service as account
from app.cases.kinds import Decision, Deed, Evidence, Fact, Kind, Message, Reason
from app.cases.models import Case
from app.core.clock import shanghai
from app.core.crypto import mask_id_number, mask_name
from app.core.staff import Right
from app.face import photos, queries, review, store, tries
from app.face.models import FaceAttempt, FaceRecord
from app.policy import load as policy

OUTCOMES = {
    "no_face": "没有人脸", "not_live": "非活体", "poor_quality": "画面不清", "low_score": "相似度不足",
    "identity_mismatch": "姓名与证号不一致", "no_reference": "公安库无照片", "other_person": "不是同一人",
}  # fmt: skip
PHOTO, ANCHOR = "photo", "anchor"


def _person_id(case: Case) -> str:
    """Whom the case is about: the version before named them in the facts alone."""
    return str(case.person_id or json.loads(case.facts)["person_id"])


def _of_person(case: Case) -> tuple[Fact, ...]:
    person = account.get_person(_person_id(case))
    return (
        Fact("姓名", mask_name(person.name) or ""),
        Fact("证件号码", mask_id_number(person.id_number) or ""),
    )


def _record(case: Case) -> FaceRecord | None:
    return queries.record_of(_person_id(case))


def picture(case: Case, name: str) -> bytes | None:
    """The photo that the case is about, or the face of the real-name check."""
    record = _record(case)
    if record is None:
        return None
    file = {PHOTO: record.photo_file, ANCHOR: record.anchor_file}.get(name)
    if name == PHOTO and case.kind == review.PHOTO and (not file or review.subject_of(file) != case.subject):
        return None  # replaced meanwhile
    return store.get(_person_id(case), file) if file else None


def _pictures(record: FaceRecord | None) -> tuple[tuple[str, str], ...]:
    if record is None:
        return ()
    shown = [(PHOTO, "上传的照片")] if record.photo_file else []
    return (*shown, (ANCHOR, "实名核验时的本人")) if record.anchor_file else tuple(shown)


def photo_evidence(case: Case) -> Evidence:
    """The photo beside the face of the real-name check, and what the programme asks of it."""
    record, rule = _record(case), policy.in_force(case.programme, case.filed_at).photo
    wants = []
    if rule is not None:
        wants = [{"one_inch": "一寸照", "half_length": "半身照"}[rule.size]]
        wants += ["白底"] * (rule.ground == "white") + ["免冠"] * rule.bareheaded + ["未修图"] * rule.unretouched
    compared = record is not None and record.anchor_file is not None
    facts = (
        *_of_person(case),
        Fact("要求", "、".join(wants)),
        Fact("人脸比对", "与实名核验的本人相符" if compared else "还没有实名核验，通过后会自动比对"),
    )
    return Evidence(facts, _pictures(record))


def replacement_evidence(case: Case) -> Evidence:
    """The confirmed photo, and what the person says is wrong with it."""
    record = _record(case)
    uploaded = record.photo_at if record is not None else None
    return Evidence(
        (
            *_of_person(case),
            Fact("申请理由", json.loads(case.facts)["reason"], bad=True),
            Fact("照片上传于", f"{shanghai(uploaded):%Y-%m-%d %H:%M}" if uploaded else "不详"),
        ),
        _pictures(record),
    )


def tries_evidence(case: Case) -> Evidence:
    """The tries of a face check that did not pass."""
    check_id = case.subject.removeprefix("face_check:")
    made = FaceAttempt.select().where(FaceAttempt.check_id == check_id).order_by(FaceAttempt.id)
    return Evidence(
        (
            *_of_person(case),
            *(
                Fact(
                    f"{shanghai(one.at):%m-%d %H:%M:%S}",
                    f"{OUTCOMES.get(one.reason or '', one.outcome)}"
                    + (f"，相似度 {one.match_score:.0f}" if one.match_score is not None else ""),
                )
                for one in made
            ),
        ),
        _pictures(_record(case)),
    )


def _confirm(deed: Deed) -> None:
    case = deed.case
    review.confirm(
        _person_id(case), case.subject, programme=case.programme, actor=deed.actor, reason=deed.words, now=deed.now
    )


def _return(deed: Deed) -> None:
    case = deed.case
    review.give_back(
        _person_id(case), case.subject, programme=case.programme, actor=deed.actor, reason=deed.words, now=deed.now
    )


def _release(deed: Deed) -> None:
    where = deed.case.programme
    photos.release_photo(_person_id(deed.case), actor=deed.actor, reason=deed.words, now=deed.now, programme=where)


def _allow(deed: Deed) -> None:
    where = deed.case.programme
    tries.allow_again(_person_id(deed.case), actor=deed.actor, reason=deed.words, now=deed.now, programme=where)


def _says(outcome: str, otherwise: str) -> Message:
    return Message("photo_decided", (outcome, otherwise))


def _confirmed(_case: Case, _reason: Reason | None) -> Message:
    return _says("已确认", "请登录平台继续。")


def _returned(_case: Case, reason: Reason | None) -> Message | None:
    return _says("退回", reason.text) if reason else None


def _released(_case: Case, _reason: Reason | None) -> Message:
    return _says("同意更换", "请登录平台重新上传照片。")


def _kept(_case: Case, reason: Reason | None) -> Message | None:
    return _says("不予更换", reason.text) if reason else None


KINDS = (
    Kind(
        name=review.PHOTO,
        title="照片审核",
        what="学员上传了照片。符合要求就确认，不符合就退回，学员重新上传。",
        right=Right.REVIEWER,
        working_days=2,
        evidence=photo_evidence,
        picture=picture,
        thumb=PHOTO,
        decisions=(
            Decision("confirm", "确认", _confirm, tone="good", message=_confirmed, batch=True),
            Decision("return", "退回", _return, tone="bad", reasons=review.RETURNED, message=_returned, batch=True),
        ),
    ),
    Kind(
        name=review.REPLACEMENT,
        title="照片更换申请",
        what="学员认为已确认的照片有误。同意后学员重新上传，新照片仍须与实名核验的本人相符。",
        right=Right.SUPPORT,
        working_days=2,
        evidence=replacement_evidence,
        picture=picture,
        thumb=PHOTO,
        decisions=(
            Decision("release", "同意更换", _release, tone="good", message=_released),
            Decision("keep", "不予更换", tone="bad", reasons=review.NOT_REPLACED, message=_kept),
        ),
    ),
    Kind(
        name=tries.OUT,
        title="人脸核验次数用完",
        what="学员多次核验没有通过，可能会来电。核对本人后可以重新给予次数。",
        right=Right.SUPPORT,
        working_days=1,
        evidence=tries_evidence,
        picture=picture,
        thumb=PHOTO,
        decisions=(
            Decision("allow", "已核对本人，重新给予次数", _allow, tone="good", note_needed=True),
            Decision("refuse", "不是本人，不予重试", tone="bad", note_needed=True),
        ),
    ),
)
