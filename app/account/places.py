"""In which programmes somebody has an account: the domain that keeps the rosters says it
(docs/decisions/0081-the-wrong-programme.md)."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime

from app.policy import load
from app.policy.schema import Programme

Rosters = Callable[[str], Collection[str]]
_rosters: list[Rosters] = []


def on_rosters(rosters_of: Rosters) -> None:
    """`rosters_of(person_id)` gives the programmes on whose rosters a person stands; told once a process."""
    _rosters[:] = [rosters_of]


def elsewhere(chosen: Programme, person_id: str | None, *, now: datetime) -> list[Programme]:
    """Where somebody's account is, if `chosen` opens accounts by its roster and they are on others only: those that
    are open. For nobody (None) the rosters are read too: an ID number that is known costs no more (fault L5)."""
    places = _rosters[0](person_id or "")
    if chosen.login.person.registration != "roster" or chosen.key in places:
        return []
    return [each for each in load.all_in_force(now) if each.key in places]
