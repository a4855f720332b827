"""From Redis to SQL: what is dirty is read, united with what SQL has, committed, and only then called durable.

Each step may be the last one of a process that dies: the next run does it again, and a union done twice is the same
union. Nothing is dropped from the list of dirty members before its commit.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import peewee
import redis.exceptions
import structlog

from app.core import redis as redis_clients
from app.core import stuck
from app.core.db import database, transaction
from app.study import bitmap, store
from app.study.models import LessonProgress
from app.study.store import Head, Record

log = structlog.get_logger(__name__)

BATCH = 1000
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

# person id, progress id, lease and bucket, record
Taken = tuple[str, str, Head, Record]


def flush(*, now: datetime) -> int:
    """Write everything that is dirty; first what an earlier run took and did not finish. How many records were
    written. Raises `RedisError`, `OperationalError` (the database is away): then nothing is lost, run again."""
    client = redis_clients.heartbeat()
    written = 0
    for shard in store.shards():
        written += _drain(client, store.flushing_key(shard), now)
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
    members: list[bytes] = []
    for member in client.sscan_iter(key, count=BATCH):
        members.append(member)
        if len(members) >= BATCH:
            written += _flush_or_set_aside(client, key, members, now)
            members = []
    return written + _flush_or_set_aside(client, key, members, now)


def _flush_or_set_aside(client: Any, key: str, members: Sequence[bytes], now: datetime) -> int:
    """Flush these; where one cannot be read or written, the others still are, and it goes to the set `bad_key`:
    whoever mends it puts it back among the dirty. Its record in Redis stays as it is. Raises as `flush`."""
    try:
        return _flush_batch(client, key, members, now)
    except TROUBLE:
        raise
    except Exception:  # not foreseen: nothing of the batch was committed, so each is tried by itself
        if len(members) > 1:
            half = len(members) // 2
            return sum(_flush_or_set_aside(client, key, part, now) for part in (members[:half], members[half:]))
        member = members[0].decode(errors="replace")
        log.exception("flush_member_set_aside", member=member)
        client.smove(key, store.bad_key(key), members[0])
        stuck.tell("study.not_flushed", member[:64], {}, now=now)
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
    store.mark_durable([(person, key, *merged[key]) for person, key, _, _ in taken if key in merged])
    for person_id, progress_id, _, _ in taken:
        if progress_id in purged:
            store.purge(person_id, {progress_id: purged[progress_id]})
    return len(merged)


def merge(taken: Sequence[Taken], *, now: datetime) -> tuple[dict[str, tuple[int, bytes]], dict[str, int]]:
    """Unite the records with SQL's rows, in the caller's transaction. Gives what SQL has now (progress id → epoch,
    bitmap), and the records that a purge has overtaken (progress id → SQL's epoch). Raises `Raced`.

    Two statements a table and batch: a driver with a bulk copy can take the place of `_update`."""
    columns = "revision epoch bitmap position needed_chunks completed_at"
    rows = _select("lesson_progress", columns, [progress_id for _, progress_id, _, _ in taken])
    merged: dict[str, tuple[int, bytes]] = {}
    purged: dict[str, int] = {}
    updates = []
    moment = LessonProgress.updated_at.db_value(now)
    for _, progress_id, _, record in taken:
        row = rows.get(progress_id)
        if row is None:
            # a database restored from a backup: the row comes back, under the same id, with the next play
            log.warning("progress_row_missing", progress_id=progress_id)
            continue
        revision, epoch, bits, position, needed, completed = row
        if record.epoch < epoch:
            purged[progress_id] = epoch
            continue
        before = bytes(bits) if record.epoch == epoch else b""
        bits = bitmap.union(before, record.bits)
        merged[progress_id] = (record.epoch, bits)
        if (record.epoch, bits, record.position) == (epoch, before, position):
            continue
        count = bitmap.count(bits)
        completed = completed or (moment if count >= needed else None)
        updates.append(
            (record.epoch, bits, count, record.position, moment, completed, revision + 1, progress_id, revision)
        )
    _update("lesson_progress", "epoch bitmap credited_chunks position updated_at completed_at revision", updates)
    # a purge emptied the bucket in SQL too; Redis hears of it after this
    overtaken = {person_id for person_id, progress_id, _, _ in taken if progress_id in purged}
    _merge_learners({person_id: head for person_id, _, head, _ in taken if person_id not in overtaken})
    return merged, purged


def _merge_learners(heads: dict[str, Head]) -> None:
    """The bucket of the later moment wins; of one moment, the emptier."""
    rows = _select("learner", "revision bucket_at_ms bucket_ms over_claimed", list(heads))
    updates = []
    for person_id, head in heads.items():
        row = rows.get(person_id)
        if row is None:
            log.warning("learner_row_missing", person_id=person_id)
            continue
        revision, at, left, over = row
        if (head.bucket_at_ms, -head.bucket_ms) > (at, -left) or head.over_claimed > over:
            at, left = max((at, -left), (head.bucket_at_ms, -head.bucket_ms))
            updates.append((at, -left, max(head.over_claimed, over), revision + 1, person_id, revision))
    _update("learner", "bucket_at_ms bucket_ms over_claimed revision", updates)


def _select(table: str, columns: str, ids: Sequence[str]) -> dict[str, tuple[Any, ...]]:
    """These columns by id, without an ORM's row each (a quarter of the time). At most `BATCH` ids."""
    if not ids:
        return {}
    marks = ", ".join([database.param] * len(ids))
    names = ", ".join(["id", *columns.split()])
    found = database.execute_sql(f"SELECT {names} FROM {table} WHERE id IN ({marks})", ids)  # noqa: S608 - our names
    return {row[0]: row[1:] for row in found.fetchall()}


def _update(table: str, columns: str, rows: Sequence[tuple[Any, ...]]) -> None:
    """Set `columns`; each of `rows` ends with the row's id and the revision that was read. One prepared statement:
    an ORM's statement per row takes ten times as long."""
    if not rows:
        return
    mark = database.param
    assignments = ", ".join(f"{column} = {mark}" for column in columns.split())
    cursor = database.cursor()
    sql = f"UPDATE {table} SET {assignments} WHERE id = {mark} AND revision = {mark}"  # noqa: S608 - our own names
    cursor.executemany(sql, sorted(rows, key=lambda row: row[-2]))
    if cursor.rowcount != len(rows):
        raise Raced()
