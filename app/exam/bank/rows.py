"""The rows of a question bank's file. Pure: a table becomes questions, or sentences about its cells."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from app.core.sheet import Formula, Row, RowError, Table, Value
from app.exam.scoring import LETTERS
from app.policy.schema import Programme

SUBJECT, TYPE, STEM, ANSWER, EXPLANATION = "科目", "题型", "题干", "答案", "解析"
POINTS, KNOWLEDGE = "分值", "知识点"
OPTIONS = tuple(f"选项{letter}" for letter in LETTERS)
COLUMNS = (SUBJECT, TYPE, STEM, *OPTIONS, ANSWER, EXPLANATION, POINTS, KNOWLEDGE)
REQUIRED = (SUBJECT, TYPE, STEM, ANSWER)
EXAMPLE = "（示例）"  # how the stems of the template's own rows begin

TYPES = {
    "单选": "single",
    "单选题": "single",
    "多选": "multiple",
    "多选题": "multiple",
    "判断": "judge",
    "判断题": "judge",
}
TITLES = {"single": "单选", "multiple": "多选", "judge": "判断"}
RIGHT_OR_WRONG = ["正确", "错误"]
_JUDGED = {"正确": 1, "对": 1, "√": 1, "✓": 1, "是": 1, "A": 1, "错误": 2, "错": 2, "×": 2, "✗": 2, "否": 2, "B": 2}
_LONGEST = {STEM: 1000, EXPLANATION: 2000} | dict.fromkeys(OPTIONS, 300)


@dataclass(frozen=True)
class BankRow:
    """One valid row; `mask` marks the right options, bit 0 is the first."""

    number: int
    subject: str
    type: str
    stem: str
    options: tuple[str, ...]
    mask: int
    explanation: str
    knowledge_point: str

    @property
    def identity(self) -> tuple[str, str, str]:
        """What makes it this question and no other."""
        plain = "".join(self.stem.split())
        return self.subject, self.type, hashlib.sha256(plain.encode()).hexdigest()

    @property
    def content(self) -> tuple[str, str, int, str, str]:
        """What makes it this version and no other."""
        return (
            self.stem,
            json.dumps(self.options, ensure_ascii=False),
            self.mask,
            self.explanation,
            self.knowledge_point,
        )


class _Wrong(Exception):
    """A cell's sentence."""

    def __init__(self, column: str, sentence: str):
        super().__init__(sentence)
        self.column = column


class _Faults:
    """What is wrong in a row, by its cells: whoever mends a row hears of every fault at once. A column is named once,
    though several questions are asked of it."""

    def __init__(self) -> None:
        self.found: dict[str, str] = {}

    @contextmanager
    def of(self) -> Iterator[None]:
        """A question asked of the row; what is answered with `_Wrong` is kept, and the next one is asked."""
        try:
            yield
        except _Wrong as wrong:
            self.found.setdefault(wrong.column, str(wrong))


def read(table: Table, programme: Programme) -> tuple[list[BankRow], list[RowError]]:
    """The rows of `table`, and all that is wrong with them, in the order of the file."""
    subjects = {
        name: subject.code
        for kind in programme.certificate_kinds
        for subject in kind.subjects
        for name in (subject.code.upper(), subject.title)
    }
    scores = _scores(programme)
    rows: list[BankRow] = []
    named: list[BankRow] = []  # those of which it is known which question they are, with faults too
    errors: list[RowError] = []
    for row in table.rows:
        faults = _Faults()
        found = _read_row(row, subjects, scores, faults)
        if found is not None:
            named.append(found)
            if not faults.found:
                rows.append(found)
        errors.extend(RowError(row.number, column, sentence) for column, sentence in faults.found.items())
    errors.extend(_doubles(named))
    return rows, sorted(errors, key=lambda error: (error.row, COLUMNS.index(error.column)))


def _scores(programme: Programme) -> dict[str, set[int]]:
    """What a question of each type counts in this programme's papers."""
    found: dict[str, set[int]] = {}
    for part in programme.exam.paper if programme.exam else ():
        found.setdefault(part.type, set()).add(part.score)
    return found


def _doubles(rows: Iterable[BankRow]) -> Iterator[RowError]:
    first: dict[tuple[str, str, str], int] = {}
    for row in rows:
        if row.identity in first:
            yield RowError(row.number, STEM, f"与第 {first[row.identity]} 行是同一科目的同一道题，请删掉一行。")
        else:
            first[row.identity] = row.number


def _text(row: Row, column: str) -> str:
    value: Value = row.values.get(column)
    if isinstance(value, Formula):
        raise _Wrong(column, "单元格里是公式，请复制后“粘贴为数值”。")
    if value is None:
        return ""
    if isinstance(value, bool):
        raise _Wrong(column, "单元格是逻辑值，请改成文字。")
    if not isinstance(value, str | int | float):
        raise _Wrong(column, "单元格被 Excel 当成了日期，请先把单元格格式设为“文本”再填写。")
    text = str(value).replace("\u3000", " ").strip()
    if any(ord(sign) < 32 and sign not in "\n\t\r" for sign in text):
        raise _Wrong(column, "含有看不见的控制字符，请重新输入这一格。")
    if len(text) > _LONGEST.get(column, 100):
        raise _Wrong(column, f"太长了，最多 {_LONGEST.get(column, 100)} 个字。")
    return text


