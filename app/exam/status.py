"""The status of an attempt. Pure: a table, and nothing else."""

from __future__ import annotations

from enum import StrEnum


class Status(StrEnum):
    """open: the paper lies on the table. handed_in: by the person. timed_out: closed by us at its deadline, scored
    from what was saved. left: the person went away, and the programme's leave rule took the attempt."""

    OPEN = "open"
    HANDED_IN = "handed_in"
    TIMED_OUT = "timed_out"
    LEFT = "left"


class Action(StrEnum):
    """What ends an attempt."""

    HAND_IN = "hand_in"
    TIME_UP = "time_up"
    LEAVE = "leave"


_TABLE: dict[tuple[Status, Action], Status] = {
    (Status.OPEN, Action.HAND_IN): Status.HANDED_IN,
    (Status.OPEN, Action.TIME_UP): Status.TIMED_OUT,
    (Status.OPEN, Action.LEAVE): Status.LEFT,
}


class NotAllowed(Exception):
    """The action does not fit the status: an attempt ends once."""


def next_status(status: Status, action: Action) -> Status:
    """The status after `action`. Raises `NotAllowed`."""
    try:
        return _TABLE[status, action]
    except KeyError:
        raise NotAllowed(f"{action} while {status}") from None
