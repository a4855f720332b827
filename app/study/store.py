"""The state of study in Redis: one hash a learner (lease, token bucket, a packed record per lesson), dirty sets for
the flusher. The shard is the hash tag, so that a script's keys lie together on a Redis Cluster too.

Everything here can be rebuilt from SQL; what is lost with Redis the phone sends again.
"""

from __future__ import annotations

import hashlib
import secrets
import struct
import threading
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hiredis
import msgspec
import redis
import redis.exceptions
from redis.connection import AbstractConnection

from app.core import redis as redis_clients
from app.study.models import Learner, LessonProgress

SHARDS = 16
NOBODY = "-" * 12
KEEP_SECONDS = 7 * 24 * 3600  # a learner's hash lives so long after the last play; SQL has it all long before
_LUA = Path(__file__).parent / "lua"
_HEAD = struct.Struct(">QIQI12s8s12s")
_RECORD = struct.Struct(">HHHH")


class Script:
    """A Lua script with the shared prelude; `text` and `sha` as Redis knows them."""

    def __init__(self, text: str):
        self.text = text
        self.sha = hashlib.sha1(text.encode()).hexdigest()  # noqa: S324 - Redis names scripts by SHA-1


def script(name: str) -> Script:
    """The script `lua/<name>.lua`."""
    return Script("\n".join((_LUA / f"{part}.lua").read_text(encoding="utf-8") for part in ("common", name)))


SCRIPTS = {name: script(name) for name in ("beat", "open", "take", "durable", "purge", "free")}


def shard(person_id: str) -> str:
    """The person's shard, two digits."""
    return f"{zlib.crc32(person_id.encode()) % SHARDS:02d}"


def shards() -> Iterator[str]:
    """All shards."""
    return (f"{number:02d}" for number in range(SHARDS))


def learner_key(person_id: str) -> str:
    return f"h:{{{shard(person_id)}}}:{person_id}"


def dirty_key(shard_: str) -> str:
    """What the flusher has not seen yet: members '<person id>:<progress id>'."""
    return f"d:{{{shard_}}}"


def flushing_key(shard_: str) -> str:
    """What the flusher has taken and not finished."""
    return f"f:{{{shard_}}}"


def bad_key(flushing: str) -> str:
    """What the flusher could not read or write, of the shard of the key `flushing`: for a person to look at."""
    return "d:bad:" + flushing.removeprefix("f:")


class Record(msgspec.Struct, frozen=True):
    """One lesson's state. `bits` are credited, `durable` of them are in SQL."""

    epoch: int
    count: int
    position: int
    bits: bytes
    durable: bytes


@dataclass(frozen=True)
class Head:
    """A learner's lease and bucket; times in Unix milliseconds of Redis' clock."""

    bucket_at_ms: int
    bucket_ms: int
    seen_ms: int
    over_claimed: int
    session: str
    store: str
    device: str


def parts(raw: bytes) -> tuple[int, int, int, bytes]:
    """Epoch, credited chunks, position, credited bitmap of a record as the scripts write it. Raises `struct.error`,
    `ValueError`."""
    epoch, count, position, length = _RECORD.unpack_from(raw)
    bits = raw[8 : 8 + length]
    if len(bits) != length:
        raise ValueError("a record that was cut off")
    return epoch, count, position, bits


def unpack_record(raw: bytes) -> Record:
    """A record as the scripts write it."""
    epoch, count, position, bits = parts(raw)
    length = len(bits)
    if len(raw) == 8 + length:
        return Record(epoch, count, position, bits, bits)
    start = int.from_bytes(raw[8 + length : 10 + length])
    pending = raw[10 + length :]
    end = start + len(pending)
    kept = int.from_bytes(bits[start:end]) & ~int.from_bytes(pending)
    return Record(epoch, count, position, bits, bits[:start] + kept.to_bytes(len(pending)) + bits[end:])


def unpack_head(raw: bytes) -> Head:
    """The field '_' of a learner's hash."""
    at, balance, seen, over, session, store, device = _HEAD.unpack(raw)
    return Head(at, balance, seen, over, session.decode(), store.decode(), device.decode())


# --- calls -------------------------------------------------------------------------------------------------------

_local = threading.local()


def _connection() -> AbstractConnection:
    """This thread's own connection: redis-py's pool, retries and hooks cost more than the heartbeat's script."""
    pool = redis_clients.heartbeat().connection_pool
    if getattr(_local, "pool", None) is not pool:
        _local.connection = pool.connection_class(**pool.connection_kwargs)
        _local.pool = pool
    connection: AbstractConnection = _local.connection
    return connection


def _ask(connection: AbstractConnection, *command: Any) -> Any:
    # every part is text, bytes or a number: redis-py would look at each of them again
    connection.send_packed_command([hiredis.pack_command(command)], check_health=False)
    return connection.read_response()


