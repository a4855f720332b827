"""A provider in trouble is left alone for a while: whoever would wait for it is told at once instead."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Lock
from types import TracebackType
from weakref import WeakSet

import structlog

log = structlog.get_logger(__name__)

FAILURES = 5  # in a row
PAUSE = 10.0  # seconds; more than any call may take
_all: WeakSet[Breaker] = WeakSet()


class Breaker:
    """`with breaker:` around each call of one provider, from the first byte sent to the last one read.

    `trouble` is the exception that says "no answer". After `FAILURES` of them in a row the breaker is open: entering
    raises `trouble` at once. After `PAUSE` seconds one call is let through to try; its answer closes the breaker, its
    failure opens it for another pause. Any other exception counts neither way. `refusal` makes the exception of an
    open breaker, where "not asked" must be told from "no answer". Per process, safe between threads."""

    def __init__(self, name: str, trouble: type[Exception], refusal: Callable[[str], Exception] | None = None):
        self.name, self._trouble, self._refusal = name, trouble, refusal or trouble
        self._lock = Lock()
        self._failures = 0
        self._until = 0.0
        _all.add(self)

    @property
    def open(self) -> bool:
        """Whether a call would be refused now."""
        with self._lock:
            return self._failures >= FAILURES and time.monotonic() < self._until

    def __enter__(self) -> None:
        with self._lock:
            if self._failures < FAILURES:
                return
            now = time.monotonic()
            if now < self._until:
                raise self._refusal(f"{self.name} is out of order")
            self._until = now + PAUSE  # this caller tries; the others wait for what comes of it

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        with self._lock:
            if kind is None:
                if self._failures >= FAILURES:
                    log.info("provider_back", provider=self.name)
                self._failures = 0
            elif issubclass(kind, self._trouble):
                self._failures += 1
                if self._failures >= FAILURES:
                    self._until = time.monotonic() + PAUSE
                    # its kind only: the text of a broken line may hold the whole address, with secrets in it
                    log.error("provider_out_of_order", provider=self.name, failures=self._failures, why=kind.__name__)

    def close(self) -> None:
        """Forget the trouble."""
        with self._lock:
            self._failures = 0


def close_all() -> None:
    """Forget all trouble of this process."""
    for breaker in list(_all):
        breaker.close()
