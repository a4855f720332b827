"""The status of an announcement. Pure: a table, and nothing else."""

from __future__ import annotations

from enum import StrEnum


class Status(StrEnum):
    """draft: only staff see it. published: its readers do, from its first moment to its last. withdrawn: nobody does
    any more; who had read it stays known."""

    DRAFT = "draft"
    PUBLISHED = "published"
    WITHDRAWN = "withdrawn"


class Action(StrEnum):
    """What happens to an announcement. A published one is not changed: what was read stays as it was read."""

    CHANGE = "change"
    PUBLISH = "publish"
    WITHDRAW = "withdraw"


_TABLE: dict[tuple[Status, Action], Status] = {
    (Status.DRAFT, Action.CHANGE): Status.DRAFT,
    (Status.DRAFT, Action.PUBLISH): Status.PUBLISHED,
    (Status.PUBLISHED, Action.WITHDRAW): Status.WITHDRAWN,
}


class NotAllowed(Exception):
    """The action does not fit the status."""


def next_status(status: str, action: Action) -> Status:
    """The status after `action`. Raises `NotAllowed`."""
    try:
        return _TABLE[Status(status), action]
    except KeyError:
        raise NotAllowed(f"{action} while {status}") from None
