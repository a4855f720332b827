"""Named reads of the bank, for teaching staff."""

from __future__ import annotations

from dataclasses import dataclass

import peewee

from app.exam.bank.shortage import needed
from app.exam.models import Question, QuestionImport, QuestionVersion
from app.policy.schema import Programme


@dataclass(frozen=True)
class SubjectStock:
    """What the bank has for a subject: by type, how many questions there are, and how many one paper takes."""

    code: str
    title: str
    there: dict[str, int]
    needed: dict[str, int]

    @property
    def short(self) -> bool:
        """Whether not even one paper can be drawn."""
        return any(self.there.get(kind, 0) < count for kind, count in self.needed.items())


def stock(programme: Programme) -> list[SubjectStock]:
    """Every subject of the programme."""
    wanted = needed(programme)
    query = (
        Question.select(Question.subject, Question.type, peewee.fn.COUNT(Question.id))
        .where(Question.programme == programme.key, Question.active)
        .group_by(Question.subject, Question.type)
    )
    there: dict[str, dict[str, int]] = {}
    for subject, kind, count in query.tuples():
        there.setdefault(subject, {})[kind] = count
    subjects = {subject.code: subject.title for kind in programme.certificate_kinds for subject in kind.subjects}
    return [SubjectStock(code, title, there.get(code, {}), dict(wanted)) for code, title in subjects.items()]


def knowledge(programme: str) -> dict[str, dict[str, int]]:
    """By subject, how many questions that are drawn are about what, in the centre's own words ('' of those that say
    nothing); the most first."""
    version, count = QuestionVersion, peewee.fn.COUNT(Question.id)
    query = (
        Question.select(Question.subject, version.knowledge_point, count)
        .join(version, on=(version.id == Question.version_id))
        .where(Question.programme == programme, Question.active)
        .group_by(Question.subject, version.knowledge_point)
        .order_by(Question.subject, count.desc(), version.knowledge_point)
    )
    found: dict[str, dict[str, int]] = {}
    for subject, point, many in query.tuples():
        found.setdefault(subject, {})[point or ""] = many
    return found


def imports(programme: str, *, limit: int = 10) -> list[QuestionImport]:
    """The last imports, the latest first."""
    query = QuestionImport.select().where(QuestionImport.programme == programme)
    return list(query.order_by(QuestionImport.id.desc()).limit(limit))
