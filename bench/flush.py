"""Flush: everything dirty from Redis to SQL, end to end, with a million records behind."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app import wiring
from app.core import db, migrate
from app.core import redis as redis_clients
from app.core.clock import utcnow
from app.study import flush
from app.study.models import LessonProgress
from bench.learners import LESSONS, fill_redis, fill_sql
from bench.places import SERVER_URL, a_database, a_redis
from config.settings import load
from jobs.flusher import spread
from sandbox import keys

ROWS = int(os.environ.get("BENCH_ROWS", 1_000_000))


@contextmanager
def product(server_url: str) -> Iterator[str]:
    """The product's database, migrated, and Redis, bound in this process; gives the Redis' URL."""
    with tempfile.TemporaryDirectory(prefix="bench-") as directory, a_redis() as redis_url:
        data_dir = Path(directory)
        keys.ensure(data_dir)
        with a_database(server_url, data_dir) as database_url:
            settings = load({"DATA_DIR": directory, "DATABASE_URL": database_url, "REDIS_URL": redis_url})
            wiring.start(settings)
            with db.connection():
                migrate.up()
                yield redis_url
            db.database.close_all()


def rows_per_second(rows: int = ROWS, server_url: str = SERVER_URL) -> float:
    """How many records a second one flusher writes, when `rows` are dirty and as many rows stand in SQL."""
    learners = rows // LESSONS
    with product(server_url) as redis_url:
        fill_sql(learners)
        fill_redis(redis_url, learners, dirty=True)
        began = time.perf_counter()
        written = flush.flush(now=utcnow(), spread=spread())
        seconds = time.perf_counter() - began
        if written != learners * LESSONS:
            raise SystemExit(f"{written} of {learners * LESSONS} records were written")
        late = LessonProgress.select().where(LessonProgress.revision == 0).count()
        left = list(redis_clients.heartbeat().scan_iter("[df]:*"))
        if late or left:
            raise SystemExit(f"{late} rows were not written, {left} is left in Redis")
    return written / seconds


if __name__ == "__main__":
    print(round(rows_per_second()), "rows/s on", SERVER_URL.split(":")[0] or "sqlite")
