"""Courses from a file: TOML, one table per course.

[[courses]]
programme = "yunnan"
kind_codes = ["C1", "C2"]
title = "专职安全生产管理人员继续教育"
lessons = [{ title = "高处作业安全", seconds = 32, video = "height.mp4" }]
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from app.core.db import transaction
from app.study.films import MAX_SECONDS, NAME
from app.study.models import Course, Lesson, LessonProgress


class CatalogueError(ValueError):
    """The file is wrong; the message says where. Nothing was loaded."""


class LessonEntry(msgspec.Struct, forbid_unknown_fields=True):
    title: Annotated[str, Meta(min_length=1, max_length=128)]
    seconds: Annotated[int, Meta(ge=1, le=MAX_SECONDS)]
    video: Annotated[str, Meta(pattern=rf"^{NAME.pattern}\Z")]


class CourseEntry(msgspec.Struct, forbid_unknown_fields=True):
    programme: str
    kind_codes: Annotated[list[str], Meta(min_length=1)]
    title: Annotated[str, Meta(min_length=1, max_length=128)]
    lessons: Annotated[list[LessonEntry], Meta(min_length=1)]


class CatalogueFile(msgspec.Struct, forbid_unknown_fields=True):
    courses: list[CourseEntry]


def load_courses(path: Path) -> int:
    """Load the courses of a TOML file; again with the same or a corrected file changes what differs. Lessons are
    known by their place in the course. How many lessons there are now in these courses. Raises `CatalogueError`."""
    try:
        data = msgspec.toml.decode(path.read_bytes(), type=CatalogueFile)
    except (msgspec.DecodeError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CatalogueError(f"{path.name}: {error}") from error
    return load_entries(data.courses)


def load_entries(courses: Sequence[CourseEntry]) -> int:
    """Load these courses, as `load_courses` does."""
    with transaction():
        return sum(_load_course(entry, kind_code) for entry in courses for kind_code in entry.kind_codes)


def _load_course(entry: CourseEntry, kind_code: str) -> int:
    course, _ = Course.get_or_create(programme=entry.programme, kind_code=kind_code, defaults={"title": entry.title})
    if Lesson.select().where(Lesson.course == course, Lesson.film_id.is_null(False)).exists():
        raise CatalogueError(f"the course of {kind_code} is kept in the console")
    Course.update(title=entry.title).where(Course.id == course.id).execute()
    known = {lesson.number: lesson for lesson in Lesson.select().where(Lesson.course == course)}
    for number, wanted in enumerate(entry.lessons, start=1):
        lesson = known.pop(number, None)
        values = {"title": wanted.title, "seconds": wanted.seconds, "video": wanted.video}
        if lesson is None:
            Lesson.create(course=course, number=number, **values)
            continue
        if lesson.seconds != wanted.seconds:
            _refuse_if_studied(lesson, f"lesson {number} of {kind_code}: its length changes")
        Lesson.update(**values).where(Lesson.id == lesson.id).execute()
    for number, lesson in known.items():
        _refuse_if_studied(lesson, f"lesson {number} of {kind_code}: it is gone from the file")
        lesson.delete_instance()
    return len(entry.lessons)


def _refuse_if_studied(lesson: Lesson, what: str) -> None:
    """What people were credited for stays as it is."""
    if LessonProgress.select().where(LessonProgress.lesson_id == lesson.id).exists():
        raise CatalogueError(f"{what}, and it has been studied")
