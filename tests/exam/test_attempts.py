"""Starting, answering, leaving and ending an attempt, by the service with a clock of its own."""

from __future__ import annotations

from contextlib import AbstractContextManager
from datetime import timedelta

import pytest

from app.core.errors import Problem
from app.core.outbox import OutboxMessage
from app.enrol.models import Enrolment
from app.exam import queries, service
from app.exam.audit import audit_attempts
from app.exam.models import Attempt, Question, QuestionVersion
from app.exam.status import Status
from app.policy import load
from app.study.models import LessonProgress
from tests.exam.rooms import a_bank, a_candidate, studied
from tests.factories import a_person, a_roster_entry, an_enrolment

pytestmark = pytest.mark.usefixtures("world")


def refused(code: str) -> AbstractContextManager[object]:
    """A context that expects this refusal."""
    return pytest.raises(Problem, match=f"^{code}$")


def test_a_paper_has_the_programmes_composition_and_stays_the_same() -> None:
    candidate = a_candidate()
    first = service.start(candidate.enrolment.id, candidate.person.id, "TJ", now=candidate.now)
    assert [question.type for question in first.questions] == ["single"] * 25 + ["multiple"] * 10 + ["judge"] * 15
    assert sum(question.score for question in first.questions) == 100
    assert first.attempt.deadline == candidate.now + timedelta(minutes=120)
    QuestionVersion.update(number=QuestionVersion.number).execute()
    Question.update(active=False).execute()  # a bank that changes does not touch a paper
    again = service.open_paper(first.attempt.id, candidate.person.id, now=candidate.later(60))
    assert again.questions == first.questions
    assert again.attempt.deadline == first.attempt.deadline


def test_a_double_click_gives_the_same_attempt_and_uses_one_up() -> None:
    candidate = a_candidate()
    assert candidate.start().id == candidate.start().id
    (subject,) = service.status(candidate.enrolment, now=candidate.now)
    assert (subject.attempts_used, subject.attempts_left) == (1, 4)
    assert subject.open_attempt_id == candidate.attempt_id


def test_clicks_at_the_same_moment_begin_one_attempt(monkeypatch: pytest.MonkeyPatch) -> None:
    candidate = a_candidate()
    blind = iter([None])  # the second click looked before the first one's attempt was there
    monkeypatch.setattr(queries, "used", lambda *_: 0)
    candidate.start()
    original = queries.open_of
    monkeypatch.setattr(queries, "open_of", lambda person_id: next(blind, original(person_id)))
    assert service.start(candidate.enrolment.id, candidate.person.id, "TJ", now=candidate.now).attempt.number == 1
    assert Attempt.select().count() == 1


def test_the_exam_opens_after_the_last_lesson_only() -> None:
    candidate = a_candidate()
    LessonProgress.update(completed_at=None).execute()
    assert service.status(candidate.enrolment, now=candidate.now)[0].refusal == "study_not_complete"
    with refused("study_not_complete"):
        candidate.start()


def test_nobody_begins_anothers_exam_or_an_unpaid_or_a_late_one() -> None:
    candidate = a_candidate()
    with refused("not_found"):
        service.start(candidate.enrolment.id, a_person().id, "TJ", now=candidate.now)
    with refused("no_such_subject"):
        candidate.start("C2")
    with refused("study_period_over"):
        service.start(candidate.enrolment.id, candidate.person.id, "TJ", now=candidate.now + timedelta(days=40))
    Enrolment.update(status="passed").execute()
    with refused("study_period_over"):  # who passed may look again, but an exam ends with the period
        service.start(candidate.enrolment.id, candidate.person.id, "TJ", now=candidate.now + timedelta(days=40))
    Enrolment.update(status="signed_up").execute()
    with refused("not_paid_yet"):
        candidate.start()


def test_a_bank_that_cannot_fill_a_paper_uses_no_attempt_up() -> None:
    candidate = a_candidate(bank=False)
    a_bank(single=24)
    with refused("questions_missing"):
        candidate.start()
    assert Attempt.select().count() == 0


def test_five_attempts_and_no_sixth_and_the_best_score_stays() -> None:
    candidate = a_candidate()
    for right in (10, 29, 20, 5, 0):
        candidate.start()
        outcome = candidate.hand_in(range(1, right + 1))
        candidate.later(600)
        assert outcome.score == right * 2
        assert not outcome.passed
    assert (outcome.best_score, outcome.attempts_left) == (58, 0)
    with refused("no_attempts_left"):
        candidate.start()
    assert service.status(candidate.enrolment, now=candidate.now)[0].refusal == "no_attempts_left"
    assert audit_attempts() == []


