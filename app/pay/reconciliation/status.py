"""Statuses of a day's bill and of what does not match in it. Pure: nothing is imported from the product."""

from __future__ import annotations

from enum import StrEnum


class BillStatus(StrEnum):
    """`waiting`: the provider has not given it yet. `fetched`: all its lines are here. `open`: some of them, or some
    of our rows, do not match. `balanced`: every line matches. `explained`: a person explained what does not."""

    WAITING = "waiting"
    FETCHED = "fetched"
    OPEN = "open"
    BALANCED = "balanced"
    EXPLAINED = "explained"


class BillAction(StrEnum):
    FETCH = "fetch"
    DIFFER = "differ"
    BALANCE = "balance"
    EXPLAIN = "explain"


class Finding(StrEnum):
    """What became of a line. `missing_here`: the provider has money, or gave some back, and we do not know of it.
    `missing_there`: we believe it, and no bill has it. `amount`, `status`: both know it, in another way. `duplicate`:
    what we have once is in a bill twice."""

    MATCH = "match"
    MISSING_HERE = "missing_here"
    MISSING_THERE = "missing_there"
    AMOUNT = "amount"
    STATUS = "status"
    DUPLICATE = "duplicate"


class DifferenceStatus(StrEnum):
    """`settled`: it matches by now. `explained`: a person said why it will not, and what was done about it."""

    OPEN = "open"
    SETTLED = "settled"
    EXPLAINED = "explained"


class NotAllowed(Exception):
    """The action does not follow the status."""


BILL: dict[tuple[BillStatus, BillAction], BillStatus] = {
    (BillStatus.WAITING, BillAction.FETCH): BillStatus.FETCHED,
    (BillStatus.FETCHED, BillAction.DIFFER): BillStatus.OPEN,
    (BillStatus.FETCHED, BillAction.BALANCE): BillStatus.BALANCED,
    (BillStatus.FETCHED, BillAction.EXPLAIN): BillStatus.EXPLAINED,
    (BillStatus.OPEN, BillAction.BALANCE): BillStatus.BALANCED,
    (BillStatus.OPEN, BillAction.EXPLAIN): BillStatus.EXPLAINED,
}


def next_bill(status: str, action: str) -> BillStatus:
    """The bill's status after `action`. Raises `NotAllowed`."""
    try:
        return BILL[BillStatus(status), BillAction(action)]
    except KeyError:
        raise NotAllowed(f"bill {status} {action}") from None
