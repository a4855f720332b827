"""The status of an invoice, and of the red-letter one that takes it back, and what may follow what. Pure: nothing is
imported from the product."""

from __future__ import annotations

from enum import StrEnum


class Status(StrEnum):
    """`waiting`: planned, nothing was asked of the vendor. `sending`: the call is under way. `unknown`: its answer
    was lost; the vendor is asked by our number. `issuing`: the vendor has it. `issued`: it exists, its file is not
    here yet. `ready`: it can be downloaded. `refused`: the vendor issued nothing; a person decides. `disputed`: the
    vendor issued something else than was asked for, or voided it; a person decides. `cancelled`: none is due any
    more. `reversed`: it was issued, and a red-letter invoice took it back."""

    WAITING = "waiting"
    SENDING = "sending"
    UNKNOWN = "unknown"
    ISSUING = "issuing"
    ISSUED = "issued"
    READY = "ready"
    REFUSED = "refused"
    DISPUTED = "disputed"
    CANCELLED = "cancelled"
    REVERSED = "reversed"


class Action(StrEnum):
    """`postpone`: the vendor took nothing and will later. `lose`: no trustworthy answer. `take`: the vendor has it.
    `file`: the file is in our store. `retry`, `accept`: what a person decides. `reverse`: its red letter is there.
    `enter`: staff issued it in the bureau's own system."""

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
    REVERSE = "reverse"
    ENTER = "enter"


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
    (Status.DISPUTED, Action.CANCEL): Status.CANCELLED,  # voided at the vendor: there is nothing to take back
    (Status.ISSUED, Action.REVERSE): Status.REVERSED,
    (Status.READY, Action.REVERSE): Status.REVERSED,
    (Status.DISPUTED, Action.REVERSE): Status.REVERSED,
}

AT_VENDOR = (Status.ISSUED, Status.READY, Status.DISPUTED)  # an invoice exists
ENDED = (Status.CANCELLED, Status.REVERSED)  # another one of the order may follow


def next_status(status: str, action: str) -> Status:
    """The status after `action`. Raises `NotAllowed`."""
    try:
        return TABLE[Status(status), Action(action)]
    except KeyError:
        raise NotAllowed(f"invoice {status} {action}") from None


class RedStatus(StrEnum):
    """The red-letter invoice of one that is at the vendor. `planned`: decided, nothing was asked of the vendor.
    `sending`, `unknown`: as of an invoice. `applied`: the vendor has our form, and the tax bureau, or the buyer, has
    not answered yet. `issued`: the red-letter invoice exists. `refused`: none came of it; a person decides.
    `withdrawn`: a person decided that there is to be none."""

    PLANNED = "planned"
    SENDING = "sending"
    UNKNOWN = "unknown"
    APPLIED = "applied"
    ISSUED = "issued"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


RED: dict[tuple[RedStatus, Action], RedStatus] = {
    (RedStatus.PLANNED, Action.SEND): RedStatus.SENDING,
    (RedStatus.SENDING, Action.POSTPONE): RedStatus.PLANNED,
    (RedStatus.SENDING, Action.LOSE): RedStatus.UNKNOWN,
    (RedStatus.SENDING, Action.TAKE): RedStatus.APPLIED,
    (RedStatus.SENDING, Action.ISSUE): RedStatus.ISSUED,
    (RedStatus.SENDING, Action.REFUSE): RedStatus.REFUSED,
    (RedStatus.UNKNOWN, Action.SEND): RedStatus.SENDING,  # the vendor has nothing under our number
    (RedStatus.UNKNOWN, Action.TAKE): RedStatus.APPLIED,
    (RedStatus.UNKNOWN, Action.ISSUE): RedStatus.ISSUED,
    (RedStatus.UNKNOWN, Action.REFUSE): RedStatus.REFUSED,
    (RedStatus.APPLIED, Action.ISSUE): RedStatus.ISSUED,
    (RedStatus.APPLIED, Action.REFUSE): RedStatus.REFUSED,
    (RedStatus.REFUSED, Action.RETRY): RedStatus.PLANNED,
    (RedStatus.REFUSED, Action.CANCEL): RedStatus.WITHDRAWN,
    (RedStatus.REFUSED, Action.ACCEPT): RedStatus.ISSUED,  # it exists, of another amount, and is taken as it is
    (RedStatus.WITHDRAWN, Action.RETRY): RedStatus.PLANNED,
    (RedStatus.PLANNED, Action.ENTER): RedStatus.ISSUED,
    (RedStatus.APPLIED, Action.ENTER): RedStatus.ISSUED,
    (RedStatus.REFUSED, Action.ENTER): RedStatus.ISSUED,
    (RedStatus.WITHDRAWN, Action.ENTER): RedStatus.ISSUED,
}

RED_WORKED_ON = (RedStatus.PLANNED, RedStatus.SENDING, RedStatus.UNKNOWN, RedStatus.APPLIED)
RED_OPEN = (*RED_WORKED_ON, RedStatus.REFUSED)


def next_red(status: str, action: str) -> RedStatus:
    """The red letter's status after `action`. Raises `NotAllowed`."""
    try:
        return RED[RedStatus(status), Action(action)]
    except KeyError:
        raise NotAllowed(f"red letter {status} {action}") from None


class MailStatus(StrEnum):
    """A message by e-mail. `sending`: a call is under way. `unknown`: whether the mail server took it was not heard;
    it is never sent again by itself. `failed`: it was not sent, and will not be."""

    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    UNKNOWN = "unknown"
    FAILED = "failed"


MAIL: dict[tuple[MailStatus, Action], MailStatus] = {
    (MailStatus.QUEUED, Action.SEND): MailStatus.SENDING,
    (MailStatus.SENDING, Action.TAKE): MailStatus.SENT,
    (MailStatus.SENDING, Action.LOSE): MailStatus.UNKNOWN,
    (MailStatus.SENDING, Action.POSTPONE): MailStatus.QUEUED,  # the server took nothing
    (MailStatus.SENDING, Action.REFUSE): MailStatus.FAILED,
}


def next_mail(status: str, action: str) -> MailStatus:
    """The message's status after `action`. Raises `NotAllowed`."""
    try:
        return MAIL[MailStatus(status), Action(action)]
    except KeyError:
        raise NotAllowed(f"mail {status} {action}") from None
