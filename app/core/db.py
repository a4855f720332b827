"""The database: one proxy, one base model, one transaction, one compare-and-set.

SQLite here means WAL and IMMEDIATE transactions (a deferred read-then-write loses updates). PostgreSQL and MariaDB
follow by URL with READ COMMITTED.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import peewee
from playhouse.pool import PooledSqliteDatabase

from app.core.ids import new_id

database = peewee.DatabaseProxy()
_local = threading.local()

SQLITE_PRAGMAS = {"journal_mode": "wal", "synchronous": "full", "foreign_keys": 1, "busy_timeout": 10_000}


def column_types(url: str) -> dict[str, str]:
    """What the database of `url` calls a column, where it is not what peewee takes it for. MariaDB cuts moments to
    seconds unless told otherwise: a compare-and-set on one would then never find its row."""
    return {"DATETIME": "DATETIME(6)"} if url.startswith("mysql://") else {}


def connect(url: str) -> peewee.Database:
    """Bind the proxy to the database of `url` and return it. Connections are opened by `connection()`."""
    if not url.startswith("sqlite:///"):
        raise ValueError(f"no driver for {url.split(':')[0]} yet")
    engine = PooledSqliteDatabase(
        url.removeprefix("sqlite:///"),
        pragmas=SQLITE_PRAGMAS,
        field_types=column_types(url),
        max_connections=64,
        stale_timeout=300,
        timeout=10,
        check_same_thread=False,
    )
    database.initialize(engine)
    return engine


@contextmanager
def connection() -> Iterator[None]:
    """A connection for one request or job; nested use keeps the outer one."""
    opened = database.connect(reuse_if_open=True)
    try:
        yield
    finally:
        if opened:
            database.close()


@contextmanager
def transaction() -> Iterator[None]:
    """One transaction (IMMEDIATE on SQLite); nested use joins the outer one. No network call inside.
    Callbacks given to `after_commit` run once the outermost one has committed."""
    if database.in_transaction():
        yield
        return
    _local.callbacks = []
    lock = ("IMMEDIATE",) if isinstance(database.obj, peewee.SqliteDatabase) else ()
    with database.atomic(*lock):
        yield
    callbacks, _local.callbacks = _local.callbacks, []
    for callback in callbacks:
        callback()


def after_commit(callback: Callable[[], object]) -> None:
    """Run `callback` after the running transaction commits (dropped when it rolls back), or now outside of one.
    Only for hints such as an enqueue: what must happen is an outbox row."""
    if database.in_transaction():
        _local.callbacks.append(callback)
    else:
        callback()


class UtcField(peewee.DateTimeField):  # type: ignore[misc]
    """An aware UTC moment in microseconds; a naive one is refused."""

    def db_value(self, value: datetime | None) -> Any:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{self.name}: a moment without a time zone")
        return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")

    def python_value(self, value: Any) -> datetime | None:
        if value is None:
            return None
        moment = value if isinstance(value, datetime) else datetime.fromisoformat(value)
        return moment.replace(tzinfo=UTC)


class BaseModel(peewee.Model):  # type: ignore[misc]
    """A row with an id made by the application. Create rows with `Model.create(...)`: it inserts."""

    id = peewee.CharField(16, primary_key=True, default=new_id)

    class Meta:
        database = database
        legacy_table_names = False


def compare_and_set(model: type[BaseModel], row_id: str, where: dict[str, Any], values: dict[str, Any]) -> bool:
    """`UPDATE model SET values WHERE id = row_id AND where`: True if this caller won, False if another did."""
    query = model.update(values).where(model.id == row_id)
    for name, value in where.items():
        query = query.where(getattr(model, name) == value)
    return bool(query.execute())


def insert_once(model: type[BaseModel], **values: Any) -> bool:
    """Insert a row unless a unique key of it is taken: True if it was inserted. Raises `IntegrityError` for whatever
    else is wrong with it: a value that is missing, a row it refers to that is not there."""
    try:
        with database.atomic():
            model.create(**values)
    except peewee.IntegrityError as error:
        if not _is_taken(error):
            raise
        return False
    return True


def _is_taken(error: peewee.IntegrityError) -> bool:
    """Whether a unique key was taken, as SQLite (extended code), PostgreSQL (SQLSTATE) or MariaDB (error number)
    says it."""
    cause = error.orig
    if isinstance(cause, sqlite3.IntegrityError):
        return cause.sqlite_errorcode in (sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY)
    return getattr(cause, "sqlstate", None) == "23505" or getattr(cause, "args", ())[:1] == (1062,)
