"""The status of an SMS, and what may follow what. Pure: nothing is imported from the product."""

from __future__ import annotations

from enum import StrEnum


class Status(StrEnum):
    """`unknown`: it may have gone out and may not have; it is asked for and never sent again. `sent`: the provider
    took it. `delivered`, `undelivered`: what the phone's network reported."""

    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"
    UNKNOWN = "unknown"
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"


class Action(StrEnum):
    """`drop`: what it says is no longer true. `postpone`: the provider took nothing and will later. `lose`: no
    trustworthy answer."""

    CLAIM = "claim"
    DROP = "drop"
    POSTPONE = "postpone"
    ACCEPT = "accept"
    REFUSE = "refuse"
    LOSE = "lose"
    DELIVER = "deliver"
    BOUNCE = "bounce"


class NotAllowed(Exception):
    """The action does not follow the status."""


TABLE: dict[tuple[Status, Action], Status] = {
    (Status.QUEUED, Action.CLAIM): Status.SENDING,
    (Status.QUEUED, Action.DROP): Status.FAILED,
    (Status.SENDING, Action.ACCEPT): Status.SENT,
    (Status.SENDING, Action.REFUSE): Status.FAILED,
    (Status.SENDING, Action.POSTPONE): Status.QUEUED,
    (Status.SENDING, Action.LOSE): Status.UNKNOWN,
    # the answer of a call that was given up for lost is still a fact
    (Status.UNKNOWN, Action.ACCEPT): Status.SENT,
    (Status.UNKNOWN, Action.REFUSE): Status.FAILED,
    (Status.UNKNOWN, Action.DELIVER): Status.DELIVERED,
    (Status.UNKNOWN, Action.BOUNCE): Status.UNDELIVERED,
    (Status.SENT, Action.DELIVER): Status.DELIVERED,
    (Status.SENT, Action.BOUNCE): Status.UNDELIVERED,
}

REPORTABLE = (Status.SENT, Status.UNKNOWN)  # a delivery report may still come


def next_status(status: str, action: Action) -> Status:
    """The status after `action`. Raises `NotAllowed`."""
    try:
        return TABLE[Status(status), action]
    except KeyError:
        raise NotAllowed(f"sms {status} {action}") from None
