"""Where a person stands in an exam: every subject, what is against starting it, and the one thing to do next."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from app.account import service as account
from app.account.errors import CONSENT_NEEDED
from app.core.errors import Problem, ProblemKind
from app.enrol import service as enrol
from app.enrol.errors import STUDY_PERIOD_OVER
from app.enrol.models import Enrolment
from app.exam import errors, queries, steps
from app.exam.closing import close_if_due
from app.exam.models import Attempt
from app.exam.status import Status
from app.exam.steps import Step
from app.policy import load, rules
from app.policy.schema import Exam, Programme
from app.study import service as study
from app.study.errors import NO_COURSE


@dataclass(frozen=True)
class SubjectStatus:
    """Where a person stands in one subject. `refusal`: the code of what is against starting now; `next`: what to do.
    `resume_by`: until when an interrupted open attempt can be opened again without counting as left."""

    subject: str
    title: str
    attempts_used: int
    attempts_left: int | None
    best_score: int | None
    passed: bool
    refusal: str | None
    open_attempt_id: str | None
    resume_by: datetime | None
    next: Step


def status(enrolment: Enrolment, *, now: datetime) -> list[SubjectStatus]:
    """Every subject of the enrolment's kind of certificate. Closes what is due; does not count as opening a paper."""
    programme = load.programme(enrolment.programme, enrolment.version)
    kind = rules.certificate_kind(programme, enrolment.kind_code)
    if programme.exam is None or kind is None:
        return []
    attempts = [close_if_due(row, now=now) for row in queries.of_enrolment(enrolment.id)]
    other = queries.open_of(enrolment.person_id)
    if other is not None and close_if_due(other, now=now).status != Status.OPEN:
        other = None
    given_back = queries.granted(enrolment.id)
    all_passed = {row.subject for row in attempts if row.passed}
    against = _against_all(enrolment, programme.exam, now=now)
    found = []
    for subject in kind.subjects:
        mine = [row for row in attempts if row.subject == subject.code]
        current = next((row for row in mine if row.status == Status.OPEN), None)
        left = rules.attempts_left(programme, len(mine), granted=given_back.get(subject.code, 0))
        passed = subject.code in all_passed
        refusal = None
        if current is None:
            refusal = against or (errors.ANOTHER_EXAM_OPEN if other is not None else None)
            refusal = refusal or (errors.NO_ATTEMPTS_LEFT if left == 0 else None)
        found.append(
            SubjectStatus(
                subject=subject.code,
                title=subject.title,
                attempts_used=len(mine),
                attempts_left=left,
                best_score=rules.kept_score(programme, [row.score for row in mine if row.score is not None]),
                passed=passed,
                refusal=refusal.code if refusal else None,
                open_attempt_id=current.id if current else None,
                resume_by=resume_by(current) if current else None,
                next=steps.of_subject(
                    programme,
                    enrolment.kind_code,
                    subject.code,
                    refusal=refusal,
                    passed=all_passed,
                    mine=current.id if current else None,
                    other=other.id if other else None,
                ),
            )
        )
    return found


def notice(enrolment: Enrolment, *, now: datetime) -> list[SubjectStatus]:
    """`status` for the page before the exam: what the last lesson added counts at once, as it does for `start`.
    Outside of a transaction."""
    found = status(enrolment, now=now)
    waits = any(subject.refusal == errors.STUDY_NOT_COMPLETE.code for subject in found)
    return status(enrolment, now=now) if waits and study.settle(enrolment.id, now=now) else found


def _against_all(enrolment: Enrolment, exam: Exam, *, now: datetime) -> ProblemKind | None:
    """What is against an exam in every subject, as `start` would say it."""
    over = enrolment.study_deadline is not None and now > enrolment.study_deadline
    if refusal := enrol.study_refusal(enrolment, now=now):
        return refusal
    if exam.within_study_period and over:
        return STUDY_PERIOD_OVER
    if lacks_consent(load.programme(enrolment.programme, enrolment.version), enrolment.person_id):
        return CONSENT_NEEDED
    try:
        studied = not exam.requires_study_complete or study.is_complete(enrolment.id)
    except Problem as problem:
        if problem.kind is not NO_COURSE:
            raise
        return NO_COURSE
    return None if studied else errors.STUDY_NOT_COMPLETE


def lacks_consent(programme: Programme, person_id: str) -> bool:
    """Whether somebody would sit an exam who has taken back the consent without which nobody here says who it is."""
    return programme.face is not None and not account.has_consent(person_id, "face")


def resume_by(row: Attempt) -> datetime:
    """Until when a page may be opened on the attempt again without its having left."""
    until: datetime = row.accepts_until
    if queries.exam_of(row).on_leave == "continue":
        return until
    return min(rules.resume_until(queries.programme_of(row), row.seen_at), until)
