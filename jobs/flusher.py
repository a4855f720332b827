"""The flusher: one long-running process that writes study progress from Redis to SQL, again and again."""

from __future__ import annotations

import signal
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import peewee
import redis.exceptions
import structlog

from app import wiring
from app.core import db, engines
from app.core.clock import utcnow
from app.core.engines import Sqlite
from app.core.liveness import Pulse
from app.study import flush
from config.settings import load

log = structlog.get_logger(__name__)

PAUSE = 1.0  # seconds between two runs: about how far SQL is behind
TROUBLE_PAUSE = 3.0
HANDS = 4  # threads: while one waits for Redis, another for SQL, and a third for its commit, one computes
STUCK = 60.0  # seconds: no run takes so long, not even one that waits for a Redis that hangs


def spread() -> flush.Spread:
    """How the shards are flushed: by `HANDS` threads; one after the other where the database has one writer only."""
    if isinstance(db.database.obj, Sqlite):
        return map
    return ThreadPoolExecutor(HANDS, thread_name_prefix="flush").map


def run_once(shards: flush.Spread = map) -> float:
    """One run; how many seconds to wait before the next. While Redis or the database is away everything stays where
    it is: the dirty sets hold each lesson once, however long it takes."""
    try:
        with db.connection():
            flush.flush(now=utcnow(), spread=shards)
    except (redis.exceptions.RedisError, *flush.TROUBLE) as error:
        log.warning("flush_postponed", error=type(error).__name__)
        return TROUBLE_PAUSE
    except peewee.DatabaseError as error:
        if engines.meaning(error) is None:
            raise
        log.warning("flush_postponed", error=type(error).__name__)
        return TROUBLE_PAUSE
    return PAUSE


def main() -> None:
    """Run until TERM or INT; the run under way is finished first."""
    wiring.start(load())
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    pause, pulse, shards = 0.0, Pulse("flusher", limit=STUCK), spread()
    with pulse.running():
        while not stop.wait(pause):
            pulse.step()
            pause = run_once(shards)
        run_once(shards)


if __name__ == "__main__":
    main()
