"""Signs of life: each process writes a mark into Redis from its own main loop; `/readyz` reads them."""

from __future__ import annotations

import time

import redis.exceptions

from app.core import redis as redis_clients

SECONDS = 15  # a process whose mark is older is taken for dead
PROCESSES = ("worker", "cron", "flusher")
_last: dict[str, float] = {}


def beat(process: str) -> None:
    """Mark `process` as alive, at most once a second; a Redis that is away is not this process's fault."""
    if time.monotonic() - _last.get(process, 0.0) < 1.0:
        return
    _last[process] = time.monotonic()
    try:
        redis_clients.queue().set(f"alive:{process}", 1, ex=SECONDS)
    except redis.exceptions.RedisError:
        _last[process] = 0.0


def missing() -> list[str]:
    """The processes without a fresh mark. Raises `RedisError` while Redis is away."""
    marks = redis_clients.queue().mget([f"alive:{process}" for process in PROCESSES])
    return [process for process, mark in zip(PROCESSES, marks, strict=True) if mark is None]
