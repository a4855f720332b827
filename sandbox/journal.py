"""What was asked of the sandbox, for tests that must show "no outgoing call": ids only, and bounded."""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from typing import Any

KEPT = 1000


class Journal:
    """Counts by provider and operation, the last requests, and the last notifications sent."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.page = 0  # begun anew by `clear`: a call that began on an earlier page is not told on this one
        self._counts: Counter[tuple[str, str]] = Counter()
        self._requests: deque[dict[str, Any]] = deque(maxlen=KEPT)
        self._notifications: deque[dict[str, Any]] = deque(maxlen=KEPT)

    def request(self, page: int, provider: str, operation: str, method: str, path: str, status: int) -> None:
        """A call that arrived on `page` ended with HTTP `status` (0: the connection was reset). `path` has no
        query."""
        with self._lock:
            if page != self.page:
                return
            self._counts[provider, operation] += 1
            self._requests.append(
                {
                    "provider": provider,
                    "operation": operation,
                    "method": method,
                    "path": path,
                    "status": status,
                    "at": round(time.time(), 3),
                }
            )

    def notification(self, event: str, key: str, attempt: int, status: int) -> None:
        """A notification was sent; `status` is the receiver's, 0 where it did not answer."""
        with self._lock:
            self._notifications.append(
                {"event": event, "key": key, "attempt": attempt, "status": status, "at": round(time.time(), 3)}
            )

    def count(self, provider: str, operation: str | None = None) -> int:
        """How many calls `provider` has seen (of one operation, or of all)."""
        with self._lock:
            return sum(n for (p, o), n in self._counts.items() if p == provider and operation in (None, o))

    def clear(self) -> None:
        """Start counting anew."""
        with self._lock:
            self.page += 1
            self._counts.clear()
            self._requests.clear()
            self._notifications.clear()

    def report(self) -> dict[str, Any]:
        """The answer of `GET /_log`."""
        with self._lock:
            counts: dict[str, dict[str, int]] = {}
            for (provider, operation), n in self._counts.items():
                counts.setdefault(provider, {})[operation] = n
            return {
                "counts": counts,
                "requests": list(self._requests),
                "notifications": list(self._notifications),
            }
