"""The RQ worker: runs jobs in this process (no fork: 5 ms instead of 20 a job), and marks that it lives.

`python -m jobs.worker films` is the one that makes films watchable: it has a queue of its own, for its work takes
minutes, and nobody's payment waits behind it."""

from __future__ import annotations

import sys
from typing import Any

from rq import SimpleWorker
from rq.serializers import JSONSerializer

from app import wiring
from app.core import redis as redis_clients
from app.core.liveness import Pulse
from app.core.queue import FILMS, NAME
from config.settings import SettingsError, load
from jobs import entries


class Worker(SimpleWorker):
    """A `SimpleWorker` that marks that it lives; RQ's heartbeat, sent before and after each job and while it waits,
    is a step of its main loop."""

    pulse = Pulse("worker")

    def heartbeat(self, *args: Any, **kwargs: Any) -> None:
        self.pulse.step()
        super().heartbeat(*args, **kwargs)

    def perform_job(self, *args: Any, **kwargs: Any) -> bool:
        self.pulse.step()
        done: bool = super().perform_job(*args, **kwargs)
        self.pulse.step()
        return done

    def work(self, *args: Any, **kwargs: Any) -> bool:
        with self.pulse.running():
            worked: bool = super().work(*args, **kwargs)
        return worked


def main(names: list[str]) -> None:
    """Work until TERM or INT; the job under way is finished first. `names`: of the queue, where it is not the usual
    one. Raises `SettingsError` while Redis is away: there is nothing to do without it, and whoever keeps the
    processes alive tries again."""
    settings = load()
    wiring.start(settings)
    if sentence := redis_clients.missing("REDIS_URL", settings.redis_url):
        raise SettingsError(sentence)
    name = FILMS if names == [FILMS] else NAME
    if name == FILMS:
        Worker.pulse = Pulse("films")
        entries.film_step = Worker.pulse.step
    # worker_ttl 20 s: the blocking pop returns every 5 s, which is a step too
    worker = Worker([name], connection=redis_clients.queue(), serializer=JSONSerializer, worker_ttl=20)
    worker.work(logging_level="WARNING", with_scheduler=False)


if __name__ == "__main__":
    main(sys.argv[1:])
