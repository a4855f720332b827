"""The database: one proxy, one base model, one transaction, one compare-and-set, one place that begins anew.

SQLite means WAL and IMMEDIATE transactions (a deferred read-then-write loses updates); PostgreSQL and MariaDB follow
by URL with READ COMMITTED, where what was read may have changed before it is written: see `compare_and_set`,
`insert_once` and `locked`.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, TypeVar

import peewee
import structlog

from app.core import engines
from app.core.ids import new_id

log = structlog.get_logger(__name__)

database = peewee.DatabaseProxy()
_local = threading.local()
T = TypeVar("T")
M = TypeVar("M", bound="BaseModel")

TRIES = 4  # of one unit of work, before its caller is told that we are busy


def connect(url: str, *, connections: int = 64) -> peewee.Database:
    """Bind the proxy to the database of `url`, with a pool of at most `connections`, and return it. They are opened
    by `connection()`. Raises `ValueError` for a URL that is none."""
    engine = engines.make(url, connections)
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
        engines.trace.committed = True  # now, not afterwards: a commit whose answer is lost may have happened
    callbacks, _local.callbacks = _local.callbacks, []
    for callback in callbacks:
        callback()


def unit(work: Callable[[], T]) -> T:
    """One unit of work (a request, a job, a row of a sweep): gives what `work()` gives. Where another transaction was
    in its way (deadlock, lock wait), or its connection broke, and nothing of it was committed yet, it begins anew.
    Since no provider is called before a commit, nobody is asked twice. Raises what `work` raises."""
    outer, engines.trace.committed = getattr(engines.trace, "committed", False), False
    try:
        for attempt in range(1, TRIES + 1):
            try:
                return work()
            except (peewee.OperationalError, peewee.InterfaceError, peewee.InternalError) as error:
                what = engines.meaning(error)
                if what is None or engines.trace.committed or database.in_transaction() or attempt == TRIES:
                    raise
                log.warning("unit_begins_anew", why=what, attempt=attempt)
                if what == "gone":
                    _reconnect()
                time.sleep(random.uniform(0.005, 0.05) * attempt)  # noqa: S311 - not a secret
        raise AssertionError("unreachable")
    finally:
        engines.trace.committed = outer or engines.trace.committed


def _reconnect() -> None:
    """Leave the broken connection, and those that wait in the pool: they are as old."""
    database.obj.manual_close()
    database.obj.close_idle()
    database.connect()


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
    """A row with an id made by the application. Create rows with `Model.create(...)`: it inserts.

    A column whose name ends in `_index` holds a keyed index (`app.core.crypto`); `keyed` names others that do."""

    keyed: tuple[str, ...] = ()

    id = peewee.CharField(16, primary_key=True, default=new_id)

    def rekeyed(self) -> dict[str, Any]:
        """The columns, besides those of `Sealed` attributes, that change when these are written under new keys."""
        return {}

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
        with savepoint():
            model.create(**values)
    except peewee.IntegrityError as error:
        if not engines.is_taken(error):
            raise
        return False
    return True


@contextmanager
def savepoint() -> Iterator[None]:
    """What may fail by a unique key: only it is rolled back then, and the transaction around it goes on (PostgreSQL
    takes no further statement otherwise)."""
    if not database.in_transaction():
        with transaction():
            yield
        return
    with database.atomic():
        yield


def locked(model: type[M], row_id: str) -> M | None:
    """The row, which nobody else changes before the transaction ends; None if there is none. Inside a transaction
    only. For what is decided from several rows: take the lock of the one that stands for them all."""
    if not database.in_transaction():
        raise RuntimeError("a row is locked inside a transaction only")
    row: M | None = lock(model.select().where(model.id == row_id)).first()
    return row


def lock(query: peewee.ModelSelect) -> peewee.ModelSelect:
    """The query, whose rows nobody else changes before the transaction ends. Ask for several in the order of their
    ids, so that two who want the same ones do not wait for each other. SQLite's transactions are alone anyway."""
    return query.for_update() if database.for_update else query
