"""The RQ queue: JSON arguments, ids only. Nothing depends on a job arriving: sweepers find what was lost."""

from __future__ import annotations

import redis
import redis.exceptions
import structlog
from rq import Queue
from rq.serializers import JSONSerializer

from app.core import redis as redis_clients

log = structlog.get_logger(__name__)

NAME = "default"
JOB_SECONDS = 120  # then RQ ends the job


def queue(connection: redis.Redis | None = None) -> Queue:
    """The one queue of the product, by `connection` (default: the process's patient client)."""
    return Queue(NAME, connection=connection or redis_clients.queue(), serializer=JSONSerializer)


def enqueue_hint(function: str, *ids: str) -> bool:
    """Ask a worker to run `function` (its dotted name) soon. False, and a log line, while Redis is away:
    the row that stands in SQL is found by its sweeper. A Redis that hangs costs one caller half a second, and the
    others nothing."""
    try:
        with redis_clients.hints().trying() as client, client.pipeline(transaction=False) as pipe:
            kept = {"result_ttl": 0, "failure_ttl": 3600, "job_timeout": JOB_SECONDS}
            queue(client).enqueue(function, *ids, pipeline=pipe, **kept)
            pipe.execute()  # all of the job in one way to Redis
    except redis.exceptions.RedisError as error:
        log.warning("enqueue_hint_lost", function=function, error=type(error).__name__)
        return False
    return True
