"""From Redis to SQL: what is dirty is read, united with what SQL has, committed, and only then called durable.

Each step may be the last one of a process that dies: the next run does it again, and a union done twice is the same
union. Nothing is dropped from the list of dirty members before its commit.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import redis.exceptions
import structlog

from app.core import redis as redis_clients
from app.core.db import BaseModel, database, transaction
from app.study import bitmap, store
from app.study.models import Learner, LessonProgress
from app.study.store import Head, Record

log = structlog.get_logger(__name__)

BATCH = 1000
TRIES = 5


class Raced(Exception):
    """Another writer changed a row between our read and our write; the transaction was rolled back."""


@dataclass(frozen=True)
class Taken:
    """One learner's state as it was read in one step: the bucket has paid for every bit of the records."""

    person_id: str
    head: Head
    records: dict[str, Record]


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
    return _write_members([(person_id, list(progress_ids))], now)


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
            written += _flush_batch(client, key, members, now)
            members = []
    return written + _flush_batch(client, key, members, now)


def _flush_batch(client: Any, key: str, members: Sequence[bytes], now: datetime) -> int:
    if not members:
        return 0
    wanted: dict[str, list[str]] = {}
    for member in members:
        person_id, _, progress_id = member.decode().partition(":")
        wanted.setdefault(person_id, []).append(progress_id)
    written = _write_members(wanted.items(), now)
    client.srem(key, *members)
    return written


def _write_members(wanted: Iterable[tuple[str, Sequence[str]]], now: datetime) -> int:
    taken = _read(wanted)
    for _ in range(TRIES):
        try:
            with transaction():
                merged, purged = merge(taken, now=now)
            break
        except Raced:
            continue
    else:
        raise Raced()
    _tell(taken, merged, purged)
    return len(merged)


def _read(wanted: Iterable[tuple[str, Sequence[str]]]) -> list[Taken]:
    pipe = redis_clients.heartbeat().pipeline(transaction=False)
    pairs = list(wanted)
    for person_id, progress_ids in pairs:
        pipe.hmget(store.learner_key(person_id), ["_", *progress_ids])
    taken = []
    for (person_id, progress_ids), (head, *raws) in zip(pairs, pipe.execute(), strict=True):
        if head is not None:  # else the learner's hash is lost, and there is nothing to write
            found = zip(progress_ids, raws, strict=True)
            records = {progress_id: store.unpack_record(raw) for progress_id, raw in found if raw is not None}
            taken.append(Taken(person_id, store.unpack_head(head), records))
    return taken


def merge(taken: Sequence[Taken], *, now: datetime) -> tuple[dict[str, tuple[int, bytes]], dict[str, int]]:
    """Unite the records with SQL's rows, in the caller's transaction. Gives what SQL has now (progress id → epoch,
    bitmap), and the records that a purge has overtaken (progress id → SQL's epoch). Raises `Raced`.

    Two statements for a batch: a driver with a bulk copy can take the place of `_update`."""
    ids = [progress_id for learner in taken for progress_id in learner.records]
    rows = {row.id: row for row in _select(LessonProgress, ids)}
    merged: dict[str, tuple[int, bytes]] = {}
    purged: dict[str, int] = {}
    updates = []
    moment = LessonProgress.updated_at.db_value(now)
    for learner in taken:
        for progress_id, record in learner.records.items():
            row = rows.get(progress_id)
            if row is None:
                # a database restored from a backup: the row comes back, under the same id, with the next play
                log.warning("progress_row_missing", progress_id=progress_id)
                continue
            if record.epoch < row.epoch:
                purged[progress_id] = row.epoch
                continue
            before = bytes(row.bitmap) if record.epoch == row.epoch else b""
            bits = bitmap.union(before, record.bits)
            merged[progress_id] = (record.epoch, bits)
            if (record.epoch, bits, record.position) == (row.epoch, before, row.position):
                continue
            count = bitmap.count(bits)
            done = row.completed_at or (now if count >= row.needed_chunks else None)
            completed = LessonProgress.completed_at.db_value(done)
            values = (record.epoch, bits, count, record.position, moment, completed, row.revision + 1)
            updates.append((*values, row.id, row.revision))
    _update("lesson_progress", "epoch bitmap credited_chunks position updated_at completed_at revision", updates)
    _merge_learners([learner for learner in taken if not purged.keys() & learner.records.keys()])
    return merged, purged


def _merge_learners(taken: Sequence[Taken]) -> None:
    """The bucket of the later moment wins; of one moment, the emptier."""
    rows = {row.id: row for row in _select(Learner, [learner.person_id for learner in taken])}
    updates = []
    for learner in taken:
        row, head = rows.get(learner.person_id), learner.head
        if row is None:
            log.warning("learner_row_missing", person_id=learner.person_id)
            continue
        ours, theirs = (row.bucket_at_ms, -row.bucket_ms), (head.bucket_at_ms, -head.bucket_ms)
        if theirs > ours or head.over_claimed > row.over_claimed:
            at, left = max(ours, theirs)
            over = max(head.over_claimed, row.over_claimed)
            updates.append((at, -left, over, row.revision + 1, row.id, row.revision))
    _update("learner", "bucket_at_ms bucket_ms over_claimed revision", updates)


def _select(model: type[BaseModel], ids: Sequence[str]) -> Iterable[Any]:
    """The rows of these ids, in portions that every database takes as parameters."""
    for start in range(0, len(ids), 500):
        yield from model.select().where(model.id.in_(ids[start : start + 500])).namedtuples()


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


def _tell(taken: Sequence[Taken], merged: dict[str, tuple[int, bytes]], purged: dict[str, int]) -> None:
    """Tell Redis what is durable now, and which records a purge has overtaken."""
    pipe = redis_clients.heartbeat().pipeline(transaction=False)
    durable = store.SCRIPTS["durable"]
    for learner in taken:
        triples: list[Any] = []
        for progress_id in learner.records.keys() & merged.keys():
            triples += [progress_id, *merged[progress_id]]
        if triples:
            pipe.eval(durable.text, 1, store.learner_key(learner.person_id), *triples)
    pipe.execute()
    for learner in taken:
        if overtaken := {key: purged[key] for key in learner.records.keys() & purged.keys()}:
            store.purge(learner.person_id, overtaken)
