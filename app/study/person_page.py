"""What study adds to a person's page: how far each lesson is, and the lease freed from a device that is lost."""

from __future__ import annotations

from datetime import datetime

from app.account.person_pages import Entry, Help, Offer, PersonPage, Plea, Sight, Source, Window
from app.core.clock import shanghai
from app.core.staff import Reason
from app.enrol import queries as enrolments
from app.enrol.models import Enrolment
from app.enrol.status import Status
from app.study import service
from app.study.models import Lesson, LessonProgress

LOST = (
    Reason("lost", "另一台设备丢失、损坏或没电，学员换了设备。"),
    Reason("stuck", "另一台设备已经关闭，系统仍显示在学习。"),
    Reason("stranger", "学员说另一台设备不是本人在用。"),
)


def entries(sight: Sight, window: Window) -> list[Entry]:
    """The lessons that were played, each at the moment when something of it was last written."""
    query = (
        LessonProgress.select(
            LessonProgress,
            Lesson.number.alias("number"),
            Lesson.title.alias("title"),
            Enrolment.programme.alias("programme"),
        )
        .join(Enrolment, on=(Enrolment.id == LessonProgress.enrolment_id))
        .join(Lesson, on=(Lesson.id == LessonProgress.lesson_id))
        .where(sight.mine(LessonProgress.person_id), sight.within(Enrolment.programme))
        .objects()
    )
    return [
        Entry(
            row.updated_at,
            row.id,
            f"学习第 {row.number} 课 {row.title}" + ("，已学完" if row.completed_at else ""),
            evidence=f"{row.credited_chunks * 100 // row.chunks}%，共 {row.seconds // 60} 分钟"
            + (f"，清零过 {row.epoch} 次" if row.epoch else ""),
            tone="good" if row.completed_at else "plain",
            programme=row.programme,
            who="学员",
        )
        for row in window.of(query, LessonProgress.updated_at, LessonProgress.id)
    ]


def _enrolments(sight: Sight) -> list[Enrolment]:
    return sight.once("enrolments", lambda: enrolments.of_people(sight.person_ids, sight.programmes))


def _held(sight: Sight, _now: datetime) -> list[Offer]:
    studying = [row for row in _enrolments(sight) if row.status in (Status.STUDYING, Status.PASSED)]
    seen = service.lease_of(sight.person_id) if studying else None
    if seen is None:
        return []
    return [
        Offer(
            f"person:{sight.person_id}",
            "正在学习的设备",
            f"最后一次有动静 {shanghai(seen):%m-%d %H:%M:%S}",
            studying[0].programme,
        )
    ]


def _free(plea: Plea) -> str:
    service.free_lease(
        plea.person_id, programme=plea.programme, actor=plea.staff.actor, reason=plea.words, now=plea.now
    )
    return "学习占用已释放，已学的进度都在。学员现在用手上的设备点“开始学习”就行。"


PAGE = PersonPage(
    domain="study",
    sources=(Source("study", entries),),
    helps=(
        Help(
            "study.free",
            "释放学习占用",
            _held,
            _free,
            reasons=LOST,
            told="不发短信，请在电话里告诉学员现在可以在新设备上学习。",
            outside=True,
        ),
    ),
    words={"study.purged": "学时清零", "study.lease_freed": "释放学习占用"},
)
