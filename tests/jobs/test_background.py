"""The clock, the worker, and the signs of life, with and without Redis."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from threading import Thread

import pytest
from flask.testing import FlaskClient
from rq import SimpleWorker
from rq.serializers import JSONSerializer

from app.core import liveness
from app.core import redis as redis_clients
from app.core.queue import NAME, enqueue_hint, queue
from jobs import cron, entries, schedule
from jobs.schedule import QUEUED, Entry
from jobs.worker import Worker
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
    gone = redis_clients.quick_client("unix:///nonexistent/redis.sock")
    monkeypatch.setitem(redis_clients._clients, "queue", gone)
    monkeypatch.setattr(redis_clients, "_hints", [redis_clients.Hints(gone)])


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


def test_readiness_names_every_process_that_is_missing(client: FlaskClient) -> None:
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


class HangingRedis:
    """Takes connections and commands, answers none; counts the connections."""

    def __init__(self, path: Path):
        self.url = f"unix://{path}"
        self._server = socket.socket(socket.AF_UNIX)
        self._server.bind(str(path))
        self._server.listen(64)
        self._connections: list[socket.socket] = []
        self._thread = Thread(target=self._take, daemon=True)
        self._thread.start()

    def _take(self) -> None:
        while True:
            connection, _ = self._server.accept()
            if connection.recv(1) == b"!":
                return
            self._connections.append(connection)

    def tries(self) -> int:
        """How many connections were made."""
        return len(self._connections)

    def close(self) -> None:
        """Let go."""
        with socket.socket(socket.AF_UNIX) as last:
            last.connect(self.url.removeprefix("unix://"))
            last.send(b"!")
            self._thread.join()
        for one in (*self._connections, self._server):
            one.close()


@pytest.fixture
def clock() -> list[float]:
    """What time the hints take it for: the last one."""
    return [1000.0]


@pytest.fixture
def hanging(
    world: World, clock: list[float], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[HangingRedis]:
    """Redis hangs."""
    redis_ = HangingRedis(tmp_path / "s")
    client = redis_clients.quick_client(redis_.url)
    monkeypatch.setattr(redis_clients, "_hints", [redis_clients.Hints(client, lambda: clock[-1])])
    monkeypatch.setitem(redis_clients._clients, "queue", client)
    yield redis_
    client.close()
    redis_.close()


def test_a_hanging_redis_costs_a_tick_one_try(hanging: HangingRedis, monkeypatch: pytest.MonkeyPatch) -> None:
    RAN.clear()
    monkeypatch.setattr("jobs.cron.run", lambda name, now: RAN.append(now))
    assert redis_clients.QUICK <= 0.5
    cron.tick({}, 100.0)
    assert len(RAN) == len(schedule.SCHEDULE), "all of it is done all the same"
    assert hanging.tries() == 1


def test_a_tick_does_not_ask_again_even_if_its_entries_take_longer_than_the_pause(
    hanging: HangingRedis, clock: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jobs.cron.run", lambda name, now: clock.append(clock[-1] + 20))
    cron.tick({}, 100.0)
    assert hanging.tries() == 1


def test_hints_and_marks_leave_a_hanging_redis_alone_for_a_while(hanging: HangingRedis, clock: list[float]) -> None:
    began = time.monotonic()
    for _ in range(20):
        assert enqueue_hint("jobs.entries.run_scheduled", "outbox.sweep") is False
        liveness.beat("cron")
    assert hanging.tries() == 1
    assert time.monotonic() - began < 2.0
    clock.append(clock[-1] + redis_clients.PAUSE)
    assert enqueue_hint("jobs.entries.run_scheduled", "outbox.sweep") is False
    assert hanging.tries() == 2


def test_hints_are_taken_again_when_redis_is_back(
    hanging: HangingRedis, clock: list[float], world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert enqueue_hint("jobs.entries.run_scheduled", "outbox.sweep") is False
    back = redis_clients.quick_client(world.settings.redis_url)
    monkeypatch.setattr(redis_clients.hints(), "client", back)
    clock.append(clock[-1] + redis_clients.PAUSE)
    for _ in range(2):
        assert enqueue_hint("jobs.entries.run_scheduled", "outbox.sweep")
    back.close()


def test_readiness_of_a_hanging_redis_is_red_at_once(client: FlaskClient, hanging: HangingRedis) -> None:
    assert client.get("/readyz").json == {"status": "down", "down": ["redis"]}
    assert hanging.tries() == 1


def a_slow_job() -> None:
    """Waits until the worker's mark is written anew."""
    redis_clients.queue().delete("alive:worker")
    end = time.monotonic() + 5
    while "worker" in liveness.missing() and time.monotonic() < end:
        time.sleep(0.02)
    SEEN.append("worker" not in liveness.missing())


SEEN: list[bool] = []


def test_a_worker_is_alive_during_a_job(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    SEEN.clear()
    monkeypatch.setattr(liveness, "EVERY", 0.05)
    queue().enqueue(a_slow_job)
    worker = Worker([NAME], connection=redis_clients.queue(), serializer=JSONSerializer)
    worker.work(burst=True, logging_level="ERROR")
    assert SEEN == [True]


def test_a_main_loop_that_is_stuck_is_not_alive() -> None:
    pulse = liveness.Pulse("worker")
    now = time.monotonic()
    assert pulse.moves(now + 120), "a job may take so long"
    assert not pulse.moves(now + 131)
    assert liveness.SECONDS <= 15, "a process that is gone is noticed"


def test_a_stuck_main_loop_loses_its_mark(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(liveness, "EVERY", 0.02)
    pulse = liveness.Pulse("worker", limit=0.2)
    with pulse.running():
        time.sleep(0.3)
        redis_clients.queue().delete("alive:worker")
        time.sleep(0.1)
        assert "worker" in liveness.missing()
        pulse.limit = 60
        pulse.step()
        end = time.monotonic() + 5
        while "worker" in liveness.missing():
            assert time.monotonic() < end
            time.sleep(0.02)
