"""Sitting an exam: the state of the subjects, the start, the open paper, answers, hand-in, leaving.

The server's clock decides everything. An attempt that no longer accepts anything is closed by whatever touches it
first: a read, a hand-in, or the job.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

import peewee

from app.account.errors import CONSENT_NEEDED
from app.core import sweep
from app.core.clock import iso
from app.core.db import transaction
from app.core.errors import BUSY, Problem, ProblemKind
from app.enrol import queries as enrolments
from app.enrol import service as enrol
from app.enrol.errors import STUDY_PERIOD_OVER
from app.enrol.models import Enrolment
from app.exam import errors, hot, queries
from app.exam.closing import Outcome, close, close_if_due, finish_time, outcome
from app.exam.giving_back import give_back as give_back
from app.exam.models import Attempt, AttemptPaper
from app.exam.paper import Laid, NotEnoughQuestions, Source, draw, lay_out
from app.exam.scoring import (
    MAX_VERSION,
    NOTHING,
    Answer,
    BadChoice,
    KeyItem,
    pack_answers,
    pack_key,
    read_choice,
    unpack_answers,
    unpack_key,
    write_choice,
)
from app.exam.standing import SubjectStatus as SubjectStatus
from app.exam.standing import lacks_consent, resume_by
from app.exam.standing import notice as notice
from app.exam.standing import status as status
from app.exam.status import Action, Status
from app.policy import load, rules
from app.policy.schema import Exam, Programme
from app.study import service as study

CLOSE_BATCH = 500
TRIES = 20  # of a write that finds the row changed since it was read
START = "start"

_ENDED: dict[str, ProblemKind] = {
    Status.HANDED_IN: errors.EXAM_HANDED_IN,
    Status.TIMED_OUT: errors.EXAM_TIME_OVER,
    Status.LEFT: errors.EXAM_LEFT,
}


@dataclass(frozen=True)
class OpenPaper:
    """An attempt on its table: the row, the questions as shown, the answers saved so far."""

    attempt: Attempt
    questions: list[queries.ShownQuestion]
    answers: list[Answer]


class Brought(NamedTuple):
    """An answer that a hand-in brings along: not sent before, or sent without hearing back."""

    number: int
    choice: str
    version: int


def ended(row: Attempt) -> Problem:
    """The refusal that a closed attempt answers with; it carries the result."""
    return _ENDED[row.status](result=result_body(outcome(row)))


def result_body(found: Outcome) -> dict[str, object]:
    """An outcome as the API shows it."""
    return vars(found) | {"finished_at": iso(found.finished_at)}


# --- start and open ----------------------------------------------------------------------------------------------


def start(enrolment_id: str, person_id: str, subject: str, *, now: datetime) -> OpenPaper:
    """Begin an attempt, which uses it up, or give the open one of this subject again (a double click, a page opened
    anew). Raises what `enrol.study_access` raises, `NO_EXAM_HERE`, `NO_SUCH_SUBJECT`, `CONSENT_NEEDED`,
    `STUDY_NOT_COMPLETE`, `NO_ATTEMPTS_LEFT`, `ANOTHER_EXAM_OPEN`, `QUESTIONS_MISSING`; and the end of the attempt
    that was open until now, so that a new one is never begun unawares. Yunnan manual, step 3 (三) 1–4."""
    enrolment = enrol.study_access(enrolment_id, person_id, now=now)
    programme, exam = _rules_for(enrolment, subject, now=now)
    current = queries.open_of(person_id)
    if current is not None:
        if (current.enrolment_id, current.subject) != (enrolment_id, subject):
            if close_if_due(current, now=now).status == Status.OPEN:
                raise errors.ANOTHER_EXAM_OPEN(attempt_id=current.id)
        else:
            return open_paper(current.id, person_id, now=now)
    if lacks_consent(programme, person_id):
        raise CONSENT_NEEDED()
    if exam.requires_study_complete and not study.settle(enrolment_id, now=now):
        raise errors.STUDY_NOT_COMPLETE()
    used = queries.used(enrolment_id, subject)
    if rules.attempts_left(programme, used, granted=queries.granted(enrolment_id).get(subject, 0)) == 0:
        raise errors.NO_ATTEMPTS_LEFT()
    seed = secrets.token_hex(16)
    laid = _draw(programme.key, exam, subject, seed)
    deadline = rules.exam_deadline(programme, now)
    try:
        with transaction():
            enrolments.owned([enrolment_id], person_id, locked=True)  # it may have gone to another person (a merge)
            row = Attempt.create(
                enrolment_id=enrolment_id,
                person_id=person_id,
                programme=programme.key,
                version=programme.version.isoformat(),
                kind_code=enrolment.kind_code,
                subject=subject,
                number=used + 1,
                open_person=person_id,
                status=Status.OPEN,
                started_at=now,
                deadline=deadline,
                accepts_until=rules.answers_until(programme, deadline),
                seen_at=now,
                key=pack_key(question.key for question in laid),
                answers=pack_answers([NOTHING] * len(laid)),
            )
            questions = [[question.version_id, list(question.order)] for question in laid]
            AttemptPaper.create(id=row.id, seed=seed, questions=json.dumps(questions))
            hot.note(row.id, START, Status.OPEN, None, now=now)
    except peewee.IntegrityError as error:  # another click was faster: its attempt is the one
        first = queries.open_of(person_id)
        if first is None or (first.enrolment_id, first.subject) != (enrolment_id, subject):
            raise errors.ANOTHER_EXAM_OPEN() from error
        return open_paper(first.id, person_id, now=now)
    return OpenPaper(row, queries.shown_paper(row), [NOTHING] * len(laid))


def _rules_for(enrolment: Enrolment, subject: str, *, now: datetime) -> tuple[Programme, Exam]:
    programme = load.programme(enrolment.programme, enrolment.version)
    exam, kind = programme.exam, rules.certificate_kind(programme, enrolment.kind_code)
    if exam is None or kind is None:
        raise errors.NO_EXAM_HERE()
    if subject not in {each.code for each in kind.subjects}:
        raise errors.NO_SUCH_SUBJECT()
    # study_access lets those who passed look again; an exam ends with the period all the same
    over = enrolment.study_deadline is not None and now > enrolment.study_deadline
    if exam.within_study_period and over:
        raise STUDY_PERIOD_OVER()
    return programme, exam


def _draw(programme: str, exam: Exam, subject: str, seed: str) -> list[Laid]:
    try:
        drawn = draw(queries.pool(programme, subject), exam.paper, seed)
    except NotEnoughQuestions as error:
        raise errors.QUESTIONS_MISSING() from error
    texts = queries.versions(question.version_id for question in drawn)
    sources = {row.id: Source(json.loads(row.options), row.mask) for row in texts.values()}
    return lay_out(drawn, sources, seed)


def open_paper(attempt_id: str, person_id: str, *, now: datetime) -> OpenPaper:
    """A page is opened on the attempt: the same paper, what was saved, the same deadline. Within the programme's
    crash grace after the last sign of a page nothing is lost; later the leave rule holds (ADR 14). Raises
    `NOT_FOUND` and, for an attempt that has ended or ends here, `EXAM_TIME_OVER`, `EXAM_HANDED_IN`, `EXAM_LEFT` with
    the result."""
    for _ in range(TRIES):
        row = close_if_due(queries.owned(attempt_id, person_id), now=now)
        if row.status != Status.OPEN:
            raise ended(row)
        if now <= resume_by(row):
            _seen(row, now=now)
            return OpenPaper(row, queries.shown_paper(row), unpack_answers(bytes(row.answers)))
        if close(row, Action.LEAVE, now=now, finished_at=finish_time(row, now)) is not None:
            raise ended(row)
    raise BUSY()


def _seen(row: Attempt, *, now: datetime) -> None:
    """Note the page's sign of life; never backwards."""
    later = Attempt.update(seen_at=now).where(Attempt.id == row.id, Attempt.seen_at < now)
    later.where(Attempt.status == Status.OPEN).execute()


