"""The RQ worker: runs jobs in this process (no fork: 5 ms instead of 20 a job), and marks that it lives."""

from __future__ import annotations

from typing import Any

from rq import SimpleWorker
from rq.serializers import JSONSerializer

from app import wiring
from app.core import redis as redis_clients
from app.core.liveness import Pulse
from app.core.queue import NAME
from config.settings import load


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


def main() -> None:
    """Work until TERM or INT; the job under way is finished first."""
    wiring.start(load())
    # worker_ttl 20 s: the blocking pop returns every 5 s, which is a step too
    worker = Worker([NAME], connection=redis_clients.queue(), serializer=JSONSerializer, worker_ttl=20)
    worker.work(logging_level="WARNING", with_scheduler=False)


if __name__ == "__main__":
    main()
