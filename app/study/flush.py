"""From Redis to SQL: what is dirty is read, united with what SQL has, committed, and only then called durable.

Each step may be the last one of a process that dies: the next run does it again, and a union done twice is the same
union. Nothing is dropped from the list of dirty members before its commit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from functools import partial
from typing import Any

import peewee
import redis.exceptions
import structlog

from app.core import bulk, engines, stuck
from app.core import redis as redis_clients
from app.core.db import connection, transaction
from app.study import bitmap, store
from app.study.models import LessonProgress

log = structlog.get_logger(__name__)

BATCH = 4000
TRIES = 5


class Raced(Exception):
    """Another writer changed a row between our read and our write; the transaction was rolled back."""


# what passes by itself: everything stays where it is, and the next run does it
TROUBLE = (
    redis.exceptions.ConnectionError,
    redis.exceptions.TimeoutError,
    peewee.OperationalError,
    peewee.InterfaceError,
    Raced,
)

# person id, progress id, lease and bucket, record: these two as Redis has them
Taken = tuple[str, str, bytes, bytes]

Spread = Callable[[Callable[[str], int], Iterable[str]], Iterable[int]]

_READ_PROGRESS = ("revision", "epoch", "bitmap", "position", "needed_chunks", "completed_at")
_WRITE_PROGRESS = ("epoch", "bitmap", "credited_chunks", "position", "updated_at", "completed_at", "revision")
_READ_LEARNER = ("revision", "bucket_at_ms", "bucket_ms", "over_claimed")
_WRITE_LEARNER = ("bucket_at_ms", "bucket_ms", "over_claimed", "revision")


def flush(*, now: datetime, spread: Spread = map) -> int:
    """Write everything that is dirty; first what an earlier run took and did not finish. How many records were
    written. `spread` gives the shards to several threads (a pool's `map`): while one waits for SQL, another computes.
    Raises `RedisError`, `OperationalError` (the database is away): then nothing is lost, run again."""
    return sum(spread(partial(_flush_shard, now=now), store.shards()))


def _flush_shard(shard: str, *, now: datetime) -> int:
    client = redis_clients.heartbeat()
    with connection():
        written = _drain(client, store.flushing_key(shard), now)
        if _take(client, shard):
            written += _drain(client, store.flushing_key(shard), now)
    return written


def flush_learner(person_id: str, progress_ids: Sequence[str], *, now: datetime) -> int:
    """Write these records of one learner now, for a reader that must not wait for the flusher. Raises as `flush`."""
    return _write([(person_id, progress_id) for progress_id in progress_ids], now)


def _take(client: Any, shard: str) -> bool:
    try:
        return bool(client.renamenx(store.dirty_key(shard), store.flushing_key(shard)))
    except redis.exceptions.ResponseError as error:
        if "no such key" in str(error):
            return False
        raise


def _drain(client: Any, key: str, now: datetime) -> int:
    written = 0
    members: set[bytes] = set()  # a scan may name a member twice
    for member in client.sscan_iter(key, count=BATCH):
        members.add(member)
        if len(members) >= BATCH:
            written += _flush_or_set_aside(client, key, list(members), now)
            members = set()
    return written + _flush_or_set_aside(client, key, list(members), now)


def _flush_or_set_aside(client: Any, key: str, members: Sequence[bytes], now: datetime) -> int:
    """Flush these; where one cannot be read or written, the others still are, and it goes to the set `bad_key`:
    whoever mends it puts it back among the dirty. Its record in Redis stays as it is. Raises as `flush`."""
    try:
        return _flush_batch(client, key, members, now)
    except TROUBLE:
        raise
    except Exception as error:  # not foreseen: nothing of the batch was committed, so each is tried by itself
        if engines.meaning(error) is not None:
            raise  # a database that is read-only for a moment (a failover) is no record's fault
        if len(members) > 1:
            half = len(members) // 2
            return sum(_flush_or_set_aside(client, key, part, now) for part in (members[:half], members[half:]))
        member = members[0].decode(errors="replace")
        log.exception("flush_member_set_aside", member=member)
        stuck.tell("study.not_flushed", member[:64], {}, now=now)
        client.smove(key, store.bad_key(key), members[0])
        return 0


def _flush_batch(client: Any, key: str, members: Sequence[bytes], now: datetime) -> int:
    if not members:
        return 0
    pairs = [member.decode().partition(":") for member in members]
    written = _write([(person_id, progress_id) for person_id, _, progress_id in pairs], now)
    client.srem(key, *members)
    return written


def _write(members: Sequence[tuple[str, str]], now: datetime) -> int:
    """Write these (person id, progress id), all of one shard; then tell Redis what is durable."""
    taken = list(store.take(members))
    for _ in range(TRIES):
        try:
            with transaction():
                merged, purged = merge(taken, now=now)
            break
        except Raced:
            continue
    else:
        raise Raced()
    store.mark_durable([(person, key, record) for person, key, _, record in taken if key in merged])
    for person_id, progress_id, _, _ in taken:
        if progress_id in purged:
            store.purge(person_id, {progress_id: purged[progress_id]})
    return len(merged)


def merge(taken: Sequence[Taken], *, now: datetime) -> tuple[set[str], dict[str, int]]:
    """Unite the records with SQL's rows, in the caller's transaction. Gives what SQL has now (progress ids), and the
    records that a purge has overtaken (progress id → SQL's epoch). Raises `Raced`."""
    rows = bulk.read("lesson_progress", _READ_PROGRESS, [progress_id for _, progress_id, _, _ in taken])
    merged: set[str] = set()
    purged: dict[str, int] = {}
    updates = []
    moment = LessonProgress.updated_at.db_value(now)
    for _, progress_id, _, raw in taken:
        row = rows.get(progress_id)
        if row is None:
            # a database restored from a backup: the row comes back, under the same id, with the next play
            log.warning("progress_row_missing", progress_id=progress_id)
            continue
        revision, epoch, bits, position, needed, completed = row
        ours, _, played, credited = store.parts(raw)
        if ours < epoch:
            purged[progress_id] = epoch
            continue
        before = bytes(bits) if ours == epoch else b""
        after = bitmap.union(before, credited)
        merged.add(progress_id)
        if (ours, after, played) == (epoch, before, position):
            continue
        count = bitmap.count(after)
        completed = completed or (moment if count >= needed else None)
        updates.append((ours, after, count, played, moment, completed, revision + 1, progress_id, revision))
    if not bulk.write("lesson_progress", _WRITE_PROGRESS, updates):
        raise Raced()
    # a purge emptied the bucket in SQL too; Redis hears of it after this
    overtaken = {person_id for person_id, progress_id, _, _ in taken if progress_id in purged}
    _merge_learners({person_id: head for person_id, _, head, _ in taken if person_id not in overtaken})
    return merged, purged


def _merge_learners(heads: dict[str, bytes]) -> None:
    """The bucket of the later moment wins; of one moment, the emptier."""
    rows = bulk.read("learner", _READ_LEARNER, list(heads))
    updates = []
    for person_id, raw in heads.items():
        row = rows.get(person_id)
        if row is None:
            log.warning("learner_row_missing", person_id=person_id)
            continue
        revision, at, left, over = row
        head = store.unpack_head(raw)
        if (head.bucket_at_ms, -head.bucket_ms) > (at, -left) or head.over_claimed > over:
            at, left = max((at, -left), (head.bucket_at_ms, -head.bucket_ms))
            updates.append((at, -left, max(head.over_claimed, over), revision + 1, person_id, revision))
    if not bulk.write("learner", _WRITE_LEARNER, updates):
        raise Raced()