def alive(attempt_id: str, person_id: str, *, now: datetime) -> Attempt:
    """A page that is still open says so, every half minute, also after the network was away: never judged by the
    leave rule. The attempt, closed if it is due. Raises `NOT_FOUND`."""
    row = close_if_due(queries.owned(attempt_id, person_id), now=now)
    if row.status == Status.OPEN:
        _seen(row, now=now)
    return row


# --- answers -----------------------------------------------------------------------------------------------------


def save_answer(
    attempt_id: str,
    person_id: str,
    number: int,
    choice: str,
    version: int,
    *,
    now: datetime,
    known: Attempt | None = None,
) -> tuple[Attempt, Answer]:
    """Save the answer to question `number` (from 1); `version` is that of the answer it replaces (0: the first).
    `known`: the person's attempt, if it was read already; it may have changed since. Durable when it returns. The
    same answer sent again gives the same; any other version than the current one is refused with the current answer
    (`ANSWER_CONFLICT`), nothing is overwritten. Raises `NOT_FOUND`, `NO_SUCH_QUESTION`, `BAD_CHOICE`, and the end of
    an attempt that is closed or due."""
    for _ in range(TRIES):
        row = close_if_due(known or queries.owned(attempt_id, person_id), now=now)
        known = None
        if row.status != Status.OPEN:
            raise ended(row)
        answers = unpack_answers(bytes(row.answers))
        key = unpack_key(bytes(row.key))
        before = _current(answers, number)
        after = _changed(before, _mask(key, number, choice), version)
        if after is None:
            raise errors.ANSWER_CONFLICT(answer=answer_body(number, before))
        if after == before:
            return row, before
        answers[number - 1] = after
        if hot.save(row, pack_answers(answers), now=now):
            return row, after
    raise BUSY()


