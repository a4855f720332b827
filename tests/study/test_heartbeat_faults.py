"""Faults H1–H5, H7, H9, H10 against a real Redis and a real database."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import peewee
import pytest

from app.core import engines
from app.core import redis as redis_clients
from app.core.db import database, transaction
from app.study import bitmap, flush, store
from app.study.audit import audit_progress
from app.study.models import Learner, LessonProgress
from jobs import flusher
from tests.faults import heartbeats
from tests.study.phones import (
    NOW,
    Clock,
    Phone,
    a_learner,
    a_lesson_of,
    a_phone,
    changed,
    chunks_of,
    in_sql,
    play,
)
from tests.world import World


def test_a_thousand_replays_in_any_order_change_nothing(world: World) -> None:
    assert heartbeats.h1(world, 1000) == 0


def test_replays_would_count_again_without_the_bitmap(world: World) -> None:
    assert heartbeats.h1_twin(world)


def test_a_film_at_ten_times_the_speed_is_credited_once_and_flagged(world: World) -> None:
    assert heartbeats.h3(world, 3) == 0


def test_ten_times_the_speed_would_be_credited_without_the_bucket(world: World) -> None:
    assert heartbeats.h3_twin(world)


def test_many_small_beats_leak_nothing(clock: Clock) -> None:
    phone = a_phone(seconds=10_000)
    for chunk in range(1000):  # a grace per beat would credit an hour in these ten seconds
        clock.forward(0.01)
        answer = phone.send([chunk])
    clock.forward(0.01)
    answer = phone.send([0])
    assert chunks_of(answer.credited) == {0}


@pytest.mark.parametrize("shift", [-86_400, 86_400])
def test_the_phones_clock_changes_nothing(clock: Clock, shift: int) -> None:
    phone, other = a_phone(saved_up=30), a_phone(saved_up=30)
    claimed = (NOW + timedelta(seconds=shift)).isoformat()
    answer = phone.send(range(6), sent_at=claimed, clock=claimed)
    assert (answer.credited, answer.refused) == (other.send(range(6)).credited, [3, 4, 5])


def test_a_server_clock_that_steps_back_credits_nothing(clock: Clock) -> None:
    phone = a_phone(saved_up=20)
    assert chunks_of(phone.send([0]).credited) == {0}
    clock.forward(-3600)
    assert chunks_of(phone.send([1]).credited) == {0, 1}
    for _ in range(20):
        clock.forward(60)
        answer = phone.send([2])
    assert answer.refused == [2], "it goes on where the clock was"
    clock.forward(2400 + 10)
    assert chunks_of(phone.send([2]).credited) == {0, 1, 2}


def test_two_devices_get_the_wall_clock_once(clock: Clock) -> None:
    learner = a_learner()
    lesson = a_lesson_of(learner)
    first = play(learner, lesson, device="phone-a")
    assert isinstance(first, Phone)
    held = play(learner, lesson, device="phone-b")
    assert isinstance(held, store.Held)
    second = play(learner, lesson, device="phone-b", take_over=True)
    assert isinstance(second, Phone)
    clock.forward(20)
    kicked = first.send([0, 1])
    assert (kicked.next, kicked.reason, kicked.refused, kicked.credited) == ("kicked", "other_device", [0, 1], "")
    assert chunks_of(second.send([0, 1, 2]).credited) == {0, 1}


def test_a_stale_lease_is_free(clock: Clock) -> None:
    learner = a_learner()
    lesson = a_lesson_of(learner)
    assert isinstance(play(learner, lesson, device="phone-a"), Phone)
    clock.forward(59.9)
    assert play(learner, lesson, device="phone-b") == store.Held(59_900)
    clock.forward(0.1)
    assert isinstance(play(learner, lesson, device="phone-b"), Phone)


def test_two_lessons_get_the_wall_clock_once(clock: Clock) -> None:
    learner = a_learner()
    one, other = a_lesson_of(learner), a_lesson_of(learner)
    first, second = play(learner, one), play(learner, other)
    assert isinstance(first, Phone)
    assert isinstance(second, Phone)
    clock.forward(60)
    assert first.send(range(6)).next == "kicked"
    assert len(chunks_of(second.send(range(6)).credited)) == 6
    again = play(learner, one)
    assert isinstance(again, Phone)
    assert again.send(range(6)).credited == "", "the minute is spent"
    flush.flush(now=clock.now)
    assert audit_progress() == []


def test_two_hours_offline_count_up_to_the_programmes_allowance(clock: Clock) -> None:
    phone = a_phone(seconds=7200)
    clock.forward(7200)
    phone.watch(range(720))
    answer = phone.beat(now=clock.now)
    assert chunks_of(answer.credited) == set(range(180)), "30 minutes"
    assert answer.next == "wait"
    assert answer.wait_seconds == 10
    assert phone.kept == set(range(720)), "nothing is forgotten before it is durable"
    clock.forward(answer.wait_seconds)
    assert len(chunks_of(phone.beat(now=clock.now).credited)) == 181


def test_the_allowance_would_be_endless_without_the_bucket(clock: Clock) -> None:
    phone = a_phone(seconds=7200)
    clock.forward(7200)
    with changed(beat=heartbeats.H3_GUARD):
        assert len(chunks_of(phone.send(range(720)).credited)) == 720


@contextmanager
def away() -> Iterator[None]:
    """Nobody can write progress: another connection holds the table, and nobody waits for long."""
    engine = database.obj
    waits = {
        engines.Sqlite: ("PRAGMA busy_timeout = 20", "PRAGMA busy_timeout = 10000"),
        engines.Postgresql: ("SET lock_timeout = '20ms'", "SET lock_timeout = '5s'"),
        engines.MySql: ("SET SESSION lock_wait_timeout = 1", "SET SESSION lock_wait_timeout = 60"),
    }
    table = LessonProgress._meta.table_name
    holds = {
        engines.Sqlite: ("BEGIN EXCLUSIVE",),
        engines.Postgresql: ("BEGIN", f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE"),
        engines.MySql: (f"LOCK TABLES {table} WRITE",),
    }
    frees = {engines.MySql: "UNLOCK TABLES"}
    short, usual = waits[type(engine)]
    database.execute_sql(short)
    blocker = engine._connect()
    try:
        cursor = blocker.cursor()
        for statement in holds[type(engine)]:
            cursor.execute(statement)
        yield
    finally:
        cursor.execute(frees.get(type(engine), "ROLLBACK"))
        engine._close(blocker)
        database.execute_sql(usual)


def test_a_database_that_is_away_loses_nothing_and_bounds_the_memory(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    phones = [a_phone(seconds=600, saved_up=300) for _ in range(5)]
    monkeypatch.setattr(flusher, "utcnow", lambda: NOW)
    with away():
        for chunk in range(30):
            for phone in phones:
                phone.watch([chunk])
                assert phone.beat().next == "go_on"
            if chunk % 10 == 0:
                assert flusher.run_once() == flusher.TROUBLE_PAUSE
        client = redis_clients.heartbeat()
        sets = [key for shard in store.shards() for key in (store.dirty_key(shard), store.flushing_key(shard))]
        assert sum(client.scard(key) for key in sets) <= 2 * len(phones)  # type: ignore[misc]
        assert all(phone.durable == set() for phone in phones)
    assert flusher.run_once() == flusher.PAUSE
    assert all(in_sql(phone) == set(range(30)) for phone in phones)
    assert sum(client.scard(key) for key in sets) == 0
    for phone in phones:
        phone.beat()
        assert phone.kept == set()
    assert audit_progress() == []


def _purge_rows(phone: Phone) -> None:
    LessonProgress.update(
        epoch=LessonProgress.epoch + 1, bitmap=b"", credited_chunks=0, revision=LessonProgress.revision + 1
    ).where(LessonProgress.id == phone.ticket.progress_id).execute()


def test_a_late_flush_does_not_undo_a_purge(clock: Clock) -> None:
    phone = a_phone(saved_up=100)
    phone.send(range(10))
    taken = list(store.take([(phone.ticket.person_id, phone.ticket.progress_id)]))
    _purge_rows(phone)
    with transaction():
        merged, purged = flush.merge(taken, now=NOW)
    assert (merged, purged) == (set(), {phone.ticket.progress_id: 1})
    assert in_sql(phone) == set()
    flush.flush(now=NOW)
    assert in_sql(phone) == set()
    assert phone.send([0]).reason == "purged", "the flush told Redis, though the purge itself could not"


def test_a_late_flush_would_undo_a_purge_without_the_epoch(clock: Clock) -> None:
    phone = a_phone(saved_up=100)
    phone.send(range(10))
    taken = list(store.take([(phone.ticket.person_id, phone.ticket.progress_id)]))
    LessonProgress.update(bitmap=b"", credited_chunks=0).where(
        LessonProgress.id == phone.ticket.progress_id
    ).execute()
    with transaction():
        flush.merge(taken, now=NOW)
    assert in_sql(phone) == set(range(10))


def test_a_phone_that_sends_again_does_not_undo_a_purge(clock: Clock) -> None:
    phone = a_phone(saved_up=200)
    phone.send(range(10))
    flush.flush(now=NOW)
    _purge_rows(phone)
    store.purge(phone.ticket.person_id, {phone.ticket.progress_id: 1})
    answer = phone.send(range(10))
    assert (answer.next, answer.reason, answer.credited, answer.epoch) == ("kicked", "purged", "", 1)
    progress = LessonProgress.get_by_id(phone.ticket.progress_id)
    again = play(Learner.get_by_id(phone.ticket.person_id), progress)
    assert isinstance(again, Phone)
    clock.forward(10)
    assert chunks_of(again.send(range(10)).credited) == {0}, "only the time since the purge counts"
    flush.flush(now=clock.now)
    assert in_sql(phone) == {0}
    assert audit_progress() == []


def test_an_old_ticket_would_be_credited_after_a_purge_without_the_epoch(clock: Clock) -> None:
    phone = a_phone(saved_up=200)
    phone.send(range(10))
    _purge_rows(phone)
    store.purge(phone.ticket.person_id, {phone.ticket.progress_id: 1})
    clock.forward(30)
    assert phone.send(range(10)).credited == ""
    with changed(beat=("if r.epoch > epoch", "if false")):
        assert len(chunks_of(phone.send(range(10)).credited)) == 3


def test_a_purge_that_could_not_reach_redis_holds_at_the_next_play(clock: Clock) -> None:
    phone = a_phone(saved_up=200)
    phone.send(range(10))
    _purge_rows(phone)
    again = play(Learner.get_by_id(phone.ticket.person_id), LessonProgress.get_by_id(phone.ticket.progress_id))
    assert isinstance(again, Phone)
    assert again.ticket.epoch == 1
    assert again.send(range(10)).credited == ""
    assert phone.send([0]).next == "kicked"


def test_a_lost_redis_gives_no_fresh_allowance(clock: Clock) -> None:
    phone = a_phone(seconds=3600, saved_up=300)
    store_before = phone.send(range(25)).store
    flush.flush(now=NOW)
    redis_clients.heartbeat().flushdb()
    clock.set(clock.now)
    answer = phone.send(range(60))
    assert chunks_of(answer.credited) == set(range(30)), "what was left of the 300 seconds, and no more"
    assert chunks_of(answer.durable) == set(range(25))
    assert answer.store != store_before
    flush.flush(now=clock.now)
    assert audit_progress() == []


def test_a_lost_redis_would_give_a_fresh_allowance_without_sqls_bucket(clock: Clock) -> None:
    phone = a_phone(seconds=3600, saved_up=300)
    phone.send(range(30))
    flush.flush(now=NOW)
    redis_clients.heartbeat().flushdb()
    clock.set(clock.now)
    with changed(open=("tonumber(ARGV[12]), tonumber(ARGV[11])", "tonumber(ARGV[12]), 1800000")):
        answer = phone.send(range(60))
    assert len(chunks_of(answer.credited)) > 30


def test_a_lost_redis_keeps_the_session_that_holds_the_lease(clock: Clock) -> None:
    learner = a_learner(saved_up=100)
    lesson = a_lesson_of(learner)
    first = play(learner, lesson, device="phone-a")
    second = play(learner, lesson, device="phone-b", take_over=True)
    assert isinstance(first, Phone)
    assert isinstance(second, Phone)
    redis_clients.heartbeat().flushdb()
    clock.set(clock.now)
    assert first.send([0]).next == "kicked"
    assert chunks_of(second.send([0]).credited) == {0}


def test_a_lost_redis_is_made_good_by_the_phone(clock: Clock) -> None:
    phone = a_phone(saved_up=600)
    dice = random.Random(7)
    stores = set()
    for chunk in range(60):
        phone.watch([chunk])
        stores.add(phone.beat().store)
        if dice.random() < 0.3:
            flush.flush(now=NOW)
        if dice.random() < 0.2:
            redis_clients.heartbeat().flushdb()
            clock.set(clock.now)
        assert phone.durable <= in_sql(phone)
    phone.beat()
    flush.flush(now=NOW)
    phone.beat()
    assert phone.kept == set()
    assert in_sql(phone) == set(range(60))
    assert len(stores) > 3, "each loss has a name of its own"
    assert audit_progress() == []


def test_what_a_restored_database_has_lost_is_written_again_at_the_next_play(clock: Clock) -> None:
    phone = a_phone(saved_up=100)
    phone.send(range(5))
    flush.flush(now=NOW)
    LessonProgress.update(bitmap=bitmap.of([0]), credited_chunks=1).where(
        LessonProgress.id == phone.ticket.progress_id
    ).execute()
    again = play(Learner.get_by_id(phone.ticket.person_id), LessonProgress.get_by_id(phone.ticket.progress_id))
    assert isinstance(again, Phone)
    assert chunks_of(again.send([]).durable) == {0}
    flush.flush(now=NOW)
    assert in_sql(phone) == set(range(5))


def test_the_audit_sees_too_much_credit(clock: Clock) -> None:
    phone = a_phone(seconds=600)
    everything = bitmap.of(range(60))
    LessonProgress.update(bitmap=everything, credited_chunks=60, completed_at=NOW).where(
        LessonProgress.id == phone.ticket.progress_id
    ).execute()
    assert audit_progress() == [f"learner {phone.ticket.person_id}: credited 600 s in 0 s"]
    LessonProgress.update(credited_chunks=61).execute()
    assert len(audit_progress()) == 2
    with pytest.raises(peewee.IntegrityError):
        LessonProgress.create(
            **LessonProgress.select().where(LessonProgress.id == phone.ticket.progress_id).dicts().get()
        )
