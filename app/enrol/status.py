"""The status of an enrolment. Pure: a table, and nothing else.

Whether money is on its way is the order's matter: an enrolment is signed up until its order is paid.
"""

from __future__ import annotations

from enum import StrEnum


class Status(StrEnum):
    """signed_up: the order is not paid (or there is none yet). studying: paid, the study period runs. passed: every
    subject's exam is passed. completed: the proof is issued. lapsed: the study period ended before a pass."""

    SIGNED_UP = "signed_up"
    STUDYING = "studying"
    PASSED = "passed"
    COMPLETED = "completed"
    LAPSED = "lapsed"


class Action(StrEnum):
    """What happens to an enrolment."""

    ORDER = "order"
    ORDER_CLOSED = "order_closed"
    PAY = "pay"
    PASS = "pass"  # noqa: S105 an exam, not a word
    COMPLETE = "complete"
    LAPSE = "lapse"


OPEN = (Status.SIGNED_UP, Status.STUDYING, Status.PASSED)  # no second enrolment for the same certificate meanwhile

# A pass and a proof are facts of other domains: however late they are heard of, they count. An exam handed in in time
# may be heard of after the study period was found to be over, and a proof before the pass it was issued for.
_TABLE: dict[tuple[Status, Action], Status] = {
    (Status.SIGNED_UP, Action.ORDER): Status.SIGNED_UP,
    (Status.SIGNED_UP, Action.ORDER_CLOSED): Status.SIGNED_UP,
    (Status.SIGNED_UP, Action.PAY): Status.STUDYING,
    (Status.STUDYING, Action.PASS): Status.PASSED,
    (Status.STUDYING, Action.COMPLETE): Status.COMPLETED,
    (Status.STUDYING, Action.LAPSE): Status.LAPSED,
    (Status.LAPSED, Action.PASS): Status.PASSED,
    (Status.LAPSED, Action.COMPLETE): Status.COMPLETED,
    (Status.PASSED, Action.PASS): Status.PASSED,
    (Status.PASSED, Action.COMPLETE): Status.COMPLETED,
    (Status.COMPLETED, Action.PASS): Status.COMPLETED,
    (Status.COMPLETED, Action.COMPLETE): Status.COMPLETED,
}


class NotAllowed(Exception):
    """The action does not fit the status."""


def next_status(status: Status, action: Action) -> Status:
    """The status after `action`; the same one where nothing changes. Raises `NotAllowed`."""
    try:
        return _TABLE[status, action]
    except KeyError:
        raise NotAllowed(f"{action} while {status}") from None
