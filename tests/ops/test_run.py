"""`make run`: refuses clearly, starts everything, keeps it alive, leaves nothing behind."""

from __future__ import annotations

import fcntl
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from threading import Event

import psutil
import pytest
import requests

from config.settings import ROOT
from ops.processes import Child, Supervisor
from ops.run import redis_child, wait_for_database
from ops.stack import Stack, free_pair


def run(**environment: str) -> subprocess.CompletedProcess[str]:
    """`make run` that is expected to refuse."""
    argv = [sys.executable, "-m", "ops.run"]
    env = {**os.environ, **environment}
    return subprocess.run(argv, cwd=ROOT, env=env, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.slow
def test_a_taken_port_is_said_in_one_clear_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = run(PORT=str(port), DATA_DIR=str(tmp_path))
    assert result.returncode == 1
    assert result.stderr.strip() == (
        f"port {port} is taken: stop what uses it, or choose another PORT=… (it takes two)"
    )
    assert result.stdout == ""


@pytest.mark.slow
def test_a_port_that_is_none_is_said_in_one_clear_line(tmp_path: Path) -> None:
    result = run(PORT="http", DATA_DIR=str(tmp_path))
    assert result.returncode == 1
    assert result.stderr.strip() == "PORT='http' is not a port between 1024 and 65534"


@pytest.mark.slow
def test_a_data_directory_in_use_is_said_in_one_clear_line(tmp_path: Path) -> None:
    with (tmp_path / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        result = run(PORT=str(free_pair()), DATA_DIR=str(tmp_path))
    assert result.returncode == 1
    assert "is in use by another copy" in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1


def test_a_database_that_does_not_let_us_in_is_said_without_its_password() -> None:
    with socket.create_server(("127.0.0.1", 0)) as somebody:
        port = somebody.getsockname()[1]  # and nobody listens there once this block ends
    with pytest.raises(SystemExit, match="DATABASE_URL") as refused:
        wait_for_database(f"postgresql://someone:Geheim-1@127.0.0.1:{port}/none", Event(), seconds=0)
    assert "Geheim-1" not in str(refused.value)


def test_a_database_url_that_is_none_is_said_at_once() -> None:
    with pytest.raises(SystemExit, match="DATABASE_URL"):
        wait_for_database("mysql://127.0.0.1/", Event())


def test_a_named_redis_is_neither_started_nor_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REDIS_URL", raising=False)
    own = redis_child(tmp_path, f"unix://{tmp_path}/redis.sock", tmp_path)
    assert own is not None
    monkeypatch.setenv("REDIS_URL", "unix:///run/somebody.sock")
    assert redis_child(tmp_path, "unix:///run/somebody.sock", tmp_path) is None


def sleeper(directory: Path) -> Child:
    return Child("sleeper", [sys.executable, "-c", "import time; time.sleep(600)"], {}, directory)


def wait(condition: object, seconds: float = 10) -> bool:
    deadline = time.monotonic() + seconds
    while callable(condition) and not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


@pytest.mark.slow
def test_a_killed_child_is_started_again_and_counted(tmp_path: Path) -> None:
    supervisor = Supervisor(tmp_path / "run.json")
    child = supervisor.add(sleeper(tmp_path))
    first = child.pid
    try:
        assert first is not None
        os.kill(first, signal.SIGKILL)
        assert wait(lambda: supervisor.check() == ["sleeper"])
        assert child.pid != first
        assert child.restarts == 1
    finally:
        supervisor.stop()
    assert child.pid is not None
    assert not psutil.pid_exists(child.pid)


@pytest.mark.slow
def test_the_children_end_when_the_supervisor_is_killed(tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from ops.processes import Child, Supervisor\n"
        "d = Path(sys.argv[1]); s = Supervisor(d / 'run.json')\n"
        "c = s.add(Child('sleeper', [sys.executable, '-c', 'import time; time.sleep(600)'], {}, d))\n"
        "print(c.pid, flush=True); time.sleep(600)\n"
    )
    argv = [sys.executable, "-c", code, str(tmp_path)]
    with subprocess.Popen(argv, cwd=ROOT, stdout=subprocess.PIPE, text=True) as supervisor:
        assert supervisor.stdout is not None
        child = int(supervisor.stdout.readline())
        supervisor.kill()
    assert wait(lambda: not psutil.pid_exists(child))


@pytest.mark.slow
def test_two_copies_run_side_by_side_and_leave_nothing_behind(tmp_path: Path) -> None:
    with Stack(tmp_path / "one") as one, Stack(tmp_path / "two") as two:
        for stack in (one, two):
            assert requests.get(f"{stack.base_url}/readyz", timeout=5).json() == {"status": "ok", "down": []}
        pids = [child["pid"] for stack in (one, two) for child in stack.children().values()]
        names = set(one.children())
        assert names == {"redis", "sandbox", "web", "worker", "films", "cron", "flusher"}
        descendants = [child.pid for pid in pids for child in psutil.Process(pid).children(recursive=True)]
    assert wait(lambda: not any(psutil.pid_exists(pid) for pid in [*pids, *descendants]))


@pytest.mark.slow
def test_a_second_start_repeats_no_work_and_readiness_names_what_is_down(tmp_path: Path) -> None:
    with Stack(tmp_path) as stack:
        assert "film 1 of 2" in stack.log()
    with Stack(tmp_path) as stack:
        assert "film 1 of 2" not in stack.log()
        assert "migrations applied" not in stack.log()
        worker = stack.children()["worker"]["pid"]
        os.killpg(worker, signal.SIGSTOP)
        assert wait(lambda: not stack.ready(), seconds=30)
        assert requests.get(f"{stack.base_url}/readyz", timeout=5).json()["down"] == ["worker"]
        os.killpg(worker, signal.SIGCONT)
        assert wait(stack.ready, seconds=30)
