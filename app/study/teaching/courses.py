"""Courses and lessons as teaching staff prepare them.

What somebody has paid for stays as it was: whoever pays gets the lessons that are published at that moment. A lesson
that is published later is for those who pay later; one that is retired stays with those who had it; and the film of
one that was studied is only replaced by one of the same length (docs/decisions/0067).
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from app.core import audit
from app.core.db import compare_and_set, insert_once, lock, locked, transaction
from app.core.errors import CONFLICT
from app.core.staff import Right, Staff
from app.study import films
from app.study.models import Course, Film, Lesson
from app.study.status import FilmStatus, LessonAction, LessonStatus, NotAllowed, next_lesson_status
from app.study.teaching import queries
from app.study.teaching.errors import COURSE_INVALID, COURSE_TAKEN, LESSON_STEP, LESSON_STUDIED

MOST = 500  # lessons of a course


def _title(text: str) -> str:
    title = " ".join(text.split())
    if not 1 <= len(title) <= 128:
        raise COURSE_INVALID("请填写名称，不超过 128 个字。", fields={"title": "请填写名称，不超过 128 个字。"})
    return title


def create(staff: Staff, programme: str, kind_code: str, title: str, *, now: datetime) -> Course:
    """A course, still empty, for a kind of certificate. Raises `not_found`, `course_invalid`, `course_taken`."""
    found = queries.programme(staff, programme)
    staff.require(Right.TEACHING, programme)
    if kind_code not in {kind.code for kind in found.certificate_kinds if "continuing" in kind.business}:
        raise COURSE_INVALID("没有这个证书类别，请重新选择。")
    title = _title(title)
    with transaction():
        if not insert_once(Course, programme=programme, kind_code=kind_code, title=title):
            raise COURSE_TAKEN()
        course: Course = Course.get(Course.programme == programme, Course.kind_code == kind_code)
        audit.record(staff.actor, "course.created", f"course:{course.id}", now=now, kind=kind_code, title=title)
    return course


def rename(staff: Staff, course_id: str, title: str, *, now: datetime) -> None:
    """Give a course another title. Raises `not_found`, `course_invalid`."""
    queries.course(staff, course_id)
    title = _title(title)
    with transaction():
        Course.update(title=title).where(Course.id == course_id).execute()
        audit.record(staff.actor, "course.renamed", f"course:{course_id}", now=now, title=title)


def open_(staff: Staff, course_id: str, *, now: datetime) -> int:
    """Open a course: everything that is ready is published, and those who had paid before get exactly these lessons.
    How many. Opened once, further lessons are published one by one. Raises `not_found`, `lesson_step`."""
    queries.course(staff, course_id)
    with transaction():
        course = _alone(course_id)
        ready = (Lesson.course == course_id) & (Lesson.status == LessonStatus.READY)
        if is_open(course):
            raise LESSON_STEP("这门课程已经开放，请逐节发布。")
        values = {"status": next_lesson_status(LessonStatus.READY, LessonAction.PUBLISH), "published_at": now}
        count: int = Lesson.update(values).where(ready).execute()
        if not count:
            raise LESSON_STEP("还没有就绪的课。请先给至少一节课选好视频。")
        Course.update(opened_at=now).where(Course.id == course_id).execute()
        audit.record(staff.actor, "course.opened", f"course:{course_id}", now=now, lessons=count)
    return count


def is_open(course: Course) -> bool:
    """Whether somebody may be studying it: opened here, or there since before courses were kept here."""
    if course.opened_at is not None:
        return True
    lasting = Lesson.select().where(Lesson.course == course, Lesson.published_at.is_null())
    return bool(lasting.where(Lesson.status.in_((LessonStatus.PUBLISHED, LessonStatus.RETIRED))).exists())


def _alone(course_id: str) -> Course:
    """The course, which nobody else changes before the transaction ends."""
    course: Course = lock(Course.select().where(Course.id == course_id)).get()
    return course


def add(staff: Staff, course_id: str, title: str, film_id: str, *, now: datetime) -> Lesson:
    """A lesson at the end of the course: a draft, or ready if it has a film. Raises `not_found`, `course_invalid`."""
    course = queries.course(staff, course_id)
    with transaction():
        _alone(course_id)
        film = _film(staff, course, film_id) if film_id else None
        title = _title(title or (film.title if film else ""))
        rows = queries.lessons(course)
        if len(rows) >= MOST:
            raise COURSE_INVALID(f"一门课程最多 {MOST} 节课。")
        lesson: Lesson = Lesson.create(
            course=course_id,
            number=rows[-1].number + 1 if rows else 1,
            title=title,
            status=LessonStatus.READY if film else LessonStatus.DRAFT,
            **_of_film(film),
        )
        audit.record(staff.actor, "lesson.added", f"course:{course_id}", now=now, lesson=lesson.id, title=title)
    return lesson


def _film(staff: Staff, course: Course, film_id: str) -> Film:
    """A film that is not deleted before the transaction ends. Raises `not_found`, `course_invalid`."""
    queries.film(staff, film_id)
    film = locked(Film, film_id)
    if film is None or film.programme != course.programme or film.status != FilmStatus.READY:
        raise COURSE_INVALID("请从本项目已就绪的视频中选择一个。", fields={"film": "请选择一个已就绪的视频。"})
    return film


def _of_film(film: Film | None) -> dict[str, Any]:
    if film is None:
        return {"film_id": None, "seconds": 0, "video": ""}
    return {"film_id": film.id, "seconds": film.seconds, "video": films.name_of(film.id)}


def change(staff: Staff, lesson_id: str, title: str, film_id: str, *, now: datetime) -> None:
    """Correct a lesson's title, and give it a film (`film_id` '' leaves the one it has). Once it was published the
    film's length stays what it was. Raises `not_found`, `course_invalid`, `lesson_studied`."""
    lesson = queries.lesson(staff, lesson_id)
    title = _title(title)
    with transaction():
        _alone(lesson.course_id)
        lesson = queries.lesson(staff, lesson_id)
        film = _film(staff, lesson.course, film_id) if film_id and film_id != lesson.film_id else None
        if title != lesson.title:
            Lesson.update(title=title).where(Lesson.id == lesson_id).execute()
            audit.record(staff.actor, "lesson.renamed", _course(lesson), now=now, lesson=lesson_id, title=title)
        if film is None:
            return
        after = _after(lesson, LessonAction.GIVE_FILM)
        if film.seconds != lesson.seconds and _keeps_its_length(lesson):
            raise LESSON_STUDIED()
        values = {"status": after, **_of_film(film)}
        if not compare_and_set(Lesson, lesson_id, {"status": lesson.status, "seconds": lesson.seconds}, values):
            raise CONFLICT()
        audit.record(staff.actor, "lesson.film_changed", _course(lesson), now=now, lesson=lesson_id, film=film.id)


