"""An attempt given back: one for each that was lost, whoever presses how often."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core import db
from app.core.clock import utcnow
from app.core.errors import Problem
from app.exam import service
from app.exam.audit import audit_attempts
from app.exam.models import Attempt, AttemptGrant
from app.policy import load, rules
from tests.exam.rooms import Candidate, a_candidate
from tests.pay.till import in_parallel
from tests.world import World


def given_back(attempt_id: str) -> bool:
    return service.give_back(
        attempt_id, reason="crashed", evidence="截图", words="崩溃：截图", actor="staff:1", now=utcnow()
    )


def lost(candidate: Candidate) -> Attempt:
    attempt = candidate.start()
    candidate.later(60)
    service.leave(attempt.id, candidate.person.id, now=candidate.now)
    return attempt


def test_twenty_at_one_moment_give_one_attempt_back(world: World) -> None:
    candidate = a_candidate(now=utcnow())
    attempt = lost(candidate)

    def press(_number: int) -> bool:
        with db.connection():
            return db.unit(lambda: given_back(attempt.id))

    assert sorted(in_parallel(20, press)) == [False] * 19 + [True]
    assert AttemptGrant.select().count() == 1


@pytest.mark.parametrize("how", ["open", "handed_in"])
def test_what_was_not_lost_is_not_given_back(world: World, how: str) -> None:
    candidate = a_candidate(now=utcnow())
    attempt = candidate.start()
    if how == "handed_in":
        candidate.hand_in(range(1, 3))
    with pytest.raises(Problem, match="attempt_not_given_back"):
        given_back(attempt.id)
    assert AttemptGrant.select().count() == 0


@settings(max_examples=60, deadline=None)
@given(used=st.integers(0, 20), granted=st.integers(0, 20))
def test_never_more_than_the_files_number_and_what_was_given_back(used: int, granted: int) -> None:
    programme = load.programme("yunnan", "2021-02-01")
    assert programme.exam is not None
    left = rules.attempts_left(programme, used, granted=granted)
    assert left == max(0, (programme.exam.attempts or 0) + granted - used)


def test_the_count_is_right_until_the_end(world: World) -> None:
    candidate = a_candidate(now=utcnow() - timedelta(hours=3))
    attempts = [lost(candidate) for _ in range(5)]
    with pytest.raises(Problem, match="no_attempts_left"):
        candidate.start()
    for attempt in attempts[:2]:
        given_back(attempt.id)
    attempts += [lost(candidate), lost(candidate)]
    with pytest.raises(Problem, match="no_attempts_left"):
        candidate.start()
    assert [row.number for row in attempts] == [1, 2, 3, 4, 5, 6, 7]
    assert audit_attempts() == []
