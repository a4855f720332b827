"""The clock, the worker, and the signs of life, with and without Redis."""

from __future__ import annotations

from datetime import datetime

import pytest
import redis
from flask.testing import FlaskClient
from rq import SimpleWorker
from rq.serializers import JSONSerializer

from app.core import liveness
from app.core import redis as redis_clients
from app.core.queue import NAME, enqueue_hint, queue
from jobs import cron, entries, schedule
from jobs.schedule import QUEUED, Entry
from tests.world import World

RAN: list[datetime] = []


def note(*, now: datetime) -> None:
    RAN.append(now)


def fail(*, now: datetime) -> None:
    raise RuntimeError("this entry is broken")


@pytest.fixture
def entry(world: World, monkeypatch: pytest.MonkeyPatch) -> Entry:
    """A schedule of one entry, every ten seconds."""
    RAN.clear()
    one = Entry("test.note", 10, note)
    for module in (schedule, cron):
        monkeypatch.setattr(module, "SCHEDULE", (one,))
    return one


@pytest.fixture
def no_redis(monkeypatch: pytest.MonkeyPatch) -> None:
    """Redis is away."""
    gone = redis.Redis(unix_socket_path="/nonexistent/redis.sock")
    monkeypatch.setitem(redis_clients._clients, "queue", gone)


def work() -> None:
    """Run what waits in the queue, as a worker does."""
    connection = redis_clients.queue()
    SimpleWorker([NAME], connection=connection, serializer=JSONSerializer).work(burst=True, logging_level="ERROR")


def test_what_is_due_is_asked_of_a_worker_once_until_it_ran(entry: Entry) -> None:
    due: dict[str, float] = {}
    cron.tick(due, 100.0)
    cron.tick(due, 105.0)  # not due yet
    cron.tick(due, 110.0)  # due, but the first run still waits
    assert queue().count == 1
    entries.run_scheduled(entry.name)
    assert len(RAN) == 1
    cron.tick(due, 120.0)
    assert queue().count == 2


def test_without_redis_the_clock_runs_what_is_due_itself(entry: Entry, no_redis: None) -> None:
    due: dict[str, float] = {}
    cron.tick(due, 100.0)
    cron.tick(due, 105.0)
    cron.tick(due, 110.0)
    assert len(RAN) == 2


def test_an_entry_that_fails_does_not_stop_the_others(
    entry: Entry, no_redis: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    both = (Entry("test.fail", 10, fail), entry)
    for module in (schedule, cron):
        monkeypatch.setattr(module, "SCHEDULE", both)
    cron.tick({}, 100.0)
    assert len(RAN) == 1


def test_a_worker_that_was_killed_does_not_stop_the_schedule_for_good(entry: Entry) -> None:
    cron.tick({}, 100.0)
    mark = QUEUED.format(entry.name)
    assert 0 < redis_clients.queue().ttl(mark) <= cron.QUEUED_SECONDS


def test_names_in_the_schedule_are_unique_and_each_entry_can_run(world: World) -> None:
    names = [one.name for one in schedule.SCHEDULE]
    assert len(names) == len(set(names))
    for name in names:
        entries.run_scheduled(name)


def test_a_hint_that_redis_does_not_take_is_no_error(world: World, no_redis: None) -> None:
    assert enqueue_hint("jobs.entries.run_scheduled", "outbox.sweep") is False


def test_a_hint_is_worked_off_by_the_worker(entry: Entry) -> None:
    assert enqueue_hint("jobs.entries.run_scheduled", entry.name)
    work()
    assert len(RAN) == 1


def test_readiness_names_every_process_that_is_missing(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(liveness, "_last", {})
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json == {"status": "down", "down": ["worker", "cron", "flusher"]}
    for process in liveness.PROCESSES:
        liveness.beat(process)
    assert client.get("/readyz").status_code == 200


def test_readiness_is_red_without_redis(client: FlaskClient, no_redis: None) -> None:
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json == {"status": "down", "down": ["redis"]}
