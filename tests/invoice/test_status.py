"""What may follow what."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.invoice.status import AT_VENDOR, OVER, TABLE, Action, NotAllowed, Status, next_status


@pytest.mark.parametrize(("status", "action"), itertools.product(Status, Action))
def test_what_is_not_in_the_table_is_refused(status: Status, action: Action) -> None:
    if (status, action) in TABLE:
        assert next_status(status, action) == TABLE[status, action]
    else:
        with pytest.raises(NotAllowed):
            next_status(status, action)


@given(st.lists(st.sampled_from(Action), max_size=30))
def test_on_no_way_is_what_exists_sent_again_or_what_is_over_begun_anew(actions: list[Action]) -> None:
    status, existed = Status.WAITING, False
    for action in actions:
        before = status
        try:
            status = next_status(status, action)
        except NotAllowed:
            continue
        assert before not in OVER
        existed = existed or status in AT_VENDOR
        assert not existed or status in AT_VENDOR


def test_from_everywhere_there_is_a_way_to_an_end() -> None:
    reached = set(OVER)
    while more := {before for (before, _), after in TABLE.items() if after in reached} - reached:
        reached |= more
    assert reached == set(Status)
