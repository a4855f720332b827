"""The truth table of a check's life."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.face.status import OPEN, Action, CheckStatus, NotAllowed, next_status

ALLOWED = {
    **{(status, Action.PASS): CheckStatus.PASSED for status in OPEN},
    **{(status, Action.FAIL): CheckStatus.FAILED for status in OPEN},
    **{(status, Action.LOSE): CheckStatus.UNKNOWN for status in OPEN},
    **{(status, Action.EXPIRE): CheckStatus.EXPIRED for status in (*OPEN, CheckStatus.PASSED)},
    (CheckStatus.PASSED, Action.CONSUME): CheckStatus.CONSUMED,
}


@pytest.mark.parametrize("action", list(Action))
@pytest.mark.parametrize("status", list(CheckStatus))
def test_the_table_is_as_it_is_meant(status: CheckStatus, action: Action) -> None:
    if (status, action) in ALLOWED:
        assert next_status(status, action) is ALLOWED[status, action]
    else:
        with pytest.raises(NotAllowed):
            next_status(status, action)


@given(st.lists(st.sampled_from(list(Action)), max_size=20))
def test_a_check_passes_and_is_used_at_most_once(actions: list[Action]) -> None:
    status, passes, uses = CheckStatus.CREATED, 0, 0
    for action in actions:
        try:
            status = next_status(status, action)
        except NotAllowed:
            continue
        passes += action is Action.PASS
        uses += action is Action.CONSUME
    assert passes <= 1
    assert uses <= passes
