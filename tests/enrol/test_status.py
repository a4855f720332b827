"""The whole truth table of an enrolment's status."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.enrol.status import OPEN, Action, NotAllowed, Status, next_status

S, A = Status, Action
EXPECTED = {
    (S.SIGNED_UP, A.ORDER): S.SIGNED_UP,
    (S.SIGNED_UP, A.ORDER_CLOSED): S.SIGNED_UP,
    (S.SIGNED_UP, A.PAY): S.STUDYING,
    (S.STUDYING, A.PASS): S.PASSED,
    (S.STUDYING, A.COMPLETE): S.COMPLETED,
    (S.STUDYING, A.LAPSE): S.LAPSED,
    (S.PASSED, A.PASS): S.PASSED,
    (S.PASSED, A.COMPLETE): S.COMPLETED,
    (S.COMPLETED, A.PASS): S.COMPLETED,
    (S.COMPLETED, A.COMPLETE): S.COMPLETED,
    (S.LAPSED, A.PASS): S.PASSED,
    (S.LAPSED, A.COMPLETE): S.COMPLETED,
}


@pytest.mark.parametrize(("status", "action"), list(product(Status, Action)))
def test_each_action_in_each_status_does_what_the_table_says(status: Status, action: Action) -> None:
    if (status, action) in EXPECTED:
        assert next_status(status, action) == EXPECTED[status, action]
    else:
        with pytest.raises(NotAllowed):
            next_status(status, action)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(Action), max_size=12))
def test_no_sequence_of_events_takes_a_pass_back_or_studies_unpaid(actions: list[Action]) -> None:
    status = Status.SIGNED_UP
    seen = [status]
    for action in actions:
        try:
            status = next_status(status, action)
        except NotAllowed:
            continue
        seen.append(status)

    ranks = {S.SIGNED_UP: 0, S.STUDYING: 1, S.LAPSED: 2, S.PASSED: 3, S.COMPLETED: 4}
    assert [ranks[each] for each in seen] == sorted(ranks[each] for each in seen)
    assert (status == S.SIGNED_UP) == (A.PAY not in actions)


def test_whoever_has_finished_or_lapsed_may_sign_up_again() -> None:
    assert set(Status) - set(OPEN) == {S.COMPLETED, S.LAPSED}
