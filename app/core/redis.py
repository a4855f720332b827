"""Redis clients, one a process and purpose: queues (RQ), heartbeats, and what may be lost (hints, marks)."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from config.settings import Settings

QUICK = 0.4  # seconds: a request that waits for a hint waits for no more than this
PAUSE = 5.0  # seconds without a try after a failure

_clients: dict[str, redis.Redis] = {}


class Hints:
    """A client for what may be lost: it answers quickly or not at all, and after a failure it is not tried for
    `PAUSE` seconds; then one caller tries, and the others follow if that one was answered."""

    def __init__(self, client: redis.Redis, clock: Callable[[], float] = time.monotonic):
        self.client = client
        self._clock = clock
        self._lock = threading.Lock()
        self._not_before: float | None = None  # None: the last try was answered

    @contextmanager
    def trying(self) -> Iterator[redis.Redis]:
        """The client, for a few commands. Raises `RedisError`, at once while Redis is taken for away."""
        with self._lock:
            if self._not_before is not None:
                if self._clock() < self._not_before:
                    raise redis.exceptions.ConnectionError("Redis failed a moment ago")
                self._not_before = self._clock() + PAUSE
        try:
            yield self.client
        except redis.exceptions.RedisError:
            self._not_before = self._clock() + PAUSE
            raise
        self._not_before = None


_hints: list[Hints] = []


def init(settings: Settings) -> None:
    """Make the clients; nothing connects before the first command. Timeouts in seconds."""
    for name, url in (("queue", settings.redis_url), ("heartbeat", settings.heartbeat_redis_url)):
        _clients[name] = redis.Redis.from_url(
            url, socket_timeout=5, socket_connect_timeout=2, health_check_interval=30, max_connections=64
        )
    _hints[:] = [Hints(quick_client(settings.redis_url))]


def quick_client(url: str) -> redis.Redis:
    """A client that gives up after `QUICK` seconds; only a connection that was cut is made anew, once."""
    again = Retry(NoBackoff(), 1, supported_errors=(redis.exceptions.ConnectionError,))
    return redis.Redis.from_url(
        url, socket_timeout=QUICK, socket_connect_timeout=QUICK, retry=again, max_connections=64
    )


def queue() -> redis.Redis:
    """The Redis of RQ's queues and of liveness marks."""
    return _clients["queue"]


def heartbeat() -> redis.Redis:
    """The Redis of leases and heartbeats."""
    return _clients["heartbeat"]


def hints() -> Hints:
    """The same Redis as `queue()`, for hints and marks: with short patience."""
    return _hints[0]
