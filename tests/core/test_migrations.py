"""The migrations and the models say the same."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import peewee

from app import wiring
from app.core import db, migrate
from tests.world import World


def test_the_migrations_make_what_the_models_describe(world: World, tmp_path: Path) -> None:
    running = db.database.obj
    fresh = peewee.SqliteDatabase(tmp_path / "fresh.db")
    try:
        db.database.initialize(fresh)
        with fresh.bind_ctx(wiring.models()):
            assert migrate.pending()
            assert migrate.up()
            assert migrate.pending() == []
            assert migrate.up() == []
            assert migrate.difference(wiring.models()) == ""
    finally:
        fresh.close()
        db.database.initialize(running)
    with sqlite3.connect(tmp_path / "fresh.db") as connection:
        names = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    assert {model._meta.table_name for model in wiring.models()} <= names
