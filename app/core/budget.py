"""How long one run of a scheduled job may talk to providers: while one of them hangs, each call takes seconds."""

from __future__ import annotations

import time

SECONDS = 20.0


class Budget:
    """Counts from its making, on the real clock."""

    def __init__(self, seconds: float = SECONDS):
        self._until = time.monotonic() + seconds

    def spent(self) -> bool:
        """Whether this run should leave the rest to the next one."""
        return time.monotonic() >= self._until
