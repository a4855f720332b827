"""Named reads of attempts and papers."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import peewee

from app.core.errors import NOT_FOUND
from app.exam import hot
from app.exam.models import Attempt, AttemptEvent, AttemptGrant, AttemptPaper, Question, QuestionVersion
from app.exam.scoring import unpack_key
from app.exam.status import Status
from app.policy import load, rules
from app.policy.schema import Exam, Programme


@dataclass(frozen=True)
class ShownQuestion:
    """A question as the person sees it: nothing that tells what is right."""

    number: int
    type: str
    score: int
    stem: str
    options: list[str]


def owned(attempt_id: str, person_id: str) -> Attempt:
    """The person's attempt. Raises `NOT_FOUND`, also for another person's."""
    row = hot.read(attempt_id)
    if row is None or row.person_id != person_id:
        raise NOT_FOUND()
    return row


def beside_session(rows: Sequence[tuple[Any, ...]], person_id: str) -> Attempt | None:
    """The person's attempt, if it is what `hot.with_session` read; None leaves it to `owned`."""
    row = hot.attempt_of(rows[0])
    return row if row is not None and row.person_id == person_id else None


def programme_of(row: Attempt) -> Programme:
    """The programme file the attempt was begun under."""
    return load.programme(row.programme, row.version)


def exam_of(row: Attempt) -> Exam:
    """The exam rules the attempt was begun under."""
    exam = programme_of(row).exam
    if exam is None:
        raise rules.NoSuchRule(f"{row.programme} {row.version}: exam")
    return exam


def open_of(person_id: str) -> Attempt | None:
    """The person's open attempt, of whatever enrolment."""
    return Attempt.get_or_none(Attempt.open_person == person_id)


def of_enrolment(enrolment_id: str) -> list[Attempt]:
    """All attempts of the enrolment, oldest first."""
    query = Attempt.select().where(Attempt.enrolment_id == enrolment_id)
    return list(query.order_by(Attempt.subject, Attempt.number))


def used(enrolment_id: str, subject: str) -> int:
    """How many attempts were begun: an attempt counts from its start."""
    return Attempt.select().where(Attempt.enrolment_id == enrolment_id, Attempt.subject == subject).count()


def granted(enrolment_id: str) -> dict[str, int]:
    """How many attempts staff have given back, by subject; a subject without any is not there."""
    query = AttemptGrant.select(AttemptGrant.subject, peewee.fn.COUNT(AttemptGrant.id)).where(
        AttemptGrant.enrolment_id == enrolment_id
    )
    return {subject: int(count) for subject, count in query.group_by(AttemptGrant.subject).tuples()}


def due(now: datetime, limit: int, *, skip: int = 0) -> list[Attempt]:
    """Open attempts that no longer accept anything at `now`, the oldest first, without the first `skip`."""
    query = Attempt.select().where(Attempt.status == Status.OPEN, Attempt.accepts_until < now)
    return list(query.order_by(Attempt.accepts_until, Attempt.id).limit(limit).offset(skip))


def history(attempt_id: str) -> list[AttemptEvent]:
    """The attempt's history, oldest first."""
    return list(AttemptEvent.select().where(AttemptEvent.attempt_id == attempt_id).order_by(AttemptEvent.id))


def pool(programme: str, subject: str) -> dict[str, list[str]]:
    """The versions a paper of this subject is drawn from, by type."""
    found: dict[str, list[str]] = {}
    query = Question.select(Question.type, Question.version_id).where(
        Question.programme == programme, Question.subject == subject, Question.active
    )
    for kind, version_id in query.tuples():
        found.setdefault(kind, []).append(version_id)
    return found


def versions(ids: Iterable[str]) -> dict[str, QuestionVersion]:
    """Question versions by id."""
    return {row.id: row for row in QuestionVersion.select().where(QuestionVersion.id.in_(list(ids)))}


def shown_paper(row: Attempt) -> list[ShownQuestion]:
    """The frozen paper, as it was laid out at the start."""
    laid: list[tuple[str, list[int]]] = json.loads(AttemptPaper.get_by_id(row.id).questions)
    texts = versions(version_id for version_id, _ in laid)
    shown = []
    for number, ((version_id, order), item) in enumerate(zip(laid, unpack_key(bytes(row.key)), strict=True), 1):
        text = texts[version_id]
        options = json.loads(text.options)
        shown.append(ShownQuestion(number, item.type, item.points, text.stem, [options[index] for index in order]))
    return shown