def _once(name: Script, keys: Sequence[str], arguments: Sequence[Any]) -> Any:
    connection = _connection()
    try:
        try:
            return _ask(connection, "EVALSHA", name.sha, len(keys), *keys, *arguments)
        except redis.exceptions.NoScriptError:
            return _ask(connection, "EVAL", name.text, len(keys), *keys, *arguments)
    except redis.exceptions.ResponseError:
        raise
    except BaseException:
        # an answer may still be on its way: never read it as another command's
        connection.disconnect()
        raise


def run(name: str, keys: Sequence[str], arguments: Sequence[Any]) -> Any:
    """Run a script; again on a fresh connection if an idle one had been closed (each script may run twice).
    Raises `RedisError`, at once while Redis is known to hang."""
    beats = redis_clients.beats()
    beats.begin()
    try:
        answer = _twice(name, keys, arguments)
    except redis.exceptions.RedisError as error:
        beats.end(error)
        raise
    beats.end()
    return answer


def _twice(name: str, keys: Sequence[str], arguments: Sequence[Any]) -> Any:
    connected = _connection().is_connected
    try:
        return _once(SCRIPTS[name], keys, arguments)
    except redis.exceptions.ConnectionError:
        if not connected:
            raise
        return _once(SCRIPTS[name], keys, arguments)


@dataclass(frozen=True)
class Held:
    """Another device studies; its last beat was `ago_ms` milliseconds ago."""

    ago_ms: int


@dataclass(frozen=True)
class Opened:
    """The lesson's state is in place."""

    record: Record
    store: str


def open_lesson(
    learner: Learner, progress: LessonProgress, *, session: str, device: str, take_over: bool, stale_seconds: int
) -> Opened | Held:
    """Take the lease for `session` on `device` and put the lesson's state in place, from SQL's rows where Redis has
    none. With `session=''` the lease stays as it is (a rebuild while studying)."""
    answer = run(
        "open",
        (learner_key(learner.id), dirty_key(shard(learner.id))),
        (
            session,
            device,
            int(take_over),
            stale_seconds * 1000,
            KEEP_SECONDS,
            progress.id,
            f"{learner.id}:{progress.id}",
            progress.epoch,
            progress.position,
            bytes(progress.bitmap),
            learner.bucket_ms,
            learner.bucket_at_ms,
            learner.over_claimed,
            learner.session or NOBODY,
            learner.device or NOBODY,
            secrets.token_hex(4),
        ),
    )
    if answer[0] == 0:
        return Held(answer[1])
    return Opened(unpack_record(answer[1]), answer[2].decode())


def read(person_id: str, progress_ids: Sequence[str]) -> tuple[Head | None, list[Record | None]]:
    """The learner's lease and bucket, and these records, as they are in Redis now. Raises `RedisError`."""
    client: Any = redis_clients.heartbeat()
    head, *records = client.hmget(learner_key(person_id), ["_", *progress_ids])
    return unpack_head(head) if head else None, [unpack_record(raw) if raw else None for raw in records]


def purge(person_id: str, epochs: dict[str, int]) -> int:
    """Empty these records (progress id → new epoch) and the bucket. How many there were. Raises `RedisError`."""
    arguments = [part for pair in epochs.items() for part in pair]
    emptied: int = run("purge", (learner_key(person_id),), arguments)
    return emptied


def free(person_id: str) -> bool:
    """Nobody holds the learner's lease any more; False if nobody did. Raises `RedisError`."""
    return bool(run("free", (learner_key(person_id),), ()))


PORTION = 200  # records a script handles at once: short enough that no heartbeat waits for it


def take(members: Sequence[tuple[str, str]]) -> Iterator[tuple[str, str, bytes, bytes]]:
    """The state of these (person id, progress id), all of one shard: lease and bucket, and the record, as Redis has
    them (see `unpack_head`, `parts`); what it has lost is left out. A learner's bucket has paid for every bit of the
    records it comes with. Raises `RedisError`."""
    for start in range(0, len(members), PORTION):
        portion = members[start : start + PORTION]
        keys, places = _places(portion)
        answer = run("take", keys, places)
        for (person_id, progress_id), head, raw in zip(portion, answer[::2], answer[1::2], strict=True):
            if head is not None and raw is not None:
                yield person_id, progress_id, head, raw


def mark_durable(written: Sequence[tuple[str, str, bytes]]) -> None:
    """SQL has what is credited in these: (person id, progress id, record as it was taken), all of one shard. Raises
    `RedisError`."""
    for start in range(0, len(written), PORTION):
        portion = written[start : start + PORTION]
        keys, places = _places([(person_id, progress_id) for person_id, progress_id, _ in portion])
        run("durable", keys, [*places, *(record for _, _, record in portion)])


def _places(members: Sequence[tuple[str, str]]) -> tuple[list[str], list[str]]:
    """The learners' keys, and where each record is: numbers of keys and progress ids, a text of each. Few arguments:
    a client takes longer to write one than Redis to read it."""
    numbers = {person_id: number for number, person_id in enumerate(dict(members), start=1)}
    prefix = learner_key(members[0][0]).removesuffix(members[0][0])
    of = " ".join([str(numbers[person_id]) for person_id, _ in members])
    return [prefix + person_id for person_id in numbers], [of, " ".join([progress_id for _, progress_id in members])]
