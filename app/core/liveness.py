"""Signs of life: a small thread of each process marks it in Redis as long as its main loop moves; `/readyz` reads the
marks. Between two steps of the loop may lie a job, which may wait for a slow provider: that is no reason for red."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

import redis.exceptions

from app.core import redis as redis_clients
from app.core.queue import JOB_SECONDS

SECONDS = 15  # a process whose mark is older is taken for dead
EVERY = 2.0  # seconds between two marks
LIMIT = JOB_SECONDS + 10.0  # a main loop that makes no step for so long is stuck
PROCESSES = ("worker", "cron", "flusher")


def beat(process: str) -> None:
    """Mark `process` as alive; a Redis that is away is not this process's fault."""
    try:
        with redis_clients.hints().trying() as client:
            client.set(f"alive:{process}", 1, ex=SECONDS)
    except redis.exceptions.RedisError:
        return


class Pulse:
    """Marks `process` while its main loop, which calls `step`, made its last step within `limit` seconds."""

    def __init__(self, process: str, limit: float = LIMIT):
        self.process = process
        self.limit = limit
        self._stepped = time.monotonic()

    def step(self) -> None:
        """The main loop moves."""
        self._stepped = time.monotonic()

    def moves(self, clock: float) -> bool:
        """Whether the last step is young enough at `clock` (monotonic seconds)."""
        return clock - self._stepped <= self.limit

    @contextmanager
    def running(self) -> Iterator[None]:
        """Mark from now until the block ends, or the process does."""
        end = Event()

        def run() -> None:
            while True:
                if self.moves(time.monotonic()):
                    beat(self.process)
                if end.wait(EVERY):
                    return

        self.step()
        thread = Thread(target=run, name=f"pulse-{self.process}", daemon=True)
        thread.start()
        try:
            yield
        finally:
            end.set()
            thread.join()


def missing() -> list[str]:
    """The processes without a fresh mark. Raises `RedisError` while Redis is away: asked each time, but quickly."""
    marks = redis_clients.hints().client.mget([f"alive:{process}" for process in PROCESSES])
    return [process for process, mark in zip(PROCESSES, marks, strict=True) if mark is None]


def is_alive(process: str) -> bool:
    """Whether `process` has a fresh mark; a Redis that is away says nothing against it."""
    try:
        with redis_clients.hints().trying() as client:
            return client.get(f"alive:{process}") is not None
    except redis.exceptions.RedisError:
        return True
