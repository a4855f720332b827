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
FILMS = "films"  # of the worker that makes films watchable: minutes of work, which nothing else waits behind
JOB_SECONDS = 120  # then RQ ends the job
FILM_SECONDS = 24 * 3600  # longer than any film may take by its own limit


def queue(connection: redis.Redis | None = None, name: str = NAME) -> Queue:
    """A queue of the product, by `connection` (default: the process's patient client)."""
    return Queue(name, connection=connection or redis_clients.queue(), serializer=JSONSerializer)


def enqueue_hint(function: str, *ids: str, queue_name: str = NAME, seconds: int = JOB_SECONDS) -> bool:
    """Ask a worker of this queue to run `function` (its dotted name) soon, for `seconds` at most. False, and a log
    line, while Redis is away: the row that stands in SQL is found by its sweeper. A Redis that hangs costs one caller
    half a second, and the others nothing."""
    try:
        with redis_clients.hints().trying() as client, client.pipeline(transaction=False) as pipe:
            kept = {"result_ttl": 0, "failure_ttl": 3600, "job_timeout": seconds}
            queue(client, queue_name).enqueue(function, *ids, pipeline=pipe, **kept)
            pipe.execute()  # all of the job in one way to Redis
    except redis.exceptions.RedisError as error:
        log.warning("enqueue_hint_lost", function=function, error=type(error).__name__)
        return False
    return True
