"""What goes wrong for trainees with the exam, as the manuals list it, and support solves: the call, the
page, the button, and the trainee's next step, over HTTP on both sides."""

from __future__ import annotations

import re
from datetime import timedelta

from app.core.clock import utcnow
from app.enrol.models import RosterEntry
from app.exam import service as exam_service
from app.exam.audit import audit_attempts
from app.exam.models import Attempt, AttemptGrant
from tests.console.phone import Phone, call
from tests.exam.rooms import Candidate, a_candidate
from tests.world import World


def spent(candidate: Candidate, times: int) -> list[Attempt]:
    """So many attempts that broke off."""
    rows = []
    for _ in range(times):
        attempt = candidate.start()
        candidate.later(60)
        exam_service.leave(attempt.id, candidate.person.id, now=candidate.now)
        rows.append(attempt)
    return rows


def test_a_crash_in_the_exam_took_an_attempt_and_it_comes_back(world: World, phone: Phone) -> None:
    candidate = a_candidate(now=utcnow() - timedelta(hours=2))
    spent(candidate, 5)
    path = f"/enrolments/{candidate.enrolment.id}"
    assert (
        call(world, candidate.person, "POST", f"{path}/attempts", {"subject": "TJ"})[1]["code"] == "no_attempts_left"
    )
    page = phone.asks_for(candidate.person.id_number)
    assert "中途离开，本次作废" in page
    assert "请填写说明" in phone.press("exam.give_back", reason="crashed")
    said = phone.press("exam.give_back", reason="crashed", note="学员发来了闪退的截图 10:02")
    assert "这个科目还可以考 1 次" in said
    status, exam = call(world, candidate.person, "GET", f"{path}/exam")
    assert (exam["subjects"][0]["attempts_used"], exam["subjects"][0]["attempts_left"]) == (5, 1)
    assert exam["subjects"][0]["next"]["code"] == "start"
    status, paper = call(world, candidate.person, "POST", f"{path}/attempts", {"subject": "TJ"})
    assert (status, len(paper["questions"])) == (200, 50)
    assert Attempt.select().where(Attempt.enrolment_id == candidate.enrolment.id).count() == 6, "history is kept"
    assert "闪退的截图" in phone.page()
    assert audit_attempts() == []


def test_a_reason_that_was_chosen_stays_chosen_where_the_note_is_wanting(phone: Phone) -> None:
    candidate = a_candidate(now=utcnow() - timedelta(hours=2))
    (attempt,) = spent(candidate, 1)
    phone.asks_for(candidate.person.id_number)
    form = {"target": attempt.id, "reason": "network", "note": "x"}
    page = phone.browser.hx(f"/console/people/{candidate.person.id}/help/exam.give_back", form).text
    assert re.findall(r'name="reason" value="(\w+)" required checked', page) == ["network"]
    assert 'value="x"' in page


def test_an_attempt_comes_back_once_however_often_it_is_pressed(world: World, phone: Phone) -> None:
    candidate = a_candidate(now=utcnow() - timedelta(hours=2))
    (attempt,) = spent(candidate, 1)
    phone.asks_for(candidate.person.id_number)
    phone.press("exam.give_back", reason="network", note="运营商停机通知")
    said = phone.send("exam.give_back", target=attempt.id, reason="network", note="运营商停机通知")
    assert "已经办过" in said
    assert AttemptGrant.select().count() == 1
    exam = call(world, candidate.person, "GET", f"/enrolments/{candidate.enrolment.id}/exam")[1]
    assert exam["subjects"][0]["attempts_left"] == 5


def test_the_exams_clock_and_a_lower_score_are_explained_on_the_page(world: World, phone: Phone) -> None:
    """Start, end and score of each attempt; the best one counts."""
    candidate = a_candidate(now=utcnow() - timedelta(hours=3))
    candidate.start()
    candidate.hand_in(range(1, 46))
    candidate.later(60)
    candidate.start()
    candidate.hand_in(range(1, 11))
    page = phone.asks_for(candidate.person.id_number)
    scores = [int(text) for text in re.findall(r"(\d+) 分</span>", page)]
    assert len(scores) == 2
    assert "第 1 次" in page
    assert "第 2 次" in page
    exam = call(world, candidate.person, "GET", f"/enrolments/{candidate.enrolment.id}/exam")[1]
    assert exam["subjects"][0]["best_score"] == max(scores)


def test_an_extension_or_make_up_asked_for_too_early_and_an_expired_certificate(world: World, phone: Phone) -> None:
    """Nothing to press: deadline, attempts and expiry stand there for support to say."""
    candidate = a_candidate(now=utcnow() - timedelta(hours=1))
    spent(candidate, 1)
    RosterEntry.update(expires_on=(utcnow() - timedelta(days=70)).date()).execute()
    page = phone.asks_for(candidate.person.id_number)
    assert "截止" in page
    assert str((utcnow() - timedelta(days=70)).date()) in page
