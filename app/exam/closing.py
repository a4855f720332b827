"""How an attempt ends: once, in one transaction with its score, its history and, when it was the last subject to
pass, the event."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from app.core import outbox
from app.core.db import compare_and_set, transaction
from app.enrol import service as enrol
from app.exam import queries
from app.exam.models import Attempt, AttemptEvent
from app.exam.scoring import Answer, pack_answers, score, unpack_answers, unpack_key
from app.exam.status import Action, Status, next_status
from app.policy import rules


@dataclass(frozen=True)
class Outcome:
    """What a closed attempt came to. `best_score` and `attempts_left` (`None`: no limit) are of its subject."""

    attempt_id: str
    status: str
    finished_at: datetime
    score: int
    passed: bool
    pass_score: int
    best_score: int
    attempts_left: int | None


def outcome(row: Attempt) -> Outcome:
    """What the closed attempt `row` came to; the same however often it is asked."""
    programme = queries.programme_of(row)
    query = Attempt.select(Attempt.score).where(
        Attempt.enrolment_id == row.enrolment_id, Attempt.subject == row.subject
    )
    scores = [found for (found,) in query.order_by(Attempt.number).tuples()]
    best = rules.kept_score(programme, [found for found in scores if found is not None])
    return Outcome(
        attempt_id=row.id,
        status=row.status,
        finished_at=row.finished_at,
        score=row.score,
        passed=row.passed,
        pass_score=queries.exam_of(row).pass_score,
        best_score=row.score if best is None else best,
        attempts_left=rules.attempts_left(programme, len(scores)),
    )


def finish_time(row: Attempt, now: datetime) -> datetime:
    """When an attempt that ends now is finished: never after its deadline."""
    deadline: datetime = row.deadline
    return min(now, deadline)


def close(
    row: Attempt, action: Action, *, now: datetime, finished_at: datetime, answers: Sequence[Answer] | None = None
) -> bool:
    """End the attempt as it was read in `row`; `answers` replace the saved ones (those a hand-in brought are among
    them). Scored from them; leaving is scored 0 where the programme burns the attempt. False, with nothing
    changed, if the row has changed since: read it again."""
    exam = queries.exam_of(row)
    status = next_status(Status(row.status), action)
    final = unpack_answers(bytes(row.answers)) if answers is None else answers
    burned = action == Action.LEAVE and exam.on_leave == "burn_and_zero"
    points = 0 if burned else score(unpack_key(bytes(row.key)), final, partial=exam.multiple_partial_score)
    passed = not burned and rules.is_pass(queries.programme_of(row), points)
    values = {
        "status": status,
        "open_person": None,
        "revision": row.revision + 1,
        "finished_at": finished_at,
        "score": points,
        "passed": passed,
        "answers": pack_answers(final),
    }
    with transaction():
        if not compare_and_set(Attempt, row.id, {"status": row.status, "revision": row.revision}, values):
            return False
        AttemptEvent.create(attempt_id=row.id, at=now, action=action, status=status, score=points)
        if passed:
            _tell_if_all_passed(row, now=now)
    for name, value in values.items():
        setattr(row, name, value)
    return True


def _tell_if_all_passed(row: Attempt, *, now: datetime) -> None:
    """Emit `exam.passed` once every subject of the enrolment's kind of certificate has a pass."""
    kind = rules.certificate_kind(queries.programme_of(row), enrol.get(row.enrolment_id).kind_code)
    query = Attempt.select(Attempt.subject).where(Attempt.enrolment_id == row.enrolment_id, Attempt.passed)
    passed = {subject for (subject,) in query.tuples()}
    if kind is not None and all(subject.code in passed for subject in kind.subjects):
        outbox.emit("exam.passed", row.enrolment_id, {"enrolment_id": row.enrolment_id}, now=now)


def close_if_due(row: Attempt, *, now: datetime) -> Attempt:
    """The attempt, closed with its deadline as its finish time if it is open and no longer accepts anything."""
    while row.status == Status.OPEN and now > row.accepts_until:
        if not close(row, Action.TIME_UP, now=now, finished_at=row.deadline):
            row = Attempt.get_by_id(row.id)
    return row
