"""Databases that are made for one run and dropped after it: of a journey, a fault experiment, a test."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import redis

from app.core import engines


@contextmanager
def own_database(server_url: str | None, directory: Path, *, durable: bool) -> Iterator[str]:
    """The URL of an empty database, which is gone afterwards: made on the server of `server_url` (with any database
    of it to begin from), or a file in `directory` where there is none. Without `durable` PostgreSQL answers a commit
    before it is on the disk, which makes tests twice as quick, and loses nothing that anybody wants."""
    if not server_url or server_url.startswith("sqlite:"):
        yield f"sqlite:///{directory}/app.db"
        return
    name = f"zhukao_run_{os.getpid()}_{secrets.token_hex(3)}"
    server = engines.make(server_url, connections=1)
    maria = isinstance(server, engines.MySql)
    try:
        server.execute_sql(f"CREATE DATABASE {name} {engines.MYSQL_WORDS if maria else ''}")
        if not maria and not durable:
            server.execute_sql(f"ALTER DATABASE {name} SET synchronous_commit = off")
        yield urlunsplit(urlsplit(server_url)._replace(path=f"/{name}"))
    finally:
        server.execute_sql(f"DROP DATABASE IF EXISTS {name} {'' if maria else 'WITH (FORCE)'}")
        server.close_all()


@contextmanager
def borrowed_redis(url: str) -> Iterator[str]:
    """The database of a Redis server that `url` names, which must be empty: a worker of somebody else would take our
    jobs. Emptied again afterwards. Exits where it is not."""
    with redis.Redis.from_url(url) as client:
        try:
            used = client.dbsize()
        except redis.exceptions.RedisError as error:
            raise SystemExit(f"REDIS_URL: no Redis answers there ({type(error).__name__})") from None
        if used:
            raise SystemExit("REDIS_URL names a database that is in use: choose an empty one, as in redis://host/9")
        try:
            yield url
        finally:
            client.flushdb()