def test_sixty_is_a_pass_and_is_told_once() -> None:
    candidate = a_candidate()
    candidate.start()
    assert candidate.hand_in(range(1, 31)).passed
    candidate.start()  # allowed: only the best one is shown
    assert candidate.hand_in(range(1, 41)).best_score == 80
    candidate.start()
    assert candidate.hand_in().best_score == 80
    events = OutboxMessage.select().where(
        OutboxMessage.event == "exam.passed", OutboxMessage.subscriber == "enrol.passed"
    )
    assert [row.key for row in events] == [candidate.enrolment.id]


def test_a_kind_with_two_subjects_is_passed_with_both(monkeypatch: pytest.MonkeyPatch) -> None:
    candidate = a_candidate()
    a_bank("XHG")
    programme = load.programme("yunnan", "2021-02-01")
    kinds = {kind.code: kind for kind in programme.certificate_kinds}
    both = (*kinds["TJ"].subjects, *kinds["XHG"].subjects)
    double = type(kinds["TJ"])(
        **{name: getattr(kinds["TJ"], name) for name in kinds["TJ"].__struct_fields__} | {"subjects": both}
    )
    monkeypatch.setattr("app.policy.rules.certificate_kind", lambda _programme, _code: double)
    passed = OutboxMessage.select().where(OutboxMessage.event == "exam.passed")
    candidate.start("TJ")
    with refused("another_exam_open"):
        service.start(candidate.enrolment.id, candidate.person.id, "XHG", now=candidate.now)
    candidate.hand_in(range(1, 51))
    assert not passed.exists()
    candidate.start("XHG")
    candidate.hand_in(range(1, 51))
    assert passed.exists()
    assert [subject.passed for subject in service.status(candidate.enrolment, now=candidate.now)] == [True, True]


def test_an_answer_is_changed_with_its_version_and_sent_again_without_harm() -> None:
    candidate = a_candidate()
    candidate.start()
    assert candidate.save(1, "A") == (1, 1)
    assert candidate.save(1, "A") == (1, 1)  # the answer to the first was lost
    assert candidate.save(1, "B", 1) == (2, 2)
    assert candidate.save(1, "", 2) == (3, 0)
    with refused("answer_conflict"):
        candidate.save(1, "C", 1)
    assert candidate.row().revision == 3


@pytest.mark.parametrize(
    ("number", "choice", "code"),
    [
        (0, "A", "no_such_question"),
        (51, "A", "no_such_question"),
        (1, "AB", "bad_choice"),
        (50, "C", "bad_choice"),
        (1, "é", "bad_choice"),
    ],
)
def test_an_answer_that_is_none_is_refused(number: int, choice: str, code: str) -> None:
    candidate = a_candidate()
    candidate.start()
    with refused(code):
        candidate.save(number, choice)


def test_nothing_is_answered_after_the_end() -> None:
    candidate = a_candidate()
    candidate.start()
    candidate.hand_in()
    with refused("exam_handed_in"):
        candidate.save(1, "A")
    with refused("exam_handed_in"):
        candidate.open()


def test_a_hand_in_with_a_stale_answer_waits_for_the_person_and_in_the_grace_leaves_the_saved_one() -> None:
    candidate = a_candidate()
    attempt = candidate.start()
    candidate.save(1, candidate.right(1))
    stale = [service.Brought(1, "D", 0)] if candidate.right(1) != "D" else [service.Brought(1, "C", 0)]
    with pytest.raises(Problem) as error:
        service.hand_in(attempt.id, candidate.person.id, stale, now=candidate.now)
    assert error.value.extra["answers"] == [{"number": 1, "choice": candidate.right(1), "version": 1}]
    assert candidate.row().status == Status.OPEN
    late = candidate.after_deadline(3)
    outcome, not_taken = service.hand_in(attempt.id, candidate.person.id, stale, now=late)
    assert (outcome.score, not_taken, outcome.finished_at) == (2, [1], attempt.deadline)


def test_an_attempt_that_was_read_before_another_page_wrote_is_read_again() -> None:
    candidate = a_candidate()
    candidate.start()
    before = candidate.row()
    candidate.save(1, "A")
    whose = (candidate.attempt_id, candidate.person.id)
    service.save_answer(*whose, 2, "A", 0, now=candidate.now, known=before)
    assert (candidate.saved(1).version, candidate.saved(2).version) == (1, 1)
    service.hand_in(*whose, [], now=candidate.now, known=before)
    assert (candidate.saved(1).version, candidate.row().status) == (1, Status.HANDED_IN)
    with refused("exam_handed_in"):
        service.save_answer(*whose, 3, "A", 0, now=candidate.now, known=before)


