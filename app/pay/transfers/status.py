"""Statuses of a bank statement, of its lines and of money that is transferred back. Pure: nothing is imported from
the product."""

from __future__ import annotations

from enum import StrEnum


class StatementStatus(StrEnum):
    """`draft`: uploaded and shown, nothing counts yet. `taking`: its lines are being taken in. `taken`: all are."""

    DRAFT = "draft"
    TAKING = "taking"
    TAKEN = "taken"


class StatementAction(StrEnum):
    CONFIRM = "confirm"
    FINISH = "finish"


class LineStatus(StrEnum):
    """`draft`: of a statement that is only shown. `repeated`: it was taken in before, and counts nothing. `new`:
    taken in, and not looked at yet. `settled`: it pays an order, or a part of it does and the rest goes back. `open`:
    before a person. `held`: too little; the payer is asked for the rest. `returned`: all of it goes back. `aside`:
    nothing of ours."""

    DRAFT = "draft"
    REPEATED = "repeated"
    NEW = "new"
    SETTLED = "settled"
    OPEN = "open"
    HELD = "held"
    RETURNED = "returned"
    ASIDE = "aside"


class LineAction(StrEnum):
    TAKE = "take"
    REPEAT = "repeat"
    SETTLE = "settle"
    ASK = "ask"
    HOLD = "hold"
    GIVE_BACK = "give_back"
    SET_ASIDE = "set_aside"


class OutgoingStatus(StrEnum):
    """A line of money that went. `draft`, `repeated`: as of income. `matched`: it is one of our payouts. `open`:
    before a person. `aside`: nothing of ours."""

    DRAFT = "draft"
    REPEATED = "repeated"
    MATCHED = "matched"
    OPEN = "open"
    ASIDE = "aside"


class OutgoingAction(StrEnum):
    REPEAT = "repeat"
    MATCH = "match"
    ASK = "ask"
    SET_ASIDE = "set_aside"


class Gone(StrEnum):
    """What money that went is, beside our payouts: one of them (`payout`), one that nobody has written down as
    transferred yet (`early`), or why it is none."""

    PAYOUT = "payout"
    EARLY = "early"
    NOTHING = "nothing"
    AMOUNT = "amount"
    TWICE = "twice"
    REVERSAL = "reversal"


class PayoutStatus(StrEnum):
    """`requested`: somebody in finance has to transfer it. `sent`: done, with the bank's reference, seen by two."""

    REQUESTED = "requested"
    SENT = "sent"


class PayoutAction(StrEnum):
    SEND = "send"


class Finding(StrEnum):
    """What a line is, beside the orders that wait: it pays one exactly (`exact`), or why it does not by itself."""

    EXACT = "exact"
    NO_CODE = "no_code"
    SLIP = "slip"
    UNKNOWN = "unknown"
    SEVERAL = "several"
    PAYER = "payer"
    SHORT = "short"
    OVER = "over"
    PAID = "paid"
    CLOSED = "closed"
    REVERSAL = "reversal"
    CONFLICT = "conflict"


class NotAllowed(Exception):
    """The action does not follow the status."""


STATEMENT: dict[tuple[StatementStatus, StatementAction], StatementStatus] = {
    (StatementStatus.DRAFT, StatementAction.CONFIRM): StatementStatus.TAKING,
    (StatementStatus.TAKING, StatementAction.FINISH): StatementStatus.TAKEN,
}

LINE: dict[tuple[LineStatus, LineAction], LineStatus] = {
    (LineStatus.DRAFT, LineAction.TAKE): LineStatus.NEW,
    (LineStatus.DRAFT, LineAction.REPEAT): LineStatus.REPEATED,
    (LineStatus.NEW, LineAction.SETTLE): LineStatus.SETTLED,
    (LineStatus.NEW, LineAction.ASK): LineStatus.OPEN,
    (LineStatus.OPEN, LineAction.SETTLE): LineStatus.SETTLED,
    (LineStatus.OPEN, LineAction.HOLD): LineStatus.HELD,
    (LineStatus.OPEN, LineAction.GIVE_BACK): LineStatus.RETURNED,
    (LineStatus.OPEN, LineAction.SET_ASIDE): LineStatus.ASIDE,
    (LineStatus.HELD, LineAction.SETTLE): LineStatus.SETTLED,
    (LineStatus.HELD, LineAction.ASK): LineStatus.OPEN,
    (LineStatus.HELD, LineAction.GIVE_BACK): LineStatus.RETURNED,
}

OUTGOING: dict[tuple[OutgoingStatus, OutgoingAction], OutgoingStatus] = {
    (OutgoingStatus.DRAFT, OutgoingAction.REPEAT): OutgoingStatus.REPEATED,
    (OutgoingStatus.DRAFT, OutgoingAction.MATCH): OutgoingStatus.MATCHED,
    (OutgoingStatus.DRAFT, OutgoingAction.ASK): OutgoingStatus.OPEN,
    (OutgoingStatus.OPEN, OutgoingAction.MATCH): OutgoingStatus.MATCHED,
    (OutgoingStatus.OPEN, OutgoingAction.SET_ASIDE): OutgoingStatus.ASIDE,
}

PAYOUT: dict[tuple[PayoutStatus, PayoutAction], PayoutStatus] = {
    (PayoutStatus.REQUESTED, PayoutAction.SEND): PayoutStatus.SENT,
}

COUNTS = (LineStatus.NEW, LineStatus.SETTLED, LineStatus.OPEN, LineStatus.HELD, LineStatus.RETURNED, LineStatus.ASIDE)


def next_statement(status: str, action: str) -> StatementStatus:
    """The statement's status after `action`. Raises `NotAllowed`."""
    try:
        return STATEMENT[StatementStatus(status), StatementAction(action)]
    except KeyError:
        raise NotAllowed(f"statement {status} {action}") from None


def next_line(status: str, action: str) -> LineStatus:
    """The line's status after `action`. Raises `NotAllowed`."""
    try:
        return LINE[LineStatus(status), LineAction(action)]
    except KeyError:
        raise NotAllowed(f"line {status} {action}") from None


def next_outgoing(status: str, action: str) -> OutgoingStatus:
    """The status of money that went, after `action`. Raises `NotAllowed`."""
    try:
        return OUTGOING[OutgoingStatus(status), OutgoingAction(action)]
    except KeyError:
        raise NotAllowed(f"outgoing line {status} {action}") from None


def next_payout(status: str, action: str) -> PayoutStatus:
    """The payout's status after `action`. Raises `NotAllowed`."""
    try:
        return PAYOUT[PayoutStatus(status), PayoutAction(action)]
    except KeyError:
        raise NotAllowed(f"payout {status} {action}") from None
