"""Named reads for teaching staff: only of programmes in which they teach."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import peewee

from app.core.errors import NOT_FOUND
from app.core.staff import Right, Staff
from app.enrol.models import Enrolment
from app.policy import load
from app.policy.parties import CertificateKind
from app.policy.schema import Programme
from app.study.models import Course, Film, Lesson, LessonProgress
from app.study.status import FilmStatus


@dataclass(frozen=True)
class CourseCard:
    """A kind of certificate of a programme, its course (None: there is none), and what is in it. `learners`: people
    who have paid and are on their way. `published`: lessons of whoever pays now."""

    kind: CertificateKind
    course: Course | None
    lessons: int
    published: int
    seconds: int
    learners: int


def programmes(staff: Staff) -> list[Programme]:
    """The newest version of each programme in which they teach."""
    newest = {each.key: each for each in load.all_programmes()}
    return [each for key, each in sorted(newest.items()) if staff.may(Right.TEACHING, key)]


def programme(staff: Staff, key: str) -> Programme:
    """One of them. Raises `NOT_FOUND`."""
    found = next((each for each in programmes(staff) if each.key == key), None)
    if found is None:
        raise NOT_FOUND()
    return found


def cards(programme_: Programme) -> list[CourseCard]:
    """Every kind of certificate that is continued in this programme, with its course."""
    courses = {row.kind_code: row for row in Course.select().where(Course.programme == programme_.key)}
    counts: dict[str, list[Lesson]] = {}
    for lesson in Lesson.select().where(Lesson.course.in_([row.id for row in courses.values()])):
        counts.setdefault(lesson.course_id, []).append(lesson)
    on_their_way = (
        Enrolment.select(Enrolment.kind_code, peewee.fn.COUNT(Enrolment.id))
        .where(Enrolment.programme == programme_.key, Enrolment.status == "studying")
        .group_by(Enrolment.kind_code)
    )
    learners = dict(on_their_way.tuples())
    kinds = {kind.code: kind for kind in programme_.certificate_kinds if "continuing" in kind.business}
    found = []
    for kind in kinds.values():
        course = courses.get(kind.code)
        rows = counts.get(course.id, []) if course else []
        shown = [row for row in rows if row.status == "published"]
        seconds = sum(row.seconds for row in shown)
        found.append(CourseCard(kind, course, len(rows), len(shown), seconds, learners.get(kind.code, 0)))
    return found


def course(staff: Staff, course_id: str) -> Course:
    """A course of a programme in which they teach. Raises `NOT_FOUND`."""
    found = Course.get_or_none(Course.id == course_id)
    if found is None or not staff.may(Right.TEACHING, found.programme):
        raise NOT_FOUND()
    return found


def lesson(staff: Staff, lesson_id: str) -> Lesson:
    """A lesson of such a course. Raises `NOT_FOUND`."""
    found = Lesson.select(Lesson, Course).join(Course).where(Lesson.id == lesson_id).first()
    if found is None or not staff.may(Right.TEACHING, found.course.programme):
        raise NOT_FOUND()
    return found


def lessons(course_: Course) -> list[Lesson]:
    """All lessons of a course in order."""
    return list(Lesson.select().where(Lesson.course == course_).order_by(Lesson.number))


def studied(lesson_ids: Collection[str]) -> dict[str, int]:
    """Of these lessons, how many learners have begun each."""
    if not lesson_ids:
        return {}
    lesson_id = LessonProgress.lesson_id
    query = LessonProgress.select(lesson_id, peewee.fn.COUNT(LessonProgress.id))
    return dict(query.where(lesson_id.in_(list(lesson_ids))).group_by(lesson_id).tuples())


def film(staff: Staff, film_id: str) -> Film:
    """A film of a programme in which they teach, as it stands now. Raises `NOT_FOUND`."""
    found = Film.get_or_none(Film.id == film_id)
    if found is None or not staff.may(Right.TEACHING, found.programme):
        raise NOT_FOUND()
    return found


def library(programme_key: str, *, ready: bool = False, limit: int = 300) -> list[Film]:
    """The films of a programme, the newest first; `ready`: only those that can be watched."""
    query = Film.select().where(Film.programme == programme_key)
    if ready:
        query = query.where(Film.status == FilmStatus.READY)
    return list(query.order_by(Film.created_at.desc(), Film.id.desc()).limit(limit))


def in_work(programme_key: str) -> list[Film]:
    """The films of a programme that a worker has or will have, the oldest first."""
    mine = (Film.programme == programme_key) & Film.status.in_((FilmStatus.QUEUED, FilmStatus.TRANSCODING))
    return list(Film.select().where(mine).order_by(Film.created_at, Film.id))


def same_file(programme_key: str, fingerprint: str, size: int) -> list[Film]:
    """The films of a programme that were made of this file, the oldest first."""
    query = Film.select().where(Film.programme == programme_key, Film.fingerprint == fingerprint, Film.size == size)
    return list(query.order_by(Film.id))


def used_in(film_ids: Collection[str]) -> dict[str, list[str]]:
    """In which lessons films are used, by film: the lessons' titles."""
    found: dict[str, list[str]] = {}
    rows = Lesson.select(Lesson.film_id, Lesson.title).where(Lesson.film_id.in_(list(film_ids))) if film_ids else ()
    for row in rows:
        found.setdefault(row.film_id, []).append(row.title)
    return found
