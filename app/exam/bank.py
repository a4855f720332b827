"""The question bank: an xlsx file is read, checked row by row, and taken in whole or not at all.

A question is known by subject, type and stem. The same stem with other options, key or explanation is a new version
of it; papers already drawn keep theirs.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import peewee

from app.core import audit
from app.core.db import lock, transaction
from app.core.errors import CONFLICT
from app.core.ids import new_id
from app.core.sheet import Formula, Row, RowError, SheetRefused, Table, Value, read_table
from app.exam.models import Question, QuestionImport, QuestionVersion
from app.exam.scoring import LETTERS
from app.policy import load
from app.policy.schema import Programme

SUBJECT, TYPE, STEM, ANSWER, EXPLANATION = "科目", "题型", "题干", "答案", "解析"
OPTIONS = tuple(f"选项{letter}" for letter in LETTERS)
COLUMNS = (SUBJECT, TYPE, STEM, *OPTIONS, ANSWER, EXPLANATION)

TYPES = {
    "单选": "single",
    "单选题": "single",
    "多选": "multiple",
    "多选题": "multiple",
    "判断": "judge",
    "判断题": "judge",
}
RIGHT_OR_WRONG = ["正确", "错误"]
_JUDGED = {"正确": 1, "对": 1, "√": 1, "✓": 1, "是": 1, "A": 1, "错误": 2, "错": 2, "×": 2, "✗": 2, "否": 2, "B": 2}
_LONGEST = {STEM: 1000, EXPLANATION: 2000} | dict.fromkeys(OPTIONS, 300)
_BATCH = 200


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

    @property
    def identity(self) -> tuple[str, str, str]:
        """What makes it this question and no other."""
        plain = "".join(self.stem.split())
        return self.subject, self.type, hashlib.sha256(plain.encode()).hexdigest()

    @property
    def content(self) -> tuple[str, str, int, str]:
        """What makes it this version and no other."""
        return self.stem, json.dumps(self.options, ensure_ascii=False), self.mask, self.explanation


@dataclass(frozen=True)
class ImportResult:
    """What an import did, in questions; with `errors` it did nothing. `short` names, per subject of the file and
    type, how many questions the bank still lacks for one paper."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    retired: int = 0
    errors: tuple[RowError, ...] = ()
    short: dict[str, dict[str, int]] = field(default_factory=dict)


class _Wrong(Exception):
    """A cell's sentence."""

    def __init__(self, column: str, sentence: str):
        super().__init__(sentence)
        self.column = column


def import_questions(path: Path, programme: str, *, actor: str, now: datetime, replace: bool = False) -> ImportResult:
    """Take the xlsx file `path` into the bank of `programme` (its key). Every row with a fault is named with row,
    column and a sentence, and then nothing is taken. With `replace` the questions that the bank has of the file's
    subjects and the file does not are retired: never drawn again. `actor` as in the audit log. Raises
    `SheetRefused` for a file that cannot be read at all, `UnknownProgramme`, `CONFLICT` if another import wrote the
    same new questions meanwhile."""
    rules = load.in_force(programme, now)
    table = read_table(path, (SUBJECT, TYPE, STEM, ANSWER))
    rows, errors = read(table, rules)
    if errors:
        return ImportResult(errors=tuple(errors))
    if not rows:
        raise SheetRefused("文件里没有题目，请从第 2 行开始填写。")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    try:
        with transaction():
            counts = _write(rows, programme, import_id := new_id(), replace=replace)
            QuestionImport.create(
                id=import_id, programme=programme, file_sha256=digest, actor=actor, imported_at=now, **counts
            )
            audit.record(actor, "questions.imported", f"question_import:{import_id}", now=now, **counts)
    except peewee.IntegrityError as error:
        raise CONFLICT("另一次导入正在写入同样的题目，本次没有导入，请稍后重试。") from error
    return ImportResult(
        added=counts["added"],
        changed=counts["changed"],
        unchanged=counts["unchanged"],
        retired=counts["retired"],
        short=_short({row.subject for row in rows}, rules),
    )


def _known(programme: str, subjects: Iterable[str]) -> dict[tuple[str, str, str], Any]:
    """The questions of these subjects with the text of the version in force, by their identity; nobody else writes
    versions of them before the transaction ends."""
    mine = (Question.programme == programme) & Question.subject.in_(sorted(subjects))
    list(lock(Question.select(Question.id).where(mine).order_by(Question.id)).tuples())
    query = (
        Question.select(Question, QuestionVersion.stem, QuestionVersion.options, QuestionVersion.mask)
        .select_extend(QuestionVersion.explanation, QuestionVersion.number)
        .join(QuestionVersion, on=(QuestionVersion.id == Question.version_id))
        .where(mine)
    )
    return {(row.subject, row.type, row.stem_sha256): row for row in query.objects()}


