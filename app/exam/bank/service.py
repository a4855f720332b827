"""The question bank: an xlsx file is read, checked row by row, and taken in whole or not at all.

A question is known by subject, type and stem. The same stem with other options, key or explanation is a new version
of it; papers already drawn keep theirs.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import peewee

from app.core import audit
from app.core.db import lock, transaction
from app.core.errors import CONFLICT
from app.core.ids import new_id
from app.core.sheet import RowError, SheetRefused, Table, read_table
from app.exam.bank.rows import ANSWER, EXPLANATION, KNOWLEDGE, REQUIRED, STEM, BankRow, read
from app.exam.bank.shortage import Shortage, Stock, broken, needed
from app.exam.errors import QUESTIONS_TOO_FEW
from app.exam.models import Question, QuestionImport, QuestionVersion
from app.policy import load
from app.policy.schema import Programme

_BATCH = 200


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


@dataclass(frozen=True)
class Change:
    """A row whose question the bank has with another text: in which columns; it would become a new version. Or
    (`columns` empty) the bank has the same stem as a question of another type: `other`."""

    number: int
    stem: str
    columns: tuple[str, ...] = ()
    other: str | None = None


@dataclass(frozen=True)
class Preview:
    """What an import would do; nothing was written. `counts`: questions of the file by subject and type,
    `knowledge`: by subject and what they are about. With `errors`, or `broken` (a subject could not be examined in
    any more), nothing can be imported."""

    table: Table
    rows: int
    errors: tuple[RowError, ...]
    counts: dict[str, dict[str, int]]
    added: int = 0
    unchanged: int = 0
    changes: tuple[Change, ...] = ()
    alike: tuple[Change, ...] = ()
    retired: int = 0
    broken: tuple[Shortage, ...] = ()
    knowledge: dict[str, dict[str, int]] = field(default_factory=dict)

    @property
    def empty(self) -> bool:
        """Whether an import would change nothing."""
        return not (self.added or self.changes or self.retired)


def preview(path: Path, programme: str, *, now: datetime, replace: bool = False) -> Preview:
    """Look at the xlsx file `path` as `import_questions` would, and write nothing. Raises `SheetRefused`,
    `UnknownProgramme`."""
    rules = load.in_force(programme, now)
    table = read_table(path, REQUIRED)
    rows, errors = read(table, rules)
    if not rows and not errors:
        raise SheetRefused("文件里没有题目，请从第 2 行开始填写。")
    counts: dict[str, dict[str, int]] = {}
    for row in rows:
        of_subject = counts.setdefault(row.subject, {})
        of_subject[row.type] = of_subject.get(row.type, 0) + 1
    if errors:
        return Preview(table, len(table.rows), tuple(errors), counts)
    known = {row.identity: row for row in _stored(programme, set(counts))}
    too_few = _broken(known, rows, rules, replace=replace)
    by_stem = {(subject, digest): kind for subject, kind, digest in known}
    changes, alike = [], []
    added = 0
    for row in rows:
        subject, _, digest = row.identity
        there = known.pop(row.identity, None)
        if there is None:
            added += 1
            if (other := by_stem.get((subject, digest))) is not None:
                alike.append(Change(row.number, row.stem, other=other))
        elif there.content != row.content:
            changes.append(Change(row.number, row.stem, columns=_differing(row, there)))
    return Preview(
        table,
        len(table.rows),
        (),
        counts,
        added=added,
        unchanged=len(rows) - added - len(changes),
        changes=tuple(changes),
        alike=tuple(alike),
        retired=sum(there.active for there in known.values()) if replace else 0,
        broken=too_few,
        knowledge=_knowledge(rows),
    )


def _knowledge(rows: Sequence[BankRow]) -> dict[str, dict[str, int]]:
    """As `queries.knowledge`, of the rows of a file."""
    found: dict[str, Counter[str]] = {}
    for row in rows:
        found.setdefault(row.subject, Counter())[row.knowledge_point] += 1
    return {subject: dict(points.most_common()) for subject, points in sorted(found.items())}


def _differing(row: BankRow, there: Stored) -> tuple[str, ...]:
    names = (STEM, "选项", ANSWER, EXPLANATION, KNOWLEDGE)
    return tuple(name for name, new, old in zip(names, row.content, there.content, strict=True) if new != old)


def import_questions(path: Path, programme: str, *, actor: str, now: datetime, replace: bool = False) -> ImportResult:
    """Take the xlsx file `path` into the bank of `programme` (its key). Every row with a fault is named with row,
    column and a sentence, and then nothing is taken. With `replace` the questions that the bank has of the file's
    subjects and the file does not are retired: never drawn again. `actor` as in the audit log. Raises
    `SheetRefused` for a file that cannot be read at all, `UnknownProgramme`, `questions_too_few` where a
    subject had enough for a paper and would not any more, `CONFLICT` if another import wrote the same new questions
    meanwhile."""
    rules = load.in_force(programme, now)
    table = read_table(path, REQUIRED)
    rows, errors = read(table, rules)
    if errors:
        return ImportResult(errors=tuple(errors))
    if not rows:
        raise SheetRefused("文件里没有题目，请从第 2 行开始填写。")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    try:
        with transaction():
            counts = _write(rows, rules, import_id := new_id(), replace=replace)
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


@dataclass(frozen=True)
class Stored:
    """A question of the bank: its identity, and the text of the version in force."""

    id: str
    identity: tuple[str, str, str]
    content: tuple[str, str, int, str, str]
    number: int
    active: bool


def _stored(programme: str, subjects: Iterable[str]) -> list[Stored]:
    mine = (Question.programme == programme) & Question.subject.in_(sorted(subjects))
    version = QuestionVersion
    query = (
        Question.select(Question, version.stem, version.options, version.mask)
        .select_extend(version.explanation, version.knowledge_point, version.number)
        .join(version, on=(version.id == Question.version_id))
        .where(mine)
    )
    return [
        Stored(
            row.id,
            (row.subject, row.type, row.stem_sha256),
            (row.stem, row.options, row.mask, row.explanation, row.knowledge_point or ""),
            row.number,
            row.active,
        )
        for row in query.objects()
    ]


def _known(programme: str, subjects: Iterable[str]) -> dict[tuple[str, str, str], Stored]:
    """The questions of these subjects by their identity; nobody else writes versions of them before the transaction
    ends."""
    mine = (Question.programme == programme) & Question.subject.in_(sorted(subjects))
    list(lock(Question.select(Question.id).where(mine).order_by(Question.id)).tuples())
    return {row.identity: row for row in _stored(programme, subjects)}


def _broken(
    known: Mapping[tuple[str, str, str], Stored], rows: Sequence[BankRow], rules: Programme, *, replace: bool
) -> tuple[Shortage, ...]:
    there = {identity for identity, stored in known.items() if stored.active}
    left = {row.identity for row in rows} | (set() if replace else there)
    return broken(rules, _stock(there), _stock(left))


def _stock(identities: Iterable[tuple[str, str, str]]) -> Stock:
    return Counter((subject, kind) for subject, kind, _ in identities)


def _write(rows: Sequence[BankRow], rules: Programme, import_id: str, *, replace: bool) -> dict[str, int]:
    known = _known(rules.key, {row.subject for row in rows})
    if too_few := _broken(known, rows, rules, replace=replace):
        told = "；".join(one.sentence for one in too_few)
        raise QUESTIONS_TOO_FEW(f"没有导入：{told}，学员将无法考试。请补足题目，或不停用文件里没有的题。")
    counts = Counter(added=0, changed=0, unchanged=0, retired=0)
    questions, versions = [], []
    for row in rows:
        there = known.pop(row.identity, None)
        if there and there.content == row.content:
            counts["unchanged"] += 1
            if not there.active:
                Question.update(active=True).where(Question.id == there.id).execute()
            continue
        question_id, version_id = there.id if there else new_id(), new_id()
        stem, options, mask, explanation, knowledge_point = row.content
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
                "knowledge_point": knowledge_point or None,
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
                    "programme": rules.key,
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
        for gone in known.values():
            query = Question.update(active=False).where(Question.id == gone.id, Question.active)
            counts["retired"] += query.execute()
    return dict(counts)


def _short(subjects: Iterable[str], programme: Programme) -> dict[str, dict[str, int]]:
    wanted = needed(programme)
    found: dict[str, dict[str, int]] = {}
    for subject in sorted(subjects):
        query = Question.select(Question.type).where(
            Question.programme == programme.key, Question.subject == subject, Question.active
        )
        missing = wanted - Counter(kind for (kind,) in query.tuples())
        if missing:
            found[subject] = dict(missing)
    return found
