"""Tells the person of a decision. Cases know no messages: `notify`, which does, says so when it starts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from app.cases.kinds import Message
from app.cases.models import Case


@dataclass(frozen=True)
class Preview:
    """What the person will read. `hindrance`: why nothing will be sent, or None."""

    text: str
    hindrance: str | None


class Courier(Protocol):
    """Sends messages, and says beforehand what they will be."""

    def send(self, person_id: str, programme: str, message: Message, key: str, *, now: datetime) -> None: ...

    def preview(self, person_id: str, programme: str, message: Message, *, now: datetime) -> Preview: ...


_courier: list[Courier] = []


def sent_by(courier: Courier) -> None:
    """From now on `courier` sends; one a process."""
    _courier[:] = [courier]


def send(case: Case, message: Message, *, now: datetime) -> None:
    """Tell the case's person, in the caller's transaction; once, however often."""
    if case.person_id is not None:
        _courier[0].send(case.person_id, case.programme, message, f"case:{case.id}", now=now)


def preview(case: Case, message: Message, *, now: datetime) -> Preview | None:
    """What they will read; None where the case is about nobody."""
    if case.person_id is None:
        return None
    return _courier[0].preview(case.person_id, case.programme, message, now=now)
