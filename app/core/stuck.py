"""Tells a person of work that does not succeed by itself. The core knows no cases: wiring gives it who does."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

import structlog

log = structlog.get_logger(__name__)


class Teller(Protocol):
    """Files what is stuck, once for each `kind` and `subject`."""

    def __call__(self, kind: str, subject: str, facts: dict[str, str | int | None], *, now: datetime) -> object: ...


_tellers: list[Teller] = []


def on_stuck(teller: Teller) -> None:
    """From now on `teller` hears of stuck work; one a process."""
    _tellers[:] = [teller]


def tell(kind: str, subject: str, facts: dict[str, str | int | None], *, now: datetime) -> None:
    """The work `subject` (an id) is stuck. Told again for the same work, it changes nothing."""
    log.error("stuck", kind=kind, subject=subject)
    for teller in _tellers:
        teller(kind, subject, facts, now=now)
