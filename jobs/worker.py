"""The RQ worker: runs jobs in this process (no fork: 5 ms instead of 20 a job), and marks that it lives."""

from __future__ import annotations

from typing import Any

from rq import SimpleWorker
from rq.serializers import JSONSerializer

from app import wiring
from app.core import redis as redis_clients
from app.core.liveness import beat
from app.core.queue import NAME
from config.settings import load


class Worker(SimpleWorker):
    """A `SimpleWorker` whose heartbeat, sent between jobs and while it waits, is also our sign of life."""

    def heartbeat(self, *args: Any, **kwargs: Any) -> None:
        beat("worker")
        super().heartbeat(*args, **kwargs)


def main() -> None:
    """Work until TERM or INT; the job under way is finished first."""
    wiring.start(load())
    # worker_ttl 20 s: the blocking pop returns every 5 s, so the mark stays fresh
    worker = Worker([NAME], connection=redis_clients.queue(), serializer=JSONSerializer, worker_ttl=20)
    worker.work(logging_level="WARNING", with_scheduler=False)


if __name__ == "__main__":
    main()
