"""How an attempt ends: once, in one transaction with its score, its history and, when it was the last subject to
pass, the event."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from app.core import outbox
from app.core.db import transaction
from app.exam import hot, queries, steps
from app.exam.models import Attempt
from app.exam.scoring import Answer, pack_answers, score, unpack_answers, unpack_key
from app.exam.status import Action, Status, next_status
from app.exam.steps import Step
from app.policy import rules

Scores = list[tuple[str, int | None, bool | None]]


@dataclass(frozen=True)
class Outcome:
    """What a closed attempt came to, and what to do next. `best_score` and `attempts_left` (`None`: no limit) are of
    its subject."""

    attempt_id: str
    enrolment_id: str
    subject: str
    subject_title: str
    status: str
    finished_at: datetime
    score: int
    passed: bool
    pass_score: int
    total_score: int
    best_score: int
    attempts_left: int | None
    next: Step


def outcome(row: Attempt) -> Outcome:
    """What the closed attempt `row` came to; the same however often it is asked."""
    return _outcome(row, hot.scores(row.enrolment_id))


def _outcome(row: Attempt, scores: Scores) -> Outcome:
    programme, exam = queries.programme_of(row), queries.exam_of(row)
    kind = rules.certificate_kind(programme, row.kind_code)
    titles = {subject.code: subject.title for subject in kind.subjects} if kind else {}
    mine = [score for subject, score, _ in scores if subject == row.subject]
    best = rules.kept_score(programme, [score for score in mine if score is not None])
    given_back = queries.granted(row.enrolment_id).get(row.subject, 0)
    left = rules.attempts_left(programme, len(mine), granted=given_back)
    passed = {subject for subject, _, is_pass in scores if is_pass}
    return Outcome(
        attempt_id=row.id,
        enrolment_id=row.enrolment_id,
        subject=row.subject,
        subject_title=titles.get(row.subject, row.subject),
        status=row.status,
        finished_at=row.finished_at,
        score=row.score,
        passed=row.passed,
        pass_score=exam.pass_score,
        total_score=exam.total_score,
        best_score=row.score if best is None else best,
        attempts_left=left,
        next=steps.after(programme, row.kind_code, row.subject, passed=passed, attempts_left=left),
    )


def finish_time(row: Attempt, now: datetime) -> datetime:
    """When an attempt that ends now is finished: never after its deadline."""
    deadline: datetime = row.deadline
    return min(now, deadline)


def close(
    row: Attempt, action: Action, *, now: datetime, finished_at: datetime, answers: Sequence[Answer] | None = None
) -> Outcome | None:
    """End the attempt as it was read in `row`; `answers` replace the saved ones (those a hand-in brought are among
    them). Scored from them; leaving is scored 0 where the programme burns the attempt. `None`, with
    nothing changed, if the row has changed since: read it again."""
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
        if not hot.close(row, values):
            return None
        hot.note(row.id, action, status, points, now=now)
        for name, value in values.items():
            setattr(row, name, value)
        scores = hot.scores(row.enrolment_id)
        if passed:
            _tell_if_all_passed(row, scores, now=now)
    return _outcome(row, scores)


def _tell_if_all_passed(row: Attempt, scores: Scores, *, now: datetime) -> None:
    """Emit `exam.passed` once every subject of the enrolment's kind of certificate has a pass."""
    kind = rules.certificate_kind(queries.programme_of(row), row.kind_code)
    passed = {subject for subject, _, is_pass in scores if is_pass}
    if kind is not None and all(subject.code in passed for subject in kind.subjects):
        outbox.emit("exam.passed", row.enrolment_id, {"enrolment_id": row.enrolment_id}, now=now)


def close_if_due(row: Attempt, *, now: datetime) -> Attempt:
    """The attempt, closed with its deadline as its finish time if it is open and no longer accepts anything."""
    while row.status == Status.OPEN and now > row.accepts_until:
        if close(row, Action.TIME_UP, now=now, finished_at=row.deadline) is None:
            row = queries.owned(row.id, row.person_id)
    return row
