"""What the faces add to a person's page: each try of a check, how the photo stands, and the two things that support
does about it."""

from __future__ import annotations

from datetime import datetime

from app.account.person_pages import Entry, Help, Offer, PersonPage, Plea, Sight, Source, Window
from app.cases import service as cases
from app.core.staff import Fact, Reason
from app.face import photos, queries, review, tries
from app.face.case_kinds import OUTCOMES
from app.face.models import FaceAttempt, FaceCheck, FaceRecord
from app.face.status import PhotoStatus
from app.notify import service as notify
from app.policy import load, rules

PURPOSES = {"login": "登录核验", "study": "学习前核验", "activation": "实名激活"}
PHOTO_STATES = {
    PhotoStatus.NONE: "没有照片", PhotoStatus.REVIEW: "等待审核", PhotoStatus.RETURNED: "已退回，等待重新上传",
    PhotoStatus.WAITING: "已上传，等待人脸核验时比对", PhotoStatus.CONFIRMED: "已确认",
}  # fmt: skip
WRONG_PHOTO = (
    Reason("wrong", "照片传错了，不是一寸证件照。"),
    Reason("hat", "照片戴帽子或遮挡面部。"),
    Reason("ground", "照片背景不是白色。"),
    Reason("old", "照片与现在的样子相差太大。"),
)
LOOKED_AT = (
    Reason("video", "已通过视频核对，与身份证是同一个人。"),
    Reason("in_person", "本人持身份证到场，已核对。"),
)


def entries(sight: Sight, window: Window) -> list[Entry]:
    """Each try of a check, with the provider's scores."""
    query = (
        FaceAttempt.select(FaceAttempt, FaceCheck.programme.alias("programme"), FaceCheck.purpose.alias("purpose"))
        .join(FaceCheck, on=(FaceCheck.id == FaceAttempt.check_id))
        .where(sight.mine(FaceAttempt.person_id), sight.within(FaceCheck.programme))
        .objects()
    )
    return [
        Entry(
            row.at,
            row.id,
            f"人脸核验（{PURPOSES.get(row.purpose, row.purpose)}）："
            + (
                "通过"
                if row.outcome == "passed"
                else OUTCOMES.get(row.reason or "", "没有通过" if row.outcome == "failed" else "没有得到答复")
            ),
            evidence=_scores(row),
            tone="good" if row.outcome == "passed" else "bad",
            programme=row.programme,
            who="学员",
        )
        for row in window.of(query, FaceAttempt.at, FaceAttempt.id)
    ]


def _scores(row: FaceAttempt) -> str:
    said = [f"相似度 {row.match_score:.0f}"] if row.match_score is not None else []
    said += [f"活体 {row.liveness_score:.2f}"] if row.liveness_score is not None else []
    return "，".join(said + ([f"平台代码 {row.provider_code}"] if row.provider_code else []))


def _record(sight: Sight) -> FaceRecord | None:
    return sight.once("face", lambda: queries.record_of(sight.person_id))


def facts(sight: Sight, _now: datetime) -> list[Fact]:
    """How the photo stands, and whether the face was compared with the authority's."""
    record = _record(sight)
    status = PhotoStatus(record.photo_status) if record is not None else PhotoStatus.NONE
    anchored = record is not None and record.anchor_file is not None
    return [
        Fact("照片", PHOTO_STATES[status], bad=status in (PhotoStatus.NONE, PhotoStatus.RETURNED)),
        Fact("实名人脸核验", "已通过" if anchored else "还没有通过", bad=not anchored),
    ]


def _photo(sight: Sight, _now: datetime) -> list[Offer]:
    record = _record(sight)
    status = PhotoStatus(record.photo_status) if record is not None else PhotoStatus.NONE
    fixed = status == PhotoStatus.CONFIRMED
    return [Offer(f"person:{sight.person_id}", "学员的照片", PHOTO_STATES[status])] if fixed else []


def _release(plea: Plea) -> str:
    photos.release_photo(
        plea.person_id, actor=plea.staff.actor, reason=plea.words, now=plea.now, programme=plea.programme
    )
    subject = f"person:{plea.person_id}"
    cases.decide_about(review.REPLACEMENT, subject, f"同意更换：{plea.words}", actor=plea.staff.actor, now=plea.now)
    notify.tell(
        person_id=plea.person_id,
        programme=plea.programme,
        template="photo_decided",
        params=["同意更换", "请登录平台重新上传照片。"],
        key=f"photo_released:{plea.person_id}:{plea.now.timestamp():.0f}",
        now=plea.now,
    )
    return "已允许重新上传：学员在“我的照片”里上传，新照片仍会与实名核验的本人比对。"


def _out_of_tries(sight: Sight, now: datetime) -> list[Offer]:
    for key in sorted(_programmes(sight)):
        programme = load.in_force(key, now)
        if programme.face is not None and tries.left(sight.person_id, programme, now=now) == 0:
            most = rules.face_retries_left(programme, 0)
            return [Offer(f"person:{sight.person_id}", "人脸核验次数", f"{most} 次已用完，明天自动恢复", key)]
    return []


def _programmes(sight: Sight) -> set[str]:
    """Those that somebody sees, in which the person has tried."""
    query = FaceCheck.select(FaceCheck.programme).where(
        sight.mine(FaceCheck.person_id), sight.within(FaceCheck.programme)
    )
    return {key for (key,) in query.distinct().tuples()}


def _allow(plea: Plea) -> str:
    tries.allow_again(
        plea.person_id, actor=plea.staff.actor, reason=plea.words, now=plea.now, programme=plea.programme
    )
    said = f"重新给予次数：{plea.words}"
    cases.decide_of_person(tries.OUT, plea.person_id, said, actor=plea.staff.actor, now=plea.now)
    return "次数已重新给予，学员现在就可以再核验。"


PAGE = PersonPage(
    domain="face",
    sources=(Source("faces", entries),),
    facts=facts,
    helps=(
        Help(
            "face.new_photo",
            "允许重新上传照片",
            _photo,
            _release,
            reasons=WRONG_PHOTO,
            told="短信：您的照片审核结果：同意更换。请登录平台重新上传照片。",
        ),
        Help(
            "face.tries",
            "重新给予人脸核验次数",
            _out_of_tries,
            _allow,
            reasons=LOOKED_AT,
            told="不发短信，请在电话里告诉学员现在可以再试。",
        ),
    ),
    words={
        "photo.uploaded": "上传照片",
        "photo.confirmed": "确认照片",
        "photo.returned": "退回照片",
        "photo.released": "允许重新上传照片",
        "face.tries_given_again": "重新给予核验次数",
        "face.anchor_dropped": "身份更正，实名核验作废",
        "face.pictures_deleted": "撤回同意，人脸照片已删除",
    },
)
