"""What may follow what: a scanned ticket, and a leave to send one message. Pure: nothing is imported."""

from __future__ import annotations

from enum import StrEnum


class NotAllowed(ValueError):
    """The action does not exist in this status."""


class TicketStatus(StrEnum):
    """WAITING: the web page shows the code. SCANNED: a signed-in phone has opened it. CONFIRMED: its person said yes.
    USED: the web page has got what it asked for. DENIED: "that is not me". A ticket whose time is over is told as
    EXPIRED, which no row says."""

    WAITING = "waiting"
    SCANNED = "scanned"
    CONFIRMED = "confirmed"
    USED = "used"
    DENIED = "denied"
    EXPIRED = "expired"


class TicketAction(StrEnum):
    SCAN = "scan"
    CONFIRM = "confirm"
    DENY = "deny"
    USE = "use"


_TICKET: dict[tuple[TicketStatus, TicketAction], TicketStatus] = {
    (TicketStatus.WAITING, TicketAction.SCAN): TicketStatus.SCANNED,
    (TicketStatus.SCANNED, TicketAction.CONFIRM): TicketStatus.CONFIRMED,
    (TicketStatus.SCANNED, TicketAction.DENY): TicketStatus.DENIED,
    (TicketStatus.CONFIRMED, TicketAction.DENY): TicketStatus.DENIED,  # a thumb that was too quick
    (TicketStatus.CONFIRMED, TicketAction.USE): TicketStatus.USED,
}


def next_ticket_status(status: str, action: TicketAction) -> TicketStatus:
    """The ticket's status after `action`. Raises `NotAllowed`."""
    try:
        return _TICKET[TicketStatus(status), action]
    except KeyError:
        raise NotAllowed(f"ticket {status} {action}") from None


class LeaveStatus(StrEnum):
    """STANDING: the person allows one message of this kind. QUEUED: one has taken it. SENDING: WeChat is being
    called. SENT: WeChat took it. REFUSED: it did not. UNKNOWN: no trustworthy answer; it is not sent again. VOID:
    WeChat told us at another message that there is no leave any more."""

    STANDING = "standing"
    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    VOID = "void"


class LeaveAction(StrEnum):
    TAKE = "take"
    BEGIN = "begin"
    ACCEPT = "accept"
    REFUSE = "refuse"
    LOSE = "lose"
    VOID = "void"


_LEAVE: dict[tuple[LeaveStatus, LeaveAction], LeaveStatus] = {
    (LeaveStatus.STANDING, LeaveAction.TAKE): LeaveStatus.QUEUED,
    (LeaveStatus.STANDING, LeaveAction.VOID): LeaveStatus.VOID,
    (LeaveStatus.QUEUED, LeaveAction.BEGIN): LeaveStatus.SENDING,
    (LeaveStatus.QUEUED, LeaveAction.REFUSE): LeaveStatus.REFUSED,
    (LeaveStatus.SENDING, LeaveAction.ACCEPT): LeaveStatus.SENT,
    (LeaveStatus.SENDING, LeaveAction.REFUSE): LeaveStatus.REFUSED,
    (LeaveStatus.SENDING, LeaveAction.LOSE): LeaveStatus.UNKNOWN,
}


def next_leave_status(status: str, action: LeaveAction) -> LeaveStatus:
    """The status of a leave after `action`. Raises `NotAllowed`."""
    try:
        return _LEAVE[LeaveStatus(status), action]
    except KeyError:
        raise NotAllowed(f"leave {status} {action}") from None
