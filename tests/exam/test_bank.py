"""Importing a question bank."""

from __future__ import annotations

import json
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest

from app import wiring
from app.core.clock import utcnow
from app.core.sheet import RowError, SheetRefused
from app.exam.bank import rows as bank
from app.exam.bank.rows import COLUMNS
from app.exam.bank.service import ImportResult, import_questions
from app.exam.models import Question, QuestionImport, QuestionVersion
from app.policy import load
from ops import manage, questions
from tests.world import World

Import = Callable[..., ImportResult]
GOOD = ["塔机司机", "单选", "题干一", "甲", "乙", "丙", "", "", "", "A", "解析一", "", ""]


@pytest.fixture
def take(world: World, tmp_path: Path) -> Import:
    """Import rows (under the right header unless given another)."""

    def run(*rows: list[object], header: tuple[str, ...] = COLUMNS, replace: bool = False) -> ImportResult:
        book = openpyxl.Workbook()
        sheet = book.active
        assert sheet is not None
        for row in (list(header), *rows):
            sheet.append(row)
        path = tmp_path / "bank.xlsx"
        book.save(path)
        return import_questions(path, "yunnan", actor="system", now=utcnow(), replace=replace)

    return run


def changed(**cells: object) -> list[object]:
    """The good row with some cells changed, by column."""
    return [cells.get(column, value) for column, value in zip(COLUMNS, GOOD, strict=True)]


def test_the_three_types_are_taken(take: Import) -> None:
    result = take(
        GOOD,
        ["TJ", "多选题", "题干二", "甲", "乙", "丙", "丁", "戊", "己", "A、C,F", ""],
        ["塔机司机", "判断", "题干三", "", "", "", "", "", "", "错误", "因为不对"],
    )
    assert (result.added, result.errors) == (3, ())
    found = {row.stem: (row.type, json.loads(row.options), row.mask) for row in QuestionVersion.select()}
    assert found == {
        "题干一": ("single", ["甲", "乙", "丙"], 1),
        "题干二": ("multiple", list("甲乙丙丁戊己"), 0b100101),
        "题干三": ("judge", ["正确", "错误"], 2),
    }
    assert result.short == {"TJ": {"single": 24, "multiple": 9, "judge": 14}}
    assert QuestionImport.select().count() == 1


@pytest.mark.parametrize(
    ("cells", "column", "words"),
    [
        ({"科目": "焊工"}, "科目", "没有“焊工”这个科目"),
        ({"科目": None}, "科目", "不能为空"),
        ({"题型": "填空"}, "题型", "只能是"),
        ({"题干": " 　 "}, "题干", "不能为空"),
        ({"题干": "长" * 1001}, "题干", "太长"),
        ({"题干": "=1+1"}, "题干", "公式"),
        ({"选项B": ""}, "选项B", "空着"),
        ({"选项B": "甲"}, "选项B", "与选项A相同"),
        ({"选项A": "", "选项B": "", "选项C": ""}, "选项A", "至少要有两个"),
        ({"答案": "D"}, "答案", "A–C"),
        ({"答案": "AB"}, "答案", "有且只有一个"),
        ({"答案": ""}, "答案", "有且只有一个"),
        ({"题型": "多选", "答案": "B"}, "答案", "至少要有两个"),
        ({"题型": "多选", "答案": "AA"}, "答案", "每个字母一次"),
        ({"题型": "判断", "选项A": "", "选项B": "", "选项C": "", "答案": "C"}, "答案", "正确、错误"),
        ({"题型": "判断", "答案": "正确"}, "选项A", "请留空"),
        ({"选项A": utcnow().replace(tzinfo=None)}, "选项A", "日期"),
        ({"选项A": True}, "选项A", "逻辑值"),
    ],
)
def test_a_fault_is_named_with_row_and_column(
    take: Import, cells: dict[str, object], column: str, words: str
) -> None:
    result = take(changed(题干="另一题"), changed(**cells))
    (error,) = result.errors
    assert (error.row, error.column) == (3, column)
    assert words in error.message
    assert Question.select().count() == 0  # nothing half imported


