"""The clock of the background work: asks a worker to run what is due, and runs it itself while Redis is away.

An own loop of a few lines instead of `rq cron`, which ends when Redis drops: payments must be found and exams closed
without Redis too (ADR 0006).
"""

from __future__ import annotations

import signal
import time
from threading import Event

import redis.exceptions
import structlog

from app import wiring
from app.core import redis as redis_clients
from app.core.clock import utcnow
from app.core.liveness import Pulse
from app.core.queue import JOB_SECONDS, queue
from config.settings import load
from jobs.schedule import QUEUED, SCHEDULE, Entry, run

log = structlog.get_logger(__name__)

PULSE = Pulse("cron")
QUEUED_SECONDS = 60  # a queued run that no worker took (a worker died, Redis was flushed) is asked for again


def ask_worker(entry: Entry) -> bool:
    """Enqueue one run of `entry` unless one waits already. False while Redis is away."""
    try:
        with redis_clients.hints().trying() as client:
            if client.set(QUEUED.format(entry.name), 1, nx=True, ex=QUEUED_SECONDS):
                times = {"result_ttl": 0, "failure_ttl": 3600, "job_timeout": JOB_SECONDS}
                queue(client).enqueue("jobs.entries.run_scheduled", entry.name, **times)
    except redis.exceptions.RedisError as error:
        log.warning("cron_without_redis", entry=entry.name, error=type(error).__name__)
        return False
    return True


def tick(due: dict[str, float], clock: float) -> None:
    """Start what is due at `clock` (seconds of a monotonic clock); `due` holds the next time of each entry. A Redis
    that failed one entry is not asked for the next one: it may hang."""
    away = False
    for entry in SCHEDULE:
        if clock < due.get(entry.name, 0.0):
            continue
        due[entry.name] = clock + entry.seconds
        PULSE.step()
        away = away or not ask_worker(entry)
        if away:
            try:
                run(entry.name, now=utcnow())
            except Exception:  # one entry's failure must not stop the others; it runs again at its next time
                log.exception("cron_entry_failed", entry=entry.name)


def main() -> None:
    """Run until TERM or INT."""
    wiring.start(load())
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    due: dict[str, float] = {}
    with PULSE.running():
        while not stop.wait(0.5):
            PULSE.step()
            tick(due, time.monotonic())


if __name__ == "__main__":
    main()
