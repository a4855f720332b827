"""The status of an invoice, and what may follow what. Pure: nothing is imported from the product."""

from __future__ import annotations

from enum import StrEnum


class Status(StrEnum):
    """`waiting`: planned, nothing was asked of the vendor. `sending`: the call is under way. `unknown`: its answer
    was lost; the vendor is asked by our number. `issuing`: the vendor has it. `issued`: it exists, its file is not
    here yet. `ready`: it can be downloaded. `refused`: the vendor issued nothing; a person decides. `disputed`: the
    vendor issued something else than was asked for, or voided it; a person decides. `cancelled`: none is due any
    more."""

    WAITING = "waiting"
    SENDING = "sending"
    UNKNOWN = "unknown"
    ISSUING = "issuing"
    ISSUED = "issued"
    READY = "ready"
    REFUSED = "refused"
    DISPUTED = "disputed"
    CANCELLED = "cancelled"


class Action(StrEnum):
    """`postpone`: the vendor took nothing and will later. `lose`: no trustworthy answer. `take`: the vendor has it.
    `file`: the file is in our store. `retry`, `accept`: what a person decides."""

    SEND = "send"
    POSTPONE = "postpone"
    LOSE = "lose"
    TAKE = "take"
    ISSUE = "issue"
    REFUSE = "refuse"
    DISPUTE = "dispute"
    FILE = "file"
    RETRY = "retry"
    ACCEPT = "accept"
    CANCEL = "cancel"


class NotAllowed(Exception):
    """The action does not follow the status."""


TABLE: dict[tuple[Status, Action], Status] = {
    (Status.WAITING, Action.SEND): Status.SENDING,
    (Status.WAITING, Action.CANCEL): Status.CANCELLED,
    (Status.SENDING, Action.POSTPONE): Status.WAITING,
    (Status.SENDING, Action.LOSE): Status.UNKNOWN,
    (Status.SENDING, Action.TAKE): Status.ISSUING,
    (Status.SENDING, Action.ISSUE): Status.ISSUED,
    (Status.SENDING, Action.REFUSE): Status.REFUSED,
    (Status.SENDING, Action.DISPUTE): Status.DISPUTED,
    (Status.UNKNOWN, Action.SEND): Status.SENDING,  # the vendor has nothing under our number
    (Status.UNKNOWN, Action.TAKE): Status.ISSUING,
    (Status.UNKNOWN, Action.ISSUE): Status.ISSUED,
    (Status.UNKNOWN, Action.REFUSE): Status.REFUSED,
    (Status.UNKNOWN, Action.DISPUTE): Status.DISPUTED,
    (Status.UNKNOWN, Action.CANCEL): Status.CANCELLED,  # it has nothing, and the money has gone back meanwhile
    (Status.ISSUING, Action.ISSUE): Status.ISSUED,
    (Status.ISSUING, Action.REFUSE): Status.REFUSED,
    (Status.ISSUING, Action.DISPUTE): Status.DISPUTED,
    (Status.ISSUED, Action.FILE): Status.READY,
    (Status.ISSUED, Action.DISPUTE): Status.DISPUTED,  # made void before its file was here
    (Status.REFUSED, Action.RETRY): Status.WAITING,
    (Status.REFUSED, Action.CANCEL): Status.CANCELLED,
    (Status.DISPUTED, Action.ACCEPT): Status.ISSUED,
}

AT_VENDOR = (Status.ISSUED, Status.READY, Status.DISPUTED)  # an invoice exists
OVER = (Status.READY, Status.CANCELLED)


def next_status(status: str, action: str) -> Status:
    """The status after `action`. Raises `NotAllowed`."""
    try:
        return TABLE[Status(status), Action(action)]
    except KeyError:
        raise NotAllowed(f"invoice {status} {action}") from None
