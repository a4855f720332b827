"""Named reads of courses and progress."""

from __future__ import annotations

from datetime import datetime

import peewee

from app.core.errors import NOT_FOUND
from app.enrol.models import Enrolment
from app.study.errors import NO_COURSE
from app.study.models import Course, Lesson, LessonProgress
from app.study.status import LASTING, LessonStatus


def lessons_for(enrolment: Enrolment) -> list[Lesson]:
    """The lessons of this enrolment in order: those of its kind of certificate that stood in the course when it was
    paid (or when the course opened, if that was later), whatever was published or retired since; before it is paid
    those that stand there now (docs/decisions/0067). Raises `NO_COURSE`."""
    query = Lesson.select(Lesson, Course.opened_at).join(Course).order_by(Lesson.number)
    of_kind = (Course.programme == enrolment.programme) & (Course.kind_code == enrolment.kind_code)
    rows = [row for row in query.where(of_kind, Lesson.status.in_(LASTING)) if _stands_for(row, enrolment.paid_at)]
    if not rows:
        raise NO_COURSE()
    return rows


def _stands_for(lesson: Lesson, paid_at: datetime | None) -> bool:
    opened_at: datetime | None = lesson.course.opened_at
    if paid_at is None:
        return bool(lesson.status == LessonStatus.PUBLISHED)
    since = paid_at if opened_at is None else max(paid_at, opened_at)
    published: bool = lesson.published_at is None or lesson.published_at <= since
    return published and (lesson.retired_at is None or lesson.retired_at > since)


def lesson_for(enrolment: Enrolment, lesson_id: str) -> tuple[int, Lesson]:
    """A lesson of this enrolment, and which one it is, from 1. Raises `NO_COURSE`, `NOT_FOUND`."""
    for place, lesson in enumerate(lessons_for(enrolment), start=1):
        if lesson.id == lesson_id:
            return place, lesson
    raise NOT_FOUND()


def progress_of(enrolment_id: str) -> dict[str, LessonProgress]:
    """The enrolment's progress in SQL, by lesson id; lessons never played are not there."""
    rows = LessonProgress.select().where(LessonProgress.enrolment_id == enrolment_id)
    return {row.lesson_id: row for row in rows}


def begun(*, since: datetime, until: datetime) -> dict[str, int]:
    """Of the enrolments that were signed up in a period, how many have begun to study, by programme."""
    played = LessonProgress.select(LessonProgress.id).where(LessonProgress.enrolment_id == Enrolment.id)
    query = Enrolment.select(Enrolment.programme, peewee.fn.COUNT(Enrolment.id)).where(
        Enrolment.signed_up_at >= since, Enrolment.signed_up_at < until, peewee.fn.EXISTS(played)
    )
    return {programme: int(count) for programme, count in query.group_by(Enrolment.programme).tuples()}
