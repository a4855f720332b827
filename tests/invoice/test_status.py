"""What may follow what."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.invoice import case_kinds, person_page
from app.invoice.status import (
    AT_VENDOR,
    ENDED,
    MAIL,
    RED,
    TABLE,
    Action,
    MailStatus,
    NotAllowed,
    RedStatus,
    Status,
    next_mail,
    next_red,
    next_status,
)


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
        assert before not in ENDED
        existed = existed or status in AT_VENDOR
        assert not existed or status in (*AT_VENDOR, *ENDED)


@given(st.lists(st.sampled_from(Action), max_size=30))
def test_on_no_way_is_a_red_letter_that_exists_or_was_applied_for_sent_again(actions: list[Action]) -> None:
    status, applied = RedStatus.PLANNED, False
    for action in actions:
        before = status
        try:
            status = next_red(status, action)
        except NotAllowed:
            continue
        assert before is not RedStatus.ISSUED
        applied = status is RedStatus.APPLIED or (applied and action is not Action.RETRY)
        assert not (applied and status is RedStatus.SENDING)


@given(st.lists(st.sampled_from(Action), max_size=30))
def test_on_no_way_is_a_mail_sent_again_that_may_have_gone(actions: list[Action]) -> None:
    status = MailStatus.QUEUED
    for action in actions:
        before = status
        try:
            status = next_mail(status, action)
        except NotAllowed:
            continue
        assert before not in (MailStatus.SENT, MailStatus.UNKNOWN, MailStatus.FAILED)


@pytest.mark.parametrize(("table", "following"), [(RED, next_red), (MAIL, next_mail)])
def test_of_the_others_too_what_is_not_in_the_table_is_refused(table: Any, following: Any) -> None:
    statuses = {before for before, _ in table} | set(table.values())
    for status, action in itertools.product(statuses, Action):
        if (status, action) in table:
            assert following(status, action) == table[status, action]
        else:
            with pytest.raises(NotAllowed):
                following(status, action)


def test_from_everywhere_there_is_a_way_to_an_end() -> None:
    reached = {*ENDED, Status.READY}
    while more := {before for (before, _), after in TABLE.items() if after in reached} - reached:
        reached |= more
    assert reached == set(Status)


def test_every_status_has_a_word_for_staff() -> None:
    assert {*person_page.STATES} == {*case_kinds.STATUSES} == {*Status}
    assert {*case_kinds.RED_STATUSES} == {*RedStatus}
