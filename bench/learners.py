"""Many learners with lessons begun, written to Redis and SQL in bulk, in the form the product writes them."""

from __future__ import annotations

import random
import struct
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import redis

from app.core import engines
from app.core.db import database
from app.study import bitmap, store
from app.study.models import progress_id

LESSONS = 10  # begun by each learner
CHUNKS = 270  # of a film of 45 minutes
SESSION, DEVICE, STORE_ID = "s" * 12, "phone-------", "00000000"
START = datetime(2021, 3, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Watched:
    """One lesson of one learner, of which the first `seen` chunks are credited, the last one not yet in SQL."""

    person_id: str
    progress_id: str
    number: int
    seen: int


def watched(learners: int) -> Iterator[Watched]:
    """`LESSONS` lessons of each of so many learners; the same ones each time."""
    chance = random.Random(7)
    for learner in range(learners):
        person_id = f"p{learner:015d}"
        for lesson in range(LESSONS):
            yield Watched(person_id, progress_id(person_id, str(lesson)), lesson, chance.randint(9, CHUNKS - 60))


def record(each: Watched, *, pending: bool) -> bytes:
    """What Redis holds of a lesson."""
    bits = bitmap.of(range(each.seen))
    last = (each.seen - 1) // 8
    tail = struct.pack(">H", last) + bytes([128 >> (each.seen - 1) % 8]) if pending else b""
    made = struct.pack(">HHHH", 0, each.seen, each.seen * 10, len(bits)) + bits + tail
    if store.unpack_record(made).count != each.seen:
        raise RuntimeError("the layout of a record has changed")
    return made


def fill_redis(url: str, learners: int, *, dirty: bool) -> None:
    """Put their state into the Redis of `url`; `dirty`: the last chunk of each lesson is for the flusher to write."""
    at = int(time.time() * 1000)
    head = struct.pack(">QIQI12s8s12s", at, 1_800_000, at, 0, SESSION.encode(), STORE_ID.encode(), DEVICE.encode())
    store.unpack_head(head)
    with redis.Redis.from_url(url) as client:
        pipe = client.pipeline(transaction=False)
        for number, each in enumerate(watched(learners)):
            fields: dict[Any, Any] = {each.progress_id: record(each, pending=dirty)}
            if each.number == 0:
                fields["_"] = head
            pipe.hset(store.learner_key(each.person_id), mapping=fields)
            if dirty:
                pipe.sadd(store.dirty_key(store.shard(each.person_id)), f"{each.person_id}:{each.progress_id}")
            if number % 2000 == 1999:
                pipe.execute()
        pipe.execute()


_LEARNER = "id started_at bucket_ms bucket_at_ms over_claimed session device enrolment_id revision"
_PROGRESS = (
    "id enrolment_id lesson_id person_id seconds chunk_seconds needed_chunks rate_percent epoch bitmap "
    "credited_chunks position revision updated_at"
)


def _learner_rows(learners: int) -> Iterator[tuple[Any, ...]]:
    at = START.strftime("%Y-%m-%d %H:%M:%S.%f")
    for number in range(learners):
        yield (f"p{number:015d}", at, 0, int(START.timestamp() * 1000), 0, SESSION, DEVICE, f"p{number:015d}", 0)


def _progress_rows(learners: int) -> Iterator[tuple[Any, ...]]:
    at = START.strftime("%Y-%m-%d %H:%M:%S.%f")
    for each in watched(learners):
        bits, seen = bitmap.of(range(each.seen - 1)), each.seen - 1
        whose = (each.progress_id, each.person_id, f"lesson{each.number:010d}", each.person_id)
        yield (*whose, CHUNKS * 10, 10, CHUNKS, 100, 0, bits, seen, seen * 10, 0, at)


def fill_sql(learners: int) -> None:
    """Put their rows into the bound database: the state before the last chunk."""
    for table, columns, rows in (
        ("learner", _LEARNER, _learner_rows(learners)),
        ("lesson_progress", _PROGRESS, _progress_rows(learners)),
    ):
        _insert(table, columns.split(), rows)


def _insert(table: str, columns: list[str], rows: Iterator[tuple[Any, ...]]) -> None:
    names, marks = ", ".join(columns), ", ".join([database.param] * len(columns))
    cursor = database.cursor()
    with database.atomic():
        if isinstance(database.obj, engines.Postgresql):
            with cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
        else:
            cursor.executemany(f"INSERT INTO {table} ({names}) VALUES ({marks})", list(rows))
    if isinstance(database.obj, engines.Postgresql):
        database.execute_sql(f"VACUUM (ANALYZE) {table}")
