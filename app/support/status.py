"""The status of a help ticket. Pure: a table, and nothing else."""

from __future__ import annotations

from enum import StrEnum


class Status(StrEnum):
    """waiting: the staff have to answer. asked: they want to know more. answered: they have answered, and the trainee
    may go on asking. closed: it is over."""

    WAITING = "waiting"
    ASKED = "asked"
    ANSWERED = "answered"
    CLOSED = "closed"


class Action(StrEnum):
    """What happens to a ticket. `reply`: the trainee writes again."""

    REPLY = "reply"
    ASK = "ask"
    ANSWER = "answer"
    CLOSE = "close"


_TABLE: dict[tuple[Status, Action], Status] = {
    (Status.WAITING, Action.REPLY): Status.WAITING,
    (Status.ASKED, Action.REPLY): Status.WAITING,
    (Status.ANSWERED, Action.REPLY): Status.WAITING,
    (Status.WAITING, Action.ASK): Status.ASKED,
    (Status.WAITING, Action.ANSWER): Status.ANSWERED,
    (Status.WAITING, Action.CLOSE): Status.CLOSED,
    (Status.ASKED, Action.CLOSE): Status.CLOSED,
    (Status.ANSWERED, Action.CLOSE): Status.CLOSED,
}


class NotAllowed(Exception):
    """The action does not fit the status."""


def next_status(status: Status, action: Action) -> Status:
    """The status after `action`. Raises `NotAllowed`."""
    try:
        return _TABLE[status, action]
    except KeyError:
        raise NotAllowed(f"{action} while {status}") from None
