"""H8: the flusher killed at any step; two at once; its process ends on TERM with everything written."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import peewee
import pytest
import redis
import redis.client

from app.cases.service import open_cases
from app.core import bulk
from app.core import redis as redis_clients
from app.core.db import database, transaction
from app.study import bitmap, flush, store
from app.study.audit import audit_progress
from app.study.models import Learner, LessonProgress
from config.settings import ROOT
from jobs import flusher
from jobs.flusher import run_once
from tests.study.phones import (
    NOW,
    Clock,
    Phone,
    a_learner,
    a_lesson_of,
    a_phone,
    chunks_of,
    clear_study,
    in_sql,
    play,
)
from tests.world import World


class Killed(BaseException):
    """The process is gone: nothing after this runs."""


@contextmanager
def killed_at(step: int, patch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """Every command to Redis and every statement and commit of SQL is a step; the process dies before number `step`.
    Gives the count of steps taken."""
    taken = [0]

    def guarded(function: Callable[..., Any]) -> Callable[..., Any]:
        def run(*args: Any, **kwargs: Any) -> Any:
            taken[0] += 1
            if taken[0] > step:
                raise Killed()
            return function(*args, **kwargs)

        return run

    with patch.context() as patched:
        patched.setattr(redis.client.Redis, "execute_command", guarded(redis.client.Redis.execute_command))
        patched.setattr(redis.client.Pipeline, "execute", guarded(redis.client.Pipeline.execute))
        patched.setattr(store, "run", guarded(store.run))
        patched.setattr(bulk, "read", guarded(bulk.read))
        patched.setattr(bulk, "write", guarded(bulk.write))
        engine = type(database.obj)
        patched.setattr(engine, "commit", guarded(engine.commit))
        yield taken


def some_phones() -> list[Phone]:
    """Three learners; one with two lessons."""
    phones = [a_phone(saved_up=100) for _ in range(2)]
    learner = a_learner(saved_up=200)
    for _ in range(2):
        phone = play(learner, a_lesson_of(learner))
        assert isinstance(phone, Phone)
        phone.watch(range(5))
        phone.beat()
        phones.append(phone)
    for phone in phones[:2]:
        phone.watch(range(8))
        phone.beat()
    return phones


def test_a_flusher_killed_at_any_step_loses_and_doubles_nothing(
    world: World, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "SHARDS", 3)
    steps = 0
    finished = False
    while not finished:
        clear_study()
        clock.set(NOW)
        phones = some_phones()
        with killed_at(steps, monkeypatch):
            try:
                flush.flush(now=NOW)
                finished = True
            except Killed:
                database.connection().rollback()  # what the database does when its client is gone
        for phone in phones:
            answer = phone.send([]) if phone is not phones[2] else None
            if answer is not None:
                assert chunks_of(answer.durable) <= in_sql(phone), f"killed at step {steps}"
        assert flush.flush(now=NOW) <= 4
        assert flush.flush(now=NOW) == 0
        assert [len(in_sql(phone)) for phone in phones] == [8, 8, 5, 5], f"killed at step {steps}"
        assert audit_progress() == []
        client = redis_clients.heartbeat()
        assert not client.keys("d:*")
        assert not client.keys("f:*")
        steps += 1
    assert steps > 15, "the test must have seen the steps"


def test_chunks_would_be_lost_if_the_list_were_forgotten_before_the_commit(
    world: World, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = flush._flush_batch

    def forget_first(client: Any, key: str, members: Any, now: Any) -> int:
        if members:
            client.srem(key, *members)
        return batch(client, key, members, now)

    monkeypatch.setattr(flush, "_flush_batch", forget_first)
    monkeypatch.setattr(store, "SHARDS", 1)
    lost = 0
    for steps in range(12):
        clear_study()
        clock.set(NOW)
        phones = some_phones()
        with killed_at(steps, monkeypatch), contextlib.suppress(Killed):
            flush.flush(now=NOW)
        database.connection().rollback()
        flush.flush(now=NOW)
        lost += [len(in_sql(phone)) for phone in phones] != [8, 8, 5, 5]
    assert lost > 0


def test_what_an_earlier_run_left_behind_is_flushed_first(clock: Clock) -> None:
    phone = a_phone(saved_up=100)
    phone.send([0])
    shard = store.shard(phone.ticket.person_id)
    redis_clients.heartbeat().renamenx(store.dirty_key(shard), store.flushing_key(shard))
    phone.send([1])
    assert flush.flush(now=NOW) == 2
    assert in_sql(phone) == {0, 1}


def test_bits_credited_during_a_flush_stay_pending(clock: Clock) -> None:
    phone = a_phone(saved_up=100)
    phone.send([0, 1])
    member = (phone.ticket.person_id, phone.ticket.progress_id)
    taken = list(store.take([member]))
    phone.send([2])
    with transaction():
        flush.merge(taken, now=NOW)
    store.mark_durable([(*member, record) for _, _, _, record in taken])
    answer = phone.send([])
    assert (chunks_of(answer.credited), chunks_of(answer.durable)) == ({0, 1, 2}, {0, 1})
    flush.flush(now=NOW)
    assert in_sql(phone) == {0, 1, 2}


def test_two_flushers_unite_what_each_has_read(clock: Clock) -> None:
    phone = a_phone(saved_up=100)
    member = (phone.ticket.person_id, phone.ticket.progress_id)
    phone.send([0])
    early = list(store.take([member]))
    phone.send([1])
    late = list(store.take([member]))
    for taken in (late, early):
        with transaction():
            flush.merge(taken, now=NOW)
    assert in_sql(phone) == {0, 1}
    assert Learner.get_by_id(phone.ticket.person_id).bucket_ms == 80_000, "the later, emptier bucket stays"


def test_a_row_changed_between_read_and_write_is_merged_again(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    phone = a_phone(saved_up=100)
    phone.send([0])
    races = [2]
    read = bulk.read

    def another_writer(table: str, columns: Any, ids: Any) -> Any:
        rows = read(table, columns, ids)
        if table == "lesson_progress" and races[0]:
            races[0] -= 1
            LessonProgress.update(bitmap=bitmap.of([5]), revision=LessonProgress.revision + 1).execute()
        return rows

    monkeypatch.setattr(bulk, "read", another_writer)
    with pytest.raises(flush.Raced), transaction():
        flush.merge(list(store.take([(phone.ticket.person_id, phone.ticket.progress_id)])), now=NOW)
    races[0] = 1
    flush.flush(now=NOW)
    # the other writer stood in the same transaction here and was rolled back with it
    assert in_sql(phone) == {0}


def test_a_member_that_the_scan_names_twice_is_written_once(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """Redis may do so while the set shrinks; a row written twice from one read looks like a lost race."""
    phone = a_phone(saved_up=100)
    phone.send([0])
    scan = redis.client.Redis.sscan_iter
    monkeypatch.setattr(redis.client.Redis, "sscan_iter", lambda *args, **kwargs: [*scan(*args, **kwargs)] * 2)
    assert flush.flush(now=NOW) == 1
    assert in_sql(phone) == {0}


def test_shards_that_two_threads_flush_lose_and_double_nothing(clock: Clock) -> None:
    phones = [a_phone(saved_up=100) for _ in range(20)]
    for phone in phones:
        phone.send([0, 1])
    with ThreadPoolExecutor(2) as pool:
        assert flush.flush(now=NOW, spread=pool.map) == 20
    assert [in_sql(phone) for phone in phones] == [{0, 1}] * 20
    assert [chunks_of(phone.send([]).durable) for phone in phones] == [{0, 1}] * 20


def test_a_database_error_keeps_the_list(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    phone = a_phone(saved_up=100)
    phone.send([0])

    def broken(*_: Any) -> None:
        raise peewee.OperationalError("gone")

    with monkeypatch.context() as patch:
        patch.setattr(bulk, "write", broken)
        with pytest.raises(peewee.OperationalError):
            flush.flush(now=NOW)
    assert in_sql(phone) == set()
    flush.flush(now=NOW)
    assert in_sql(phone) == {0}


def test_a_learner_whose_rows_are_gone_does_not_stop_the_others(clock: Clock) -> None:
    lost, phone = a_phone(saved_up=100), a_phone(saved_up=100)
    lost.send([0])
    phone.send([0])
    LessonProgress.delete().where(LessonProgress.id == lost.ticket.progress_id).execute()
    Learner.delete().where(Learner.id == lost.ticket.person_id).execute()
    assert flush.flush(now=NOW) == 1
    assert in_sql(phone) == {0}
    assert chunks_of(lost.send([]).durable) == set()


def test_a_record_that_cannot_be_read_is_set_aside_and_the_others_are_written(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "SHARDS", 1)
    phones = [a_phone(saved_up=100) for _ in range(5)]
    for phone in phones:
        phone.send([0])
    client, bad = redis_clients.heartbeat(), phones[2].ticket
    client.hset(store.learner_key(bad.person_id), bad.progress_id, b"\x00")
    assert run_once() == flusher.PAUSE
    assert [in_sql(phone) for phone in phones] == [{0}, {0}, set(), {0}, {0}]
    member = f"{bad.person_id}:{bad.progress_id}"
    assert client.smembers(store.bad_key(store.flushing_key("00"))) == {member.encode()}
    assert [case.subject for case in open_cases("study.not_flushed")] == [member]
    phones[0].send([1])
    assert run_once() == flusher.PAUSE
    assert in_sql(phones[0]) == {0, 1}


@pytest.mark.parametrize("error", [peewee.InterfaceError("gone"), redis.exceptions.ReadOnlyError("a replica now")])
def test_trouble_that_passes_sets_nobody_aside(
    clock: Clock, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    phone = a_phone(saved_up=100)
    phone.send([0])

    def broken(*_: Any) -> None:
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(flush, "_write", broken)
        patch.setattr(redis.client.Redis, "smove", broken)
        assert run_once() == flusher.TROUBLE_PAUSE
    assert run_once() == flusher.PAUSE
    assert in_sql(phone) == {0}


@pytest.mark.slow
def test_the_process_writes_marks_its_life_and_ends_on_term(world: World) -> None:
    phone = a_phone(saved_up=100)
    phone.send([0, 1, 2])
    environ = os.environ | {
        "DATA_DIR": str(world.data_dir),
        "DATABASE_URL": world.settings.database_url,
        "REDIS_URL": world.settings.redis_url,
        "SANDBOX_URL": world.settings.sandbox_url,
        "LOG_LEVEL": "WARNING",
    }
    process = subprocess.Popen([sys.executable, "-m", "jobs.flusher"], cwd=ROOT, env=environ)
    try:
        deadline = time.monotonic() + 60
        while in_sql(phone) != {0, 1, 2}:
            assert time.monotonic() < deadline, "the flusher wrote nothing"
            time.sleep(0.05)
        assert redis_clients.queue().get("alive:flusher") is not None
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    finally:
        process.kill()
        process.wait()
