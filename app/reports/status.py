"""The status of an export. Pure: a table, and nothing else."""

from __future__ import annotations

from enum import StrEnum


class Status(StrEnum):
    """asked: it waits for a worker. making: one has it. ready: its file can be fetched until it is `gone`. failed: it
    was tried as often as is sensible."""

    ASKED = "asked"
    MAKING = "making"
    READY = "ready"
    FAILED = "failed"
    GONE = "gone"


class Action(StrEnum):
    """What happens to an export. `return`: its worker was lost, or the database was away: it waits again."""

    CLAIM = "claim"
    RETURN = "return"
    FINISH = "finish"
    FAIL = "fail"
    EXPIRE = "expire"


UNDER_WAY = (Status.ASKED, Status.MAKING)

_TABLE: dict[tuple[Status, Action], Status] = {
    (Status.ASKED, Action.CLAIM): Status.MAKING,
    (Status.MAKING, Action.RETURN): Status.ASKED,
    (Status.MAKING, Action.FINISH): Status.READY,
    (Status.MAKING, Action.FAIL): Status.FAILED,
    (Status.READY, Action.EXPIRE): Status.GONE,
}


class NotAllowed(Exception):
    """The action does not fit the status."""


def next_status(status: Status, action: Action) -> Status:
    """The status after `action`. Raises `NotAllowed`."""
    try:
        return _TABLE[status, action]
    except KeyError:
        raise NotAllowed(f"{action} while {status}") from None
