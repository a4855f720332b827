"""The statements of a saved answer and of a hand-in, which carry the exam's load."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from peewee import JOIN

from app.account.models import SESSION_COLUMNS, Session
from app.core.ids import new_id
from app.core.statement import Statement
from app.exam.models import Attempt, AttemptEvent
from app.exam.status import Status

_FIELDS = Attempt._meta.sorted_fields
_NAMES = [field.name for field in _FIELDS]


_READ = Statement(lambda slot: Attempt.select(*_FIELDS).where(Attempt.id == slot))
_READ_WITH_SESSION = Statement(
    lambda slot: (
        Session.select(*SESSION_COLUMNS, *_FIELDS)
        .join(Attempt, JOIN.LEFT_OUTER, on=(Attempt.id == slot))
        .where(Session.id == slot, Session.ended_at.is_null())
    )
)
_SAVE = Statement(
    lambda slot: Attempt.update({Attempt.revision: slot, Attempt.seen_at: slot, Attempt.answers: slot}).where(
        Attempt.id == slot, Attempt.status == slot, Attempt.revision == slot
    )
)
_CLOSED = ("open_person", "status", "revision", "finished_at", "score", "passed", "answers")
_CLOSE = Statement(
    lambda slot: Attempt.update({getattr(Attempt, name): slot for name in _CLOSED}).where(
        Attempt.id == slot, Attempt.status == slot, Attempt.revision == slot
    )
)
_EVENT_FIELDS = ("id", "attempt_id", "at", "action", "status", "score")
_NOTE = Statement(
    lambda slot: AttemptEvent.insert({getattr(AttemptEvent, name): slot for name in _EVENT_FIELDS}).returning()
)
_SCORES = Statement(
    lambda slot: (
        Attempt.select(Attempt.subject, Attempt.score, Attempt.passed)
        .where(Attempt.enrolment_id == slot)
        .order_by(Attempt.number)
    )
)


def read(attempt_id: str) -> Attempt | None:
    """The attempt with this id."""
    found = _READ(attempt_id).fetchone()
    return None if found is None else attempt_of(found)


def with_session(session_id: str, *, attempt_id: str, **_: object) -> list[tuple[Any, ...]]:
    """The attempt beside the session, for `attempt_of`: an answer is one way less to the database."""
    found: list[tuple[Any, ...]] = _READ_WITH_SESSION(attempt_id, session_id).fetchall()
    return found


def attempt_of(found: tuple[Any, ...]) -> Attempt | None:
    """The attempt of a row that was read; None if there is none."""
    if found[0] is None:
        return None
    values = {field.name: field.python_value(value) for field, value in zip(_FIELDS, found, strict=True)}
    return Attempt(__no_default__=1, **values)


def save(row: Attempt, answers: bytes, *, now: datetime) -> bool:
    """Write the packed answers, if the attempt is open and unchanged since it was read; else False."""
    values = (row.revision + 1, Attempt.seen_at.db_value(now), Attempt.answers.db_value(answers))
    return bool(_SAVE(*values, row.id, Status.OPEN.value, row.revision).rowcount)


def close(row: Attempt, values: dict[str, Any]) -> bool:
    """Write the `values` of an ending, if the attempt is unchanged since it was read; else False."""
    given = [getattr(Attempt, name).db_value(values[name]) for name in _CLOSED]
    return bool(_CLOSE(*given, row.id, str(row.status), row.revision).rowcount)


def note(attempt_id: str, action: str, status: str, points: int | None, *, now: datetime) -> None:
    """Add a line to the attempt's history."""
    _NOTE(new_id(), attempt_id, AttemptEvent.at.db_value(now), str(action), str(status), points)


def scores(enrolment_id: str) -> list[tuple[str, int | None, bool | None]]:
    """Subject, score, and whether it is a pass, of each attempt of the enrolment, in their order; score and pass are
    None while an attempt is open."""
    return [
        (subject, points, None if passed is None else bool(passed))
        for subject, points, passed in _SCORES(enrolment_id).fetchall()
    ]