def _keeps_its_length(lesson: Lesson) -> bool:
    """A lesson of an open course may be played at this very moment: so its length is fixed by its publication, not
    by the first row of progress."""
    if lesson.status not in (LessonStatus.PUBLISHED, LessonStatus.RETIRED):
        return bool(queries.studied([lesson.id]))
    return is_open(lesson.course) or bool(queries.studied([lesson.id]))


def _after(lesson: Lesson, action: LessonAction) -> LessonStatus:
    try:
        return next_lesson_status(lesson.status, action)
    except NotAllowed:
        raise LESSON_STEP() from None


def _course(lesson: Lesson) -> str:
    return f"course:{lesson.course_id}"


def publish(staff: Staff, lesson_id: str, *, now: datetime) -> None:
    """Put a ready lesson into the course of whoever pays from now on. Raises `not_found`, `lesson_step`."""
    lesson = queries.lesson(staff, lesson_id)
    with transaction():
        if not is_open(_alone(lesson.course_id)):
            raise LESSON_STEP("课程还没有开放：请先备齐各节课，再点“开放课程”，就绪的课会一起发布。")
        _move(staff, lesson_id, LessonAction.PUBLISH, now=now, published_at=now)


def retire(staff: Staff, lesson_id: str, *, now: datetime) -> None:
    """Take a lesson out of the course of whoever pays from now on; those who have it keep it. Raises `not_found`,
    `lesson_step`."""
    lesson = queries.lesson(staff, lesson_id)
    with transaction():
        _alone(lesson.course_id)
        others = (Lesson.course == lesson.course_id) & (Lesson.status == LessonStatus.PUBLISHED)
        if not Lesson.select().where(others, Lesson.id != lesson_id).exists():
            raise LESSON_STEP("这是课程里最后一节已发布的课，停用后新学员将无课可学。请先发布另一节。")
        _move(staff, lesson_id, LessonAction.RETIRE, now=now, retired_at=now)