def test_leaving_uses_the_attempt_up_and_scores_nothing() -> None:
    candidate = a_candidate()
    candidate.start()
    candidate.save(1, candidate.right(1))
    first = service.leave(candidate.attempt_id, candidate.person.id, now=candidate.later(60))
    again = service.leave(candidate.attempt_id, candidate.person.id, now=candidate.later(60))
    assert first == again
    assert first is not None
    assert (first.status, first.score, first.attempts_left) == (Status.LEFT, 0, 4)
    assert candidate.saved(1).version == 1  # kept, for staff
    with refused("exam_left"):
        candidate.hand_in()
    assert candidate.start().number == 2
    assert audit_attempts() == []


def test_after_the_deadline_there_is_nothing_left_to_leave() -> None:
    candidate = a_candidate()
    attempt = candidate.start()
    candidate.save(1, candidate.right(1))
    candidate.now = candidate.after_deadline(2)
    outcome = service.leave(attempt.id, candidate.person.id, now=candidate.now)
    assert outcome is not None
    assert (outcome.status, outcome.score) == (Status.TIMED_OUT, 2)


def test_a_living_page_without_a_network_has_not_left() -> None:
    candidate = a_candidate()
    candidate.start()
    candidate.later(1800)  # no sign for half an hour, then the page sends what it kept
    assert candidate.save(1, "A").version == 1
    candidate.later(1800)
    assert service.alive(candidate.attempt_id, candidate.person.id, now=candidate.now).status == Status.OPEN
    candidate.later(100)
    assert candidate.open().answers[0].version == 1  # the grace counts from the last sign
    candidate.later(1800)
    assert candidate.hand_in().status == Status.HANDED_IN


def test_starting_again_after_the_grace_tells_the_end_and_begins_nothing() -> None:
    candidate = a_candidate()
    candidate.start()
    candidate.later(121)
    with refused("exam_left"):
        candidate.start()
    assert Attempt.select().count() == 1
    assert candidate.start().number == 2


def test_the_exam_page_is_no_opening() -> None:
    candidate = a_candidate()
    attempt = candidate.start()
    candidate.later(600)
    (subject,) = service.status(candidate.enrolment, now=candidate.now)
    assert subject.open_attempt_id == attempt.id
    assert subject.resume_by == attempt.started_at + timedelta(seconds=120)


def test_the_job_closes_all_that_are_due_and_no_other() -> None:
    crowd = [a_candidate() for _ in range(5)]
    for candidate in crowd:
        candidate.start()
    late = a_candidate(now=crowd[0].now + timedelta(minutes=30))
    late.start()
    assert service.close_due(now=crowd[-1].after_deadline(5)) in range(5)  # the grace of the last is not over
    service.close_due(now=crowd[-1].after_deadline(6))
    assert [candidate.row().status for candidate in crowd] == [Status.TIMED_OUT] * 5
    assert late.row().status == Status.OPEN
    assert service.close_due(now=crowd[-1].after_deadline(6)) == 0
    assert audit_attempts() == []


def test_the_audit_sees_a_score_that_the_answers_are_not_worth() -> None:
    candidate = a_candidate()
    candidate.start()
    candidate.hand_in(range(1, 31))
    assert audit_attempts() == []
    Attempt.update(score=100).execute()
    assert any("score 100" in fault for fault in audit_attempts())


def test_an_exam_forgotten_elsewhere_stands_in_the_way_until_its_deadline_only() -> None:
    first = a_candidate()
    entry = a_roster_entry(first.person, kind_code="XHG")
    second = an_enrolment(first.person, entry=entry, now=first.now)
    studied(second, now=first.now)
    a_bank("XHG")
    first.start()
    assert service.status(second, now=first.now)[0].refusal == "another_exam_open"
    later = first.after_deadline(6)
    assert service.status(second, now=later)[0].refusal is None
    assert service.start(second.id, first.person.id, "XHG", now=later).attempt.subject == "XHG"
    assert first.row().status == Status.TIMED_OUT


def test_an_attempt_that_cannot_be_closed_does_not_stop_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "CLOSE_BATCH", 2)
    candidates = [a_candidate() for _ in range(4)]
    for number, candidate in enumerate(candidates):
        candidate.start()
        if number < 3:  # more than a batch of them, and they come first
            first = candidate.row().accepts_until - timedelta(minutes=1)
            Attempt.update(version="2020-01-01", accepts_until=first).where(
                Attempt.id == candidate.attempt_id
            ).execute()
    assert service.close_due(now=candidates[3].after_deadline(3600)) == 1
    assert candidates[3].row().status == Status.TIMED_OUT
    assert candidates[0].row().status == Status.OPEN
