"""The table of statuses: every pair."""

from __future__ import annotations

import pytest

from app.notify.status import TABLE, Action, NotAllowed, Status, next_status

FINAL = {Status.FAILED, Status.DELIVERED, Status.UNDELIVERED}
EXPECTED = {
    "queued claim": "sending",
    "queued drop": "failed",
    "sending accept": "sent",
    "sending refuse": "failed",
    "sending postpone": "queued",
    "sending lose": "unknown",
    "unknown accept": "sent",
    "unknown refuse": "failed",
    "unknown deliver": "delivered",
    "unknown bounce": "undelivered",
    "sent deliver": "delivered",
    "sent bounce": "undelivered",
}


@pytest.mark.parametrize("status", list(Status))
@pytest.mark.parametrize("action", list(Action))
def test_every_pair_has_its_outcome(status: Status, action: Action) -> None:
    expected = EXPECTED.get(f"{status} {action}")
    if expected is None:
        with pytest.raises(NotAllowed):
            next_status(status, action)
    else:
        assert next_status(status, action) == expected


def test_nothing_follows_what_is_final() -> None:
    assert not {status for status, _ in TABLE} & FINAL


def test_what_may_have_gone_out_is_never_sendable_again() -> None:
    reachable, todo = set(), [Status.UNKNOWN, Status.SENT]
    while todo:
        status = todo.pop()
        reachable.add(status)
        todo += [after for (before, _), after in TABLE.items() if before is status and after not in reachable]
    assert not reachable & {Status.QUEUED, Status.SENDING}