def answer_body(number: int, answer: Answer) -> dict[str, object]:
    """An answer as the API shows it."""
    return {"number": number, "choice": write_choice(answer.mask), "version": answer.version}


def _current(answers: list[Answer], number: int) -> Answer:
    if not 1 <= number <= len(answers):
        raise errors.NO_SUCH_QUESTION()
    return answers[number - 1]


def _mask(key: Sequence[KeyItem], number: int, choice: str) -> int:
    try:
        return read_choice(choice, key[number - 1])
    except BadChoice as error:
        raise errors.BAD_CHOICE(fields={"choice": errors.BAD_CHOICE.sentence}) from error


def _changed(before: Answer, mask: int, version: int) -> Answer | None:
    """The answer after a write that replaces `version`; `None` if that is not the current one. A write whose answer
    got lost comes again one version behind with the same choice: it has already happened."""
    if before.version == version and version < MAX_VERSION:
        return Answer(version + 1, mask)
    return before if before == (version + 1, mask) else None


# --- the end -----------------------------------------------------------------------------------------------------


def hand_in(
    attempt_id: str,
    person_id: str,
    brought: Iterable[Brought],
    *,
    now: datetime,
    known: Attempt | None = None,
) -> tuple[Outcome, list[int]]:
    """Hand the paper in, with answers not yet sent: until the deadline and the programme's grace. `known` as in
    `save_answer`. A second hand-in gives the first one's result. Before the deadline an answer that another page has
    replaced refuses the hand-in (`ANSWER_CONFLICT` with every such answer); in the grace nobody can look at it any
    more: the saved one stands, and the numbers are the second value. Raises `EXAM_TIME_OVER`, `EXAM_LEFT` (with the
    result), `NOT_FOUND`, `NO_SUCH_QUESTION`, `BAD_CHOICE`."""
    brought = list(brought)
    for _ in range(TRIES):
        row = close_if_due(known or queries.owned(attempt_id, person_id), now=now)
        known = None
        if row.status == Status.HANDED_IN:
            return outcome(row), []
        if row.status != Status.OPEN:
            raise ended(row)
        answers, stale = _merge(row, brought)
        if stale and now <= row.deadline:
            saved = [answer_body(number, answers[number - 1]) for number in stale]
            raise errors.ANSWER_CONFLICT(answers=saved)
        handed_in = close(row, Action.HAND_IN, now=now, finished_at=finish_time(row, now), answers=answers)
        if handed_in is not None:
            return handed_in, stale
    raise BUSY()


def _merge(row: Attempt, brought: list[Brought]) -> tuple[list[Answer], list[int]]:
    """The answers with those brought along, and the numbers of those that were not taken."""
    answers, key = unpack_answers(bytes(row.answers)), unpack_key(bytes(row.key))
    stale = []
    for each in brought:
        before = _current(answers, each.number)
        after = _changed(before, _mask(key, each.number, each.choice), each.version)
        if after is None:
            stale.append(each.number)
        else:
            answers[each.number - 1] = after
    return answers, stale


def leave(attempt_id: str, person_id: str, *, now: datetime) -> Outcome | None:
    """The person says to go away for good: the programme's leave rule. `None` where it lets an attempt go on. After
    the deadline there is nothing left to leave: the attempt closes as timed out. A second time gives the same.
    Raises `NOT_FOUND`. Yunnan manual, step 3 (三) 2: the attempt is used up and scored 0."""
    for _ in range(TRIES):
        row = close_if_due(queries.owned(attempt_id, person_id), now=now)
        if row.status != Status.OPEN:
            return outcome(row)
        if queries.exam_of(row).on_leave == "continue":
            return None
        action = Action.LEAVE if now <= row.deadline else Action.TIME_UP
        left = close(row, action, now=now, finished_at=finish_time(row, now))
        if left is not None:
            return left
    raise BUSY()


def close_due(*, now: datetime) -> int:
    """Scheduled: close what is past its deadline and grace, about `CLOSE_BATCH` a run; gives how many were closed. An
    attempt that cannot be closed is logged and left out, however many there are."""
    closed = failed = 0
    while rows := queries.due(now, CLOSE_BATCH, skip=failed):
        done, wrong = sweep.each("exam.close_due", rows, lambda row: close_if_due(row, now=now).status != Status.OPEN)
        closed, failed = closed + done, failed + wrong
        if wrong == 0 or closed >= CLOSE_BATCH:
            break
    return closed
