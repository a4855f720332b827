"""Two imports of questions at one moment."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest

from app.core.clock import utcnow
from app.core.errors import Problem
from app.exam.bank import service as bank
from app.exam.bank.rows import COLUMNS
from app.exam.bank.service import import_questions
from app.exam.models import Question, QuestionVersion
from tests.races import overtaken, unlocked
from tests.world import World

File = Callable[[str], Path]


@pytest.fixture
def file(tmp_path: Path) -> File:
    """An xlsx file with one question, always of the same stem, with this explanation."""

    def write(explanation: str) -> Path:
        book = openpyxl.Workbook()
        sheet = book.active
        assert sheet is not None
        sheet.append(list(COLUMNS))
        sheet.append(["塔机司机", "单选", "题干一", "甲", "乙", "丙", "", "", "", "A", explanation])
        path = tmp_path / f"{explanation}.xlsx"
        book.save(path)
        return path

    return write


def take(path: Path) -> bank.ImportResult:
    return import_questions(path, "yunnan", actor="system", now=utcnow())


def numbers(file: File) -> list[int]:
    """Two imports change the same question at one moment: the numbers of its versions."""
    take(file("first"))
    one, other = file("second"), file("third")
    with overtaken(bank, "_known", lambda: take(other)) as imported:
        take(one)
    assert isinstance(imported[0], bank.ImportResult)
    assert Question.select().count() == 1
    return sorted(row.number for row in QuestionVersion.select())


def test_two_imports_of_the_same_question_make_versions_one_after_the_other(world: World, file: File) -> None:
    assert numbers(file) == [1, 2, 3]


def test_twin_without_the_lock_two_versions_have_one_number(world: World, file: File, servers_only: None) -> None:
    with unlocked():
        assert numbers(file) == [1, 2, 2]


def test_two_imports_of_the_same_new_question_take_one(world: World, file: File) -> None:
    one, other = file("first"), file("second")
    with overtaken(bank, "_known", lambda: take(other)) as imported:
        try:
            result: object = take(one)
        except Problem as problem:
            result = problem
    results = [result, imported[0]]
    refused = [each for each in results if isinstance(each, Problem)]
    # on SQLite the second one waits from the beginning, and finds the question there
    assert [each.code for each in refused] in ([], ["conflict"])
    assert Question.select().count() == 1
    assert QuestionVersion.select().count() == 2 - len(refused)
