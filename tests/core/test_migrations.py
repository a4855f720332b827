"""The migrations and the models say the same, on the database that the tests run on."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import peewee
import pytest

from app import wiring
from app.core import db, engines, migrate
from config.settings import SettingsError
from ops.databases import own_database
from tests.world import World

FIRST = "0001_initial.py"


@contextmanager
def fresh(world: World, tmp_path: Path) -> Iterator[peewee.Database]:
    """An empty database of the same kind as the world's, bound in its place."""
    running = db.database.obj
    with own_database(world.settings.database_url, tmp_path, durable=False) as url:
        engine = db.connect(url)
        try:
            with db.connection():
                yield engine
        finally:
            engine.close_all()
            db.database.initialize(running)


def test_the_migrations_make_what_the_models_describe(world: World, tmp_path: Path) -> None:
    with fresh(world, tmp_path) as engine:
        assert migrate.pending()
        assert migrate.up()
        assert migrate.pending() == []
        assert migrate.up() == []
        assert migrate.difference(wiring.models()) == ""
        assert {model._meta.table_name for model in wiring.models()} <= set(engine.get_tables())


def test_a_column_that_no_migration_makes_is_seen(world: World, tmp_path: Path) -> None:
    with fresh(world, tmp_path) as engine:
        migrate.up()
        engine.execute_sql("ALTER TABLE person DROP COLUMN activated_at")
        assert "activated_at" in migrate.difference(wiring.models())


def value(column: peewee.ColumnMetadata, number: int) -> Any:
    """Something to put into a column, another for each number."""
    kind = column.data_type.lower()
    if "bool" in kind:
        return bool(number % 2)
    if "blob" in kind or "bytea" in kind:
        return bytes([number])
    if "time" in kind:
        return f"2026-01-{number:02d} 12:34:56.123456"
    if "date" in kind:
        return f"2026-01-{number:02d}"
    return str(number) if "char" in kind or "text" in kind else number


def fill(engine: peewee.Database, table: str, rows: int) -> None:
    """Rows in which every column has a value; what refers to a row of the same number finds it."""
    columns = engine.get_columns(table)
    target = peewee.Table(table, [column.name for column in columns]).bind(engine)
    for number in range(1, rows + 1):
        target.insert({column.name: value(column, number) for column in columns}).execute()


def test_rows_of_the_first_version_live_on_in_the_latest(world: World, tmp_path: Path) -> None:
    first = tmp_path / "first"
    first.mkdir()
    shutil.copy(migrate.DIRECTORY / FIRST, first)
    with fresh(world, tmp_path) as engine:
        assert migrate.up(first) == [FIRST.removesuffix(".py")]
        tables = sorted(set(engine.get_tables()) - {"schema_migration"})
        assert len(tables) > 30
        for table in tables:
            fill(engine, table, rows=2)
        migrate.up()
        assert migrate.difference(wiring.models()) == ""
        found = {model._meta.table_name: list(model.select()) for model in wiring.models()}
        assert {table: len(found.get(table, [])) for table in tables} == dict.fromkeys(tables, 2)
        assert found["person"][0].created_at.microsecond == 123456


def test_a_mariadb_that_takes_small_letters_for_capitals_is_refused(world: World, tmp_path: Path) -> None:
    with fresh(world, tmp_path) as engine:
        if not isinstance(engine, engines.MySql):
            pytest.skip("only MariaDB and MySQL compare so by default")
        engine.execute_sql(f"ALTER DATABASE {engine.database} COLLATE utf8mb4_general_ci")
        with pytest.raises(SettingsError, match="utf8mb4_bin"):
            migrate.up()
        assert engine.get_tables() == []