def _move(staff: Staff, lesson_id: str, action: LessonAction, *, now: datetime, **values: object) -> None:
    lesson = queries.lesson(staff, lesson_id)
    after = _after(lesson, action)
    if not compare_and_set(Lesson, lesson_id, {"status": lesson.status}, {"status": after, **values}):
        raise LESSON_STEP()
    audit.record(staff.actor, f"lesson.{action}", _course(lesson), now=now, lesson=lesson_id, title=lesson.title)


def remove(staff: Staff, lesson_id: str, *, now: datetime) -> None:
    """Delete a lesson that was never published. Raises `not_found`, `lesson_step`."""
    lesson = queries.lesson(staff, lesson_id)
    with transaction():
        never = Lesson.status.in_((LessonStatus.DRAFT, LessonStatus.READY))
        if not Lesson.delete().where(Lesson.id == lesson_id, never).execute():
            raise LESSON_STEP("已发布过的课不能删除，只能停用：学过的人还要凭它计学时。")
        audit.record(staff.actor, "lesson.removed", _course(lesson), now=now, lesson=lesson_id, title=lesson.title)


def move(staff: Staff, lesson_id: str, up: bool, *, now: datetime) -> None:
    """Exchange a lesson's place with the one before or after it; at the end nothing happens. Raises `not_found`."""
    lesson = queries.lesson(staff, lesson_id)
    with transaction():
        _alone(lesson.course_id)
        rows = queries.lessons(lesson.course)
        place = next((place for place, row in enumerate(rows) if row.id == lesson_id), None)
        other = None if place is None else place + (-1 if up else 1)
        if place is None or other is None or not 0 <= other < len(rows):
            return
        mine, theirs = rows[place], rows[other]
        # the number is unique in the course: one of them stands aside for a moment
        for row_id, number in ((mine.id, -mine.number), (theirs.id, mine.number), (mine.id, theirs.number)):
            Lesson.update(number=number).where(Lesson.id == row_id).execute()
        audit.record(staff.actor, "lesson.moved", _course(lesson), now=now, lesson=lesson_id, up=up)


def copy(staff: Staff, course_id: str, from_id: str, *, now: datetime) -> int:
    """Add the published lessons of another course of the programme as ready ones: many kinds of certificate share
    their lessons. Those whose film is here already are left out. How many were added. Raises `not_found`,
    `course_invalid`."""
    course, source = queries.course(staff, course_id), queries.course(staff, from_id)
    if course.programme != source.programme or course.id == source.id:
        raise COURSE_INVALID("请选择本项目的另一门课程。")
    with transaction():
        _alone(course_id)
        rows = queries.lessons(course)
        here, number = {row.video for row in rows}, rows[-1].number if rows else 0
        added = 0
        theirs = queries.lessons(source)
        films_ = sorted({one.film_id for one in theirs if one.film_id})
        there = {one.id for one in lock(Film.select().where(Film.id.in_(films_)).order_by(Film.id))}
        for lesson in theirs:
            if lesson.film_id and lesson.film_id not in there:
                continue  # it got another film, and this one was deleted, since it was read
            if lesson.status != LessonStatus.PUBLISHED or lesson.video in here or len(rows) + added >= MOST:
                continue
            added += 1
            Lesson.create(
                course=course_id,
                number=number + added,
                title=lesson.title,
                seconds=lesson.seconds,
                video=lesson.video,
                film_id=lesson.film_id,
                status=LessonStatus.READY,
            )
        audit.record(staff.actor, "course.copied", f"course:{course_id}", now=now, source=from_id, lessons=added)
    return added
