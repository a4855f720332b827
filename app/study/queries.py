"""Named reads of courses and progress."""

from __future__ import annotations

from app.core.errors import NOT_FOUND
from app.study.errors import NO_COURSE
from app.study.models import Course, Lesson, LessonProgress


def course_of(programme: str, kind_code: str) -> Course:
    """The course for a kind of certificate. Raises `NO_COURSE`."""
    course = Course.get_or_none(Course.programme == programme, Course.kind_code == kind_code)
    if course is None:
        raise NO_COURSE()
    return course


def lessons_of(course: Course) -> list[Lesson]:
    """The course's lessons in order."""
    return list(Lesson.select().where(Lesson.course == course).order_by(Lesson.number))


def lesson_of(course: Course, lesson_id: str) -> Lesson:
    """A lesson of this course. Raises `NOT_FOUND`."""
    lesson = Lesson.get_or_none(Lesson.id == lesson_id, Lesson.course == course)
    if lesson is None:
        raise NOT_FOUND()
    return lesson


def progress_of(enrolment_id: str) -> dict[str, LessonProgress]:
    """The enrolment's progress in SQL, by lesson id; lessons never played are not there."""
    rows = LessonProgress.select().where(LessonProgress.enrolment_id == enrolment_id)
    return {row.lesson_id: row for row in rows}
