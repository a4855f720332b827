"""Statuses of money, and what may follow what. Pure: nothing is imported from the product."""

from __future__ import annotations

from enum import StrEnum


class OrderStatus(StrEnum):
    """`closing`: closed here, not yet at the provider; money found meanwhile still pays it. `closed` is final."""

    PENDING = "pending"
    CLOSING = "closing"
    PAID = "paid"
    CLOSED = "closed"


class OrderAction(StrEnum):
    PAY = "pay"
    START_CLOSING = "start_closing"
    CLOSE = "close"


class AttemptStatus(StrEnum):
    """`created`: our row stands, the provider has not answered yet. `unknown`: its answer was lost; it is asked for.
    A `closed` attempt that turns out to be paid becomes `paid`: captured money is a fact, and is then refunded.
    `disputed`: the provider's word does not fit what we asked for (another amount, currency, merchant); it grants
    nothing, and only a person takes it further: to `returned`, whose captured money goes back."""

    CREATED = "created"
    WAITING = "waiting"
    UNKNOWN = "unknown"
    PAID = "paid"
    CLOSED = "closed"
    DISPUTED = "disputed"
    RETURNED = "returned"


class AttemptAction(StrEnum):
    OPEN = "open"
    DOUBT = "doubt"
    PAY = "pay"
    CLOSE = "close"
    DISPUTE = "dispute"
    GIVE_BACK = "give_back"
    DISMISS = "dismiss"


class RefundStatus(StrEnum):
    """`requested`: our row stands. `processing`: the provider has it. `failed`: a person must look, and may have
    it sent again under its number. `elsewhere`: the money was given back in another way; it is never sent again."""

    REQUESTED = "requested"
    PROCESSING = "processing"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    ELSEWHERE = "elsewhere"


class RefundAction(StrEnum):
    ACCEPT = "accept"
    SUCCEED = "succeed"
    FAIL = "fail"
    RETRY = "retry"
    LEAVE = "leave"


class NotAllowed(Exception):
    """The action does not follow the status."""


ORDER: dict[tuple[OrderStatus, OrderAction], OrderStatus] = {
    (OrderStatus.PENDING, OrderAction.PAY): OrderStatus.PAID,
    (OrderStatus.PENDING, OrderAction.START_CLOSING): OrderStatus.CLOSING,
    (OrderStatus.CLOSING, OrderAction.PAY): OrderStatus.PAID,
    (OrderStatus.CLOSING, OrderAction.CLOSE): OrderStatus.CLOSED,
}

ATTEMPT: dict[tuple[AttemptStatus, AttemptAction], AttemptStatus] = {
    (AttemptStatus.CREATED, AttemptAction.OPEN): AttemptStatus.WAITING,
    (AttemptStatus.CREATED, AttemptAction.DOUBT): AttemptStatus.UNKNOWN,
    (AttemptStatus.CREATED, AttemptAction.PAY): AttemptStatus.PAID,
    (AttemptStatus.CREATED, AttemptAction.CLOSE): AttemptStatus.CLOSED,
    (AttemptStatus.CREATED, AttemptAction.DISPUTE): AttemptStatus.DISPUTED,
    (AttemptStatus.WAITING, AttemptAction.PAY): AttemptStatus.PAID,
    (AttemptStatus.WAITING, AttemptAction.CLOSE): AttemptStatus.CLOSED,
    (AttemptStatus.WAITING, AttemptAction.DISPUTE): AttemptStatus.DISPUTED,
    (AttemptStatus.UNKNOWN, AttemptAction.OPEN): AttemptStatus.WAITING,
    (AttemptStatus.UNKNOWN, AttemptAction.PAY): AttemptStatus.PAID,
    (AttemptStatus.UNKNOWN, AttemptAction.CLOSE): AttemptStatus.CLOSED,
    (AttemptStatus.UNKNOWN, AttemptAction.DISPUTE): AttemptStatus.DISPUTED,
    (AttemptStatus.CLOSED, AttemptAction.PAY): AttemptStatus.PAID,
    (AttemptStatus.CLOSED, AttemptAction.DISPUTE): AttemptStatus.DISPUTED,
    (AttemptStatus.DISPUTED, AttemptAction.GIVE_BACK): AttemptStatus.RETURNED,
    (AttemptStatus.DISPUTED, AttemptAction.DISMISS): AttemptStatus.CLOSED,
}

REFUND: dict[tuple[RefundStatus, RefundAction], RefundStatus] = {
    (RefundStatus.REQUESTED, RefundAction.ACCEPT): RefundStatus.PROCESSING,
    (RefundStatus.REQUESTED, RefundAction.SUCCEED): RefundStatus.SUCCEEDED,
    (RefundStatus.REQUESTED, RefundAction.FAIL): RefundStatus.FAILED,
    (RefundStatus.PROCESSING, RefundAction.SUCCEED): RefundStatus.SUCCEEDED,
    (RefundStatus.PROCESSING, RefundAction.FAIL): RefundStatus.FAILED,
    (RefundStatus.FAILED, RefundAction.RETRY): RefundStatus.REQUESTED,
    (RefundStatus.REQUESTED, RefundAction.LEAVE): RefundStatus.ELSEWHERE,
    (RefundStatus.FAILED, RefundAction.LEAVE): RefundStatus.ELSEWHERE,
}

CAPTURED = (AttemptStatus.PAID, AttemptStatus.RETURNED)
OPEN_ATTEMPTS = (AttemptStatus.CREATED, AttemptStatus.WAITING, AttemptStatus.UNKNOWN)
OPEN_REFUNDS = (RefundStatus.REQUESTED, RefundStatus.PROCESSING)


def next_order(status: str, action: str) -> OrderStatus:
    """The order's status after `action`. Raises `NotAllowed`."""
    try:
        return ORDER[OrderStatus(status), OrderAction(action)]
    except KeyError:
        raise NotAllowed(f"order {status} {action}") from None


def next_attempt(status: str, action: str) -> AttemptStatus:
    """The attempt's status after `action`. Raises `NotAllowed`."""
    try:
        return ATTEMPT[AttemptStatus(status), AttemptAction(action)]
    except KeyError:
        raise NotAllowed(f"attempt {status} {action}") from None


def next_refund(status: str, action: str) -> RefundStatus:
    """The refund's status after `action`. Raises `NotAllowed`."""
    try:
        return REFUND[RefundStatus(status), RefundAction(action)]
    except KeyError:
        raise NotAllowed(f"refund {status} {action}") from None
