"""In whose hand an actor's account is: their own, or for a time that of who made it. The rule that two people decide
asks this, here alone. Cases know no accounts: `staff`, which does, says so when it starts."""

from __future__ import annotations

from collections.abc import Callable

from app.cases.errors import CASE_SAME_HAND, CASE_SECOND_LOOK

_hand_of: list[Callable[[str], str]] = []


def told_by(hand_of: Callable[[str], str]) -> None:
    """From now on `hand_of` says so, of an actor; one a process."""
    _hand_of[:] = [hand_of]


def same(first: str, second: str) -> bool:
    """Whether one person may be behind both."""
    return _hand_of[0](first) == _hand_of[0](second)


def require_another(first: str, second: str) -> None:
    """Raises `case_second_look` (it is one's own), `case_same_hand`."""
    if first == second:
        raise CASE_SECOND_LOOK()
    if same(first, second):
        raise CASE_SAME_HAND()
