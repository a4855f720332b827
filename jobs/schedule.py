"""What runs when. Each entry is idempotent, bounded per run, and finds its work in SQL: running it twice, late, or on
two hosts changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from app.core import db, inbox, outbox

QUEUED = "cron:queued:{}"  # the mark, in Redis, of a run that waits for a worker


@dataclass(frozen=True)
class Entry:
    """Run `run(now=…)` every `seconds`."""

    name: str
    seconds: int
    run: Callable[..., object]


SCHEDULE: tuple[Entry, ...] = (
    Entry("outbox.sweep", seconds=5, run=outbox.sweep),
    Entry("inbox.sweep", seconds=5, run=inbox.sweep),
)


def run(name: str, *, now: datetime) -> object:
    """Run the entry called `name`. Raises `KeyError` if there is none."""
    entry = {entry.name: entry for entry in SCHEDULE}[name]
    with db.connection():
        return entry.run(now=now)
