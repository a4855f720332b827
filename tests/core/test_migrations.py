"""The migrations and the models say the same, on the database that the tests run on."""

from __future__ import annotations

import ast
import re
import runpy
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
from ops import manage
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


def test_refunds_of_the_version_before_are_counted_and_what_is_counted_is_never_made_less(
    world: World, tmp_path: Path
) -> None:
    with fresh(world, tmp_path) as engine:
        migrate.up()
        for table in ("payment_attempt", "refund"):
            fill(engine, table, rows=3)
        engine.execute_sql("UPDATE payment_attempt SET refunded_fen = 0 WHERE id = '1'")
        engine.execute_sql("UPDATE payment_attempt SET refunded_fen = 500 WHERE id = '2'")
        engine.execute_sql("UPDATE refund SET attempt_id = '1', amount_fen = 70 WHERE id <> '2'")  # two parts of one
        migration = runpy.run_path(str(migrate.DIRECTORY / "0112_contract_one_refund.py"))
        for _ in range(2):
            migration["count_refunds"](engine)
            rows = engine.execute_sql("SELECT refunded_fen FROM payment_attempt ORDER BY id").fetchall()
            assert [int(back) for (back,) in rows] == [140, 500, 3]


ADDS = {"add_column", "add_index", "add_constraint", "add_unique", "drop_not_null", "migrate"}
TAKES = {"drop_column", "drop_table", "drop_index", "drop_constraint", "migrate"}


def done_by(text: str) -> set[str]:
    """What `up` of a migration asks of the migrator, and the first words of its own statements."""
    (up,) = [node for node in ast.parse(text).body if isinstance(node, ast.FunctionDef) and node.name == "up"]
    calls = [
        node.func for node in ast.walk(up) if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    ]
    asked = {call.attr for call in calls if isinstance(call.value, ast.Name) and call.value.id == "migrator"}
    texts = [node.value for node in ast.walk(up) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    return asked | {word for text in texts for word in re.findall(r"\b(?:DROP|RENAME)\b", text.upper())}


def must_not_be_empty(text: str) -> set[str]:
    """Columns that are added and must have a value, which the version before does not write."""
    calls = [ast.unparse(node) for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)]
    added = [call for call in calls if call.startswith("migrator.add_column")]
    return {call for call in added if "null=True" not in call and "DEFAULT" not in call}


def wrong_in(name: str, text: str) -> set[str]:
    """What a migration of this name does and must not, while processes of two versions run."""
    if migrate.CONTRACT in name:
        return done_by(text) - TAKES - {"DROP"}
    return done_by(text.partition("def down")[0]) - ADDS | must_not_be_empty(text.partition("def down")[0])


def test_a_migration_adds_or_takes_away_and_never_both() -> None:
    """A column that is dropped with its replacement is missed by the processes of the version before."""
    files = sorted(migrate.DIRECTORY.glob("[0-9]*.py"))
    assert len(files) > 5
    assert {file.name: wrong for file in files if (wrong := wrong_in(file.stem, file.read_text()))} == {}


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("0099_new", "migrator.migrate(migrator.drop_column('person', 'phone_sealed'))"),
        ("0099_new", "migrator.migrate(migrator.rename_column('person', 'a', 'b'))"),
        ("0099_new", "migrator.migrate(migrator.add_not_null('person', 'phone_sealed'))"),
        ("0099_new", "migrator.migrate(migrator.add_column('person', 'b', BooleanField(default=True)))"),
        ("0099_new", "db.execute_sql('alter table person drop column a')"),
        ("0099_contract_new", "migrator.migrate(migrator.add_column('person', 'b', TextField(null=True)))"),
    ],
)
def test_one_that_does_is_refused(name: str, line: str) -> None:
    assert wrong_in(name, f"def up(migrator, db):\n    {line}\n")


def test_processes_of_both_versions_find_their_columns_while_an_update_rolls(world: World, tmp_path: Path) -> None:
    with fresh(world, tmp_path) as engine:
        migrate.up(contract=False)
        waiting = migrate.pending()
        assert waiting
        assert all(migrate.CONTRACT in name for name in waiting)
        left_over = set()
        for model in wiring.models():
            table = model._meta.table_name
            columns = {column.name: column for column in engine.get_columns(table)}
            assert set(model._meta.columns) <= set(columns)
            for name in set(columns) - set(model._meta.columns):
                assert columns[name].null, f"{table}.{name}: the new version writes rows without it"
                left_over.add(f"{table}.{name}")
        assert "payment_attempt.code_url" in left_over
        migrate.up()
        assert migrate.difference(wiring.models()) == ""


def test_the_command_line_takes_away_only_when_asked(
    world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRETS_DIR", str(world.settings.secrets.directory))
    first = tmp_path / "first"
    first.mkdir()
    shutil.copy(migrate.DIRECTORY / FIRST, first)

    def run(*arguments: str) -> str:
        options = manage.parser().parse_args(["migrate", *arguments])
        assert options.run(options) == 0
        return capsys.readouterr().out

    with fresh(world, tmp_path):
        migrate.up(first)
        assert "0081_contract_code_url waits" in run()
        taken = run("--contract").split()
        assert taken[0] == "0081_contract_code_url"
        assert all(migrate.CONTRACT in name for name in taken)
    with fresh(world, tmp_path / "first"):
        assert "0081_contract_code_url\n" in run()
        assert "waits" not in run()


def test_a_mariadb_that_takes_small_letters_for_capitals_is_refused(world: World, tmp_path: Path) -> None:
    with fresh(world, tmp_path) as engine:
        if not isinstance(engine, engines.MySql):
            pytest.skip("only MariaDB and MySQL compare so by default")
        engine.execute_sql(f"ALTER DATABASE {engine.database} COLLATE utf8mb4_general_ci")
        with pytest.raises(SettingsError, match="utf8mb4_bin"):
            migrate.up()
        assert engine.get_tables() == []
