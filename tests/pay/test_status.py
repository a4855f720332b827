"""The truth tables of orders, attempts and refunds, written out: what is not listed is refused."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Any

import pytest

from app.pay.status import (
    AttemptAction,
    AttemptStatus,
    NotAllowed,
    OrderAction,
    OrderStatus,
    RefundAction,
    RefundStatus,
    next_attempt,
    next_order,
    next_refund,
)

ORDERS = {
    ("pending", "pay"): "paid",
    ("pending", "start_closing"): "closing",
    ("closing", "pay"): "paid",
    ("closing", "close"): "closed",
}
ATTEMPTS = {
    ("created", "open"): "waiting",
    ("created", "doubt"): "unknown",
    ("created", "pay"): "paid",
    ("created", "close"): "closed",
    ("created", "dispute"): "disputed",
    ("waiting", "pay"): "paid",
    ("waiting", "close"): "closed",
    ("waiting", "dispute"): "disputed",
    ("unknown", "open"): "waiting",
    ("unknown", "pay"): "paid",
    ("unknown", "close"): "closed",
    ("unknown", "dispute"): "disputed",
    ("closed", "pay"): "paid",
    ("closed", "dispute"): "disputed",
    ("disputed", "give_back"): "returned",
    ("disputed", "dismiss"): "closed",
}
REFUNDS = {
    ("requested", "accept"): "processing",
    ("requested", "succeed"): "succeeded",
    ("requested", "fail"): "failed",
    ("processing", "succeed"): "succeeded",
    ("processing", "fail"): "failed",
    ("failed", "retry"): "requested",
    ("requested", "leave"): "elsewhere",
    ("failed", "leave"): "elsewhere",
}
KINDS: list[tuple[Callable[[str, str], str], type[StrEnum], type[StrEnum], dict[Any, str]]] = [
    (next_order, OrderStatus, OrderAction, ORDERS),
    (next_attempt, AttemptStatus, AttemptAction, ATTEMPTS),
    (next_refund, RefundStatus, RefundAction, REFUNDS),
]


@pytest.mark.parametrize(
    ("next_status", "table", "status", "action"),
    [
        pytest.param(next_status, table, status, action, id=f"{next_status.__name__}-{status}-{action}")
        for next_status, statuses, actions, table in KINDS
        for status in statuses
        for action in actions
    ],
)
def test_each_action_leads_where_the_table_says_or_is_refused(
    next_status: Callable[[str, str], str], table: dict[Any, str], status: str, action: str
) -> None:
    if (status, action) in table:
        assert next_status(status, action) == table[status, action]
    else:
        with pytest.raises(NotAllowed):
            next_status(status, action)


@pytest.mark.parametrize(("next_status", "statuses", "actions", "table"), KINDS)
def test_no_status_is_reached_again_unless_a_person_retries_a_refund(
    next_status: object, statuses: type[StrEnum], actions: object, table: dict[Any, str]
) -> None:
    for first in statuses:
        seen, reached = set[str](), {str(first)}
        while reached - seen:
            seen |= reached
            reached = {after for (before, action), after in table.items() if before in reached and action != "retry"}
        assert first not in reached
