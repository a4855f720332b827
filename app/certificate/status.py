"""The status of a proof. Pure: a table, and nothing else."""

from __future__ import annotations

from enum import StrEnum


class Status(StrEnum):
    """pending_photo: earned, but a proof without a photo is void, and there is none yet. valid: issued.
    revoked: no longer good; its page says so."""

    PENDING_PHOTO = "pending_photo"
    VALID = "valid"
    REVOKED = "revoked"


class Action(StrEnum):
    """What happens to a proof."""

    ISSUE = "issue"
    REVOKE = "revoke"


_TABLE: dict[tuple[Status, Action], Status] = {
    (Status.PENDING_PHOTO, Action.ISSUE): Status.VALID,
    (Status.VALID, Action.REVOKE): Status.REVOKED,
}


class NotAllowed(Exception):
    """The action does not fit the status: a proof is issued once, and never comes back."""


def next_status(status: Status, action: Action) -> Status:
    """The status after `action`. Raises `NotAllowed`."""
    try:
        return _TABLE[status, action]
    except KeyError:
        raise NotAllowed(f"{action} while {status}") from None