def test_every_faulty_row_is_named_and_none_is_taken(take: Import) -> None:
    result = take(GOOD, changed(题型="填空"), [], changed(答案="Z"), GOOD)
    assert [(error.row, error.column) for error in result.errors] == [
        (3, "题型"), (5, "题干"), (5, "答案"), (6, "题干"),
    ]  # fmt: skip
    assert result.errors[3] == RowError(6, "题干", "与第 2 行是同一科目的同一道题，请删掉一行。")
    assert QuestionVersion.select().count() == QuestionImport.select().count() == 0


def test_every_fault_of_a_row_is_named_at_once_in_the_order_of_its_cells(take: Import) -> None:
    result = take(
        changed(科目="焊工", 题干="", 选项B="", 答案="AB", 分值="七", 解析=True),
        changed(题干="=1+1", 选项A=True, 选项B=True, 题型="多选", 答案="G"),
        changed(题干="另一题", 选项B="甲", 选项C="甲", 知识点="长" * 101),
        changed(科目=None, 题型=None, 题干=None),
    )
    named: dict[int, list[str]] = {}
    for error in result.errors:
        named.setdefault(error.row, []).append(error.column)
    assert named == {
        2: ["科目", "题干", "选项B", "答案", "解析", "分值"],
        3: ["题干", "选项A", "选项B", "答案"],
        4: ["选项B", "选项C", "知识点"],
        5: ["科目", "题型", "题干"],
    }
    assert QuestionVersion.select().count() == 0


def test_a_number_in_an_option_stays_what_it_looks_like(take: Import) -> None:
    assert take(changed(选项A=5, 选项B=1.5, 选项C=30)).added == 1
    assert json.loads(QuestionVersion.get().options) == ["5", "1.5", "30"]


def test_the_same_file_again_changes_nothing(take: Import) -> None:
    take(GOOD)
    again = take(GOOD)
    assert (again.added, again.changed, again.unchanged) == (0, 0, 1)
    assert QuestionVersion.select().count() == 1


def test_a_changed_question_is_a_new_version_and_the_old_one_stays(take: Import) -> None:
    take(GOOD)
    old = QuestionVersion.get()
    assert take(changed(答案="B", 题干="题 干 一")).changed == 1
    question = Question.get()
    assert question.version_id != old.id
    assert {(row.number, row.mask) for row in QuestionVersion.select()} == {(1, 1), (2, 2)}


def test_replacing_retires_what_the_file_does_not_hold_and_a_later_file_brings_it_back(take: Import) -> None:
    take(GOOD, changed(题干="题干二"))
    assert take(changed(题干="题干二"), replace=True).retired == 1
    assert {row.active for row in Question.select()} == {True, False}
    assert take(GOOD).unchanged == 1
    assert all(row.active for row in Question.select())


def test_a_missing_column_is_named(take: Import) -> None:
    with pytest.raises(SheetRefused, match="答案"):
        take(GOOD[:9], header=COLUMNS[:9])


def test_a_file_without_questions_is_refused(take: Import) -> None:
    with pytest.raises(SheetRefused, match="没有题目"):
        take()


def test_hostile_files_are_refused_quickly(world: World, tmp_path: Path) -> None:
    bomb, text, book = tmp_path / "bomb.xlsx", tmp_path / "text.xlsx", tmp_path / "book.xlsx"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("xl/workbook.xml", "<workbook/>")
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * 200_000_000)
    text.write_bytes(b"PK\x03\x04 no zip at all")
    openpyxl.Workbook().save(book)
    with zipfile.ZipFile(book, "a") as archive:
        archive.writestr("xl/sharedStrings.xml", '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>')
    started = time.monotonic()
    for path in (bomb, text, book):
        with pytest.raises(SheetRefused):
            import_questions(path, "yunnan", actor="system", now=utcnow())
    assert time.monotonic() - started < 3


def test_the_demonstration_bank_fills_a_paper_of_every_subject(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(wiring, "start", lambda _settings: None)
    path = tmp_path / "demo.xlsx"
    assert manage.main(["make-questions", str(path), "--programme", "yunnan"]) == 0
    assert manage.main(["import-questions", str(path), "--programme", "yunnan", "--by", "王芳"]) == 0
    told = capsys.readouterr()
    subjects = {
        subject.code for kind in load.in_force("yunnan", utcnow()).certificate_kinds for subject in kind.subjects
    }
    assert "还不够" not in told.err
    assert f"新增 {len(questions.questions()) * len(subjects)}" in told.out
    assert len(questions.questions()) >= 120
    assert bank.TYPES["单选"] == "single"
