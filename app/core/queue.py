"""The RQ queue: JSON arguments, ids only. Nothing depends on a job arriving: sweepers find what was lost."""

from __future__ import annotations

import redis.exceptions
import structlog
from rq import Queue
from rq.serializers import JSONSerializer

from app.core import redis as redis_clients

log = structlog.get_logger(__name__)

NAME = "default"


def queue() -> Queue:
    """The one queue of the product."""
    return Queue(NAME, connection=redis_clients.queue(), serializer=JSONSerializer)


def enqueue_hint(function: str, *ids: str) -> bool:
    """Ask a worker to run `function` (its dotted name) soon. False, and a log line, while Redis is away:
    the row that stands in SQL is found by its sweeper."""
    try:
        queue().enqueue(function, *ids, result_ttl=0, failure_ttl=3600, job_timeout=120)
    except redis.exceptions.RedisError as error:
        log.warning("enqueue_hint_lost", function=function, error=type(error).__name__)
        return False
    return True
