"""Databases of one run: made empty, gone afterwards, never somebody else's."""

from __future__ import annotations

from pathlib import Path

import peewee
import pytest

from app.core import db, engines
from app.core import redis as redis_clients
from ops.databases import borrowed_redis, own_database
from tests.world import World


def names(world: World) -> set[str]:
    """The databases of the server that this world is on."""
    sql = "SHOW DATABASES" if isinstance(db.database.obj, engines.MySql) else "SELECT datname FROM pg_database"
    return {name for (name,) in db.database.execute_sql(sql).fetchall()}


def test_a_database_of_a_run_is_empty_and_gone_afterwards(world: World, tmp_path: Path) -> None:
    url = world.settings.database_url
    with own_database(url, tmp_path, durable=True) as made:
        assert made != url
        engine = engines.make(made, connections=1)
        assert engine.get_tables() == []
        engine.execute_sql("CREATE TABLE thing (id INTEGER)")
        if not isinstance(engine, peewee.SqliteDatabase):
            assert made.rpartition("/")[2] in names(world)
        engine.close_all()
    if not isinstance(engine, peewee.SqliteDatabase):
        assert made.rpartition("/")[2] not in names(world)


def test_a_redis_in_use_is_not_borrowed(world: World) -> None:
    url, client = world.settings.redis_url, redis_clients.queue()
    client.set("somebody", "else")
    with pytest.raises(SystemExit, match="in use"), borrowed_redis(url):
        pass
    assert client.get("somebody") == b"else"


def test_a_borrowed_redis_is_emptied_again(world: World) -> None:
    client = redis_clients.queue()
    client.flushdb()
    with borrowed_redis(world.settings.redis_url):
        client.set("left", "behind")
    assert client.dbsize() == 0
