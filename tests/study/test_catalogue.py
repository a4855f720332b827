"""Courses from a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.study.catalogue import CatalogueError, load_courses
from app.study.models import Course, Lesson, progress_id
from tests.study.phones import a_learner, a_lesson_of
from tests.world import World

TEXT = """
[[courses]]
programme = "yunnan"
kind_codes = ["C1", "C2"]
title = "专职安全生产管理人员"
lessons = [
    { title = "高处作业", seconds = 32, video = "height.mp4" },
    { title = "临时用电", seconds = 41, video = "power.mp4" },
]
"""


def lessons(kind_code: str) -> list[Lesson]:
    mine = (Course.programme == "yunnan") & (Course.kind_code == kind_code)
    return list(Lesson.select().join(Course).where(mine).order_by(Lesson.number))


@pytest.fixture
def path(world: World, tmp_path: Path) -> Path:
    path = tmp_path / "courses.toml"
    path.write_text(TEXT, encoding="utf-8")
    return path


def test_a_catalogue_is_loaded_once_however_often(path: Path) -> None:
    assert load_courses(path) == 4
    ids = [lesson.id for lesson in Lesson.select().order_by(Lesson.id)]
    assert load_courses(path) == 4
    assert [lesson.id for lesson in Lesson.select().order_by(Lesson.id)] == ids
    assert Course.select().count() == 2
    assert [lesson.title for lesson in lessons("C2")] == ["高处作业", "临时用电"]


def test_a_corrected_title_is_taken_over(path: Path) -> None:
    load_courses(path)
    path.write_text(TEXT.replace("临时用电", "施工用电").replace("height", "heights"), encoding="utf-8")
    load_courses(path)
    first, second = lessons("C1")
    assert (first.video, second.title) == ("heights.mp4", "施工用电")


def test_what_was_studied_keeps_its_length(path: Path) -> None:
    load_courses(path)
    lesson = lessons("C1")[0]
    studied = a_lesson_of(a_learner())
    studied.lesson_id = lesson.id
    studied.save()
    path.write_text(TEXT.replace("32", "33"), encoding="utf-8")
    with pytest.raises(CatalogueError, match="lesson 1 of C1"):
        load_courses(path)
    assert lessons("C2")[0].seconds == 32, "nothing was loaded"


def test_a_lesson_that_nobody_studied_may_go(path: Path) -> None:
    load_courses(path)
    line = '    { title = "临时用电", seconds = 41, video = "power.mp4" },\n'
    path.write_text(TEXT.replace(line, ""), encoding="utf-8")
    assert load_courses(path) == 2
    assert Lesson.select().count() == 2


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("height.mp4", "../height.mp4"),
        ("height.mp4", "height.mp4\\n"),
        ("seconds = 32", "seconds = 0"),
        ("seconds = 32", "seconds = 99999"),
        ("title", "titel"),
        ("[[courses]]", "[[courses"),
    ],
)
def test_a_wrong_catalogue_is_refused_by_name(path: Path, old: str, new: str) -> None:
    path.write_text(TEXT.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(CatalogueError, match=r"courses\.toml"):
        load_courses(path)
    assert Course.select().count() == 0


def test_progress_rows_have_the_same_id_again() -> None:
    assert progress_id("a", "b") == progress_id("a", "b") != progress_id("b", "a")
    assert len(progress_id("a", "b")) == 16