def _read_row(row: Row, subjects: dict[str, str], scores: dict[str, set[int]], faults: _Faults) -> BankRow | None:
    """The question of a row, if its subject, type and stem name one; in `faults` all that is wrong with it. What
    depends on a cell that is wrong itself is not asked: of an unknown type neither options nor answer nor points."""
    subject = kind = stem = None
    mask = 0
    options: list[str] = []
    explanation = knowledge = ""
    with faults.of():
        subject = _subject(row, subjects)
    with faults.of():
        kind = TYPES.get(_text(row, TYPE))
        if kind is None:
            raise _Wrong(TYPE, "题型只能是：单选、多选、判断。")
    with faults.of():
        stem = _stem(row)
    if kind is not None:
        options = _options(row, kind, faults)
        with faults.of():
            mask = _answer(row, kind, options or OPTIONS)
        with faults.of():
            _check_points(row, kind, scores)
    with faults.of():
        explanation = _text(row, EXPLANATION)
    with faults.of():
        knowledge = _text(row, KNOWLEDGE)
    if subject is None or kind is None or stem is None:
        return None
    return BankRow(row.number, subject, kind, stem, tuple(options), mask, explanation, knowledge)


def _subject(row: Row, subjects: dict[str, str]) -> str:
    named = _text(row, SUBJECT)
    subject = subjects.get(named) or subjects.get(named.upper())
    if subject is None:
        raise _Wrong(SUBJECT, f"没有“{named}”这个科目，请填项目里的科目名称或代码。" if named else "不能为空。")
    return subject


def _stem(row: Row) -> str:
    stem = _text(row, STEM)
    if not stem:
        raise _Wrong(STEM, "不能为空。")
    if stem.startswith(EXAMPLE):
        raise _Wrong(STEM, "这是模板里的示例，请删掉这一行。")
    return stem


def _check_points(row: Row, kind: str, scores: dict[str, set[int]]) -> None:
    """What a question counts is the programme's rule, never the file's: a file that says otherwise is mistaken."""
    given = _text(row, POINTS).removesuffix("分").strip()
    allowed = scores.get(kind, set())
    if given and allowed and given not in {str(score) for score in allowed}:
        said = "或".join(str(score) for score in sorted(allowed))
        raise _Wrong(POINTS, f"本项目规定{TITLES[kind]}每题 {said} 分，请改成一样，或留空。")


def _options(row: Row, kind: str, faults: _Faults) -> list[str]:
    """The options; of faulty ones none."""
    before = len(faults.found)
    texts: list[str] = []
    for column in OPTIONS:
        with faults.of():
            texts.append(_text(row, column))
    if len(faults.found) == before and kind == "judge":
        with faults.of():
            if [text for text in texts if text] not in ([], RIGHT_OR_WRONG, ["对", "错"], ["√", "×"]):
                raise _Wrong(OPTIONS[0], "判断题的选项请留空，或只填“正确”“错误”。")
    elif len(faults.found) == before:
        for place in range(len(OPTIONS)):
            with faults.of():
                _check_option(texts, place)
    if len(faults.found) > before:
        return []
    return RIGHT_OR_WRONG if kind == "judge" else [text for text in texts if text]


def _check_option(texts: Sequence[str], place: int) -> None:
    text = texts[place]
    if not text and any(texts[place:]):
        raise _Wrong(OPTIONS[place], "这一格空着，后面的选项却有内容；请把选项依次往前填。")
    if not text and place < 2 and all(texts[:place]):
        raise _Wrong(OPTIONS[place], "选择题至少要有两个选项。")
    if text and text in texts[:place]:
        raise _Wrong(OPTIONS[place], f"与{OPTIONS[texts.index(text)]}相同，请修改。")


def _answer(row: Row, kind: str, options: Sequence[str]) -> int:
    given = _text(row, ANSWER).translate({ord(sign): None for sign in " ,，、;；/\n\t"})
    if kind == "judge":
        if given.upper() not in _JUDGED:
            raise _Wrong(ANSWER, "判断题的答案只能是：正确、错误。")
        return _JUDGED[given.upper()]
    mask = 0
    for letter in given.upper():
        bit = 1 << LETTERS.find(letter) if letter in LETTERS[: len(options)] else 0
        if not bit or mask & bit:
            raise _Wrong(ANSWER, f"答案只能由 {LETTERS[0]}–{LETTERS[len(options) - 1]} 中的字母组成，每个字母一次。")
        mask |= bit
    if kind == "single" and mask.bit_count() != 1:
        raise _Wrong(ANSWER, "单选题有且只有一个答案。")
    if kind == "multiple" and mask.bit_count() < 2:
        raise _Wrong(ANSWER, "多选题至少要有两个答案；只有一个答案的请改为单选题。")
    return mask