def _write(rows: Sequence[BankRow], programme: str, import_id: str, *, replace: bool) -> dict[str, int]:
    known = _known(programme, {row.subject for row in rows})
    counts = Counter(added=0, changed=0, unchanged=0, retired=0)
    questions, versions = [], []
    for row in rows:
        there = known.pop(row.identity, None)
        if there and (there.stem, there.options, there.mask, there.explanation) == row.content:
            counts["unchanged"] += 1
            if not there.active:
                Question.update(active=True).where(Question.id == there.id).execute()
            continue
        question_id, version_id = there.id if there else new_id(), new_id()
        stem, options, mask, explanation = row.content
        versions.append(
            {
                "id": version_id,
                "question_id": question_id,
                "number": there.number + 1 if there else 1,
                "type": row.type,
                "stem": stem,
                "options": options,
                "mask": mask,
                "explanation": explanation,
                "import_id": import_id,
            }
        )
        if there:
            Question.update(version_id=version_id, active=True).where(Question.id == question_id).execute()
        else:
            subject, kind, digest = row.identity
            questions.append(
                {
                    "id": question_id,
                    "programme": programme,
                    "subject": subject,
                    "type": kind,
                    "stem_sha256": digest,
                    "version_id": version_id,
                    "active": True,
                }
            )
        counts["changed" if there else "added"] += 1
    for model, made in ((QuestionVersion, versions), (Question, questions)):
        for start in range(0, len(made), _BATCH):
            model.insert_many(made[start : start + _BATCH]).execute()
    if replace:
        for row in known.values():
            counts["retired"] += Question.update(active=False).where(Question.id == row.id, Question.active).execute()
    return dict(counts)


def _short(subjects: Iterable[str], programme: Programme) -> dict[str, dict[str, int]]:
    if programme.exam is None:
        return {}
    needed: Counter[str] = Counter()
    for part in programme.exam.paper:
        needed[part.type] += part.count
    found: dict[str, dict[str, int]] = {}
    for subject in sorted(subjects):
        query = Question.select(Question.type).where(
            Question.programme == programme.key, Question.subject == subject, Question.active
        )
        missing = needed - Counter(kind for (kind,) in query.tuples())
        if missing:
            found[subject] = dict(missing)
    return found


# --- reading: pure -----------------------------------------------------------------------------------------------


def read(table: Table, programme: Programme) -> tuple[list[BankRow], list[RowError]]:
    """The rows of `table`, and all that is wrong with them, in the order of the file."""
    subjects = {
        name: subject.code
        for kind in programme.certificate_kinds
        for subject in kind.subjects
        for name in (subject.code.upper(), subject.title)
    }
    rows: list[BankRow] = []
    errors: list[RowError] = []
    for row in table.rows:
        try:
            rows.append(_read_row(row, subjects))
        except _Wrong as wrong:
            errors.append(RowError(row.number, wrong.column, str(wrong)))
    errors.extend(_doubles(rows))
    return rows, sorted(errors, key=lambda error: error.row)


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


def _read_row(row: Row, subjects: dict[str, str]) -> BankRow:
    named = _text(row, SUBJECT)
    subject = subjects.get(named) or subjects.get(named.upper())
    if subject is None:
        raise _Wrong(SUBJECT, f"没有“{named}”这个科目，请填项目里的科目名称或代码。" if named else "不能为空。")
    kind = TYPES.get(_text(row, TYPE))
    if kind is None:
        raise _Wrong(TYPE, "题型只能是：单选、多选、判断。")
    stem = _text(row, STEM)
    if not stem:
        raise _Wrong(STEM, "不能为空。")
    options = _options(row, kind)
    return BankRow(
        row.number, subject, kind, stem, tuple(options), _answer(row, kind, options), _text(row, EXPLANATION)
    )


def _options(row: Row, kind: str) -> list[str]:
    texts = [_text(row, column) for column in OPTIONS]
    filled = [text for text in texts if text]
    if kind == "judge":
        if filled and filled not in (RIGHT_OR_WRONG, ["对", "错"], ["√", "×"]):
            raise _Wrong(OPTIONS[0], "判断题的选项请留空，或只填“正确”“错误”。")
        return RIGHT_OR_WRONG
    for column, text in zip(OPTIONS, texts, strict=True):
        if not text and len(filled) > OPTIONS.index(column):
            raise _Wrong(column, "这一格空着，后面的选项却有内容；请把选项依次往前填。")
    if len(filled) < 2:
        raise _Wrong(OPTIONS[len(filled)], "选择题至少要有两个选项。")
    for place, text in enumerate(filled):
        if text in filled[:place]:
            raise _Wrong(OPTIONS[place], f"与{OPTIONS[filled.index(text)]}相同，请修改。")
    return filled


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
