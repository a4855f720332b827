"""Rows into PostgreSQL by COPY, as text that is put together here: five times as quick as a statement a row."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from types import NoneType
from typing import Any

from app.core.db import BaseModel, database

_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


class ready(str):
    """A text that needs no escape: base64, an id, a number."""

    __slots__ = ()


class _Moments(dict[datetime, str]):
    """Moments as text; a row and those that hang on it have many in common."""

    def __missing__(self, at: datetime) -> str:
        if len(self) > 50_000:
            self.clear()
        self[at] = found = str(at)
        return found


# values as COPY reads them; of an aware moment PostgreSQL leaves out the zone, which is UTC
_TEXTS: dict[type, Callable[[Any], str]] = {
    NoneType: lambda _: "\\N",
    ready: lambda value: value,
    str: lambda value: value.translate(_ESCAPES),
    bool: lambda value: "t" if value else "f",
    bytes: lambda value: f"\\\\x{value.hex()}",
    int: str,
    float: str,
    date: str,
    datetime: _Moments().__getitem__,
}


class Table:
    """Rows of one table on their way. `columns`: what each row names, in this order; the others get the model's
    default, or NULL, so that a column that a later version adds is no trouble here."""

    def __init__(self, model: type[BaseModel], columns: str):
        self.name: str = model._meta.table_name
        self.model, self.count, self._columns = model, 0, columns.split()
        fields = {field.name: field for field in model._meta.sorted_fields}
        names = {name: fields[name].column_name if name in fields else name for name in self._columns}
        given = {names[name] for name in self._columns}
        more = {
            field.column_name: _TEXTS[type(field.default)](field.default)
            for field in model._meta.sorted_fields
            if field.column_name not in given and type(field.default) in _TEXTS and field.default is not None
        }
        quoted = [f'"{name}"' for name in [*names.values(), *more]]
        self._sql = f'COPY "{self.name}" ({", ".join(quoted)}) FROM STDIN'
        self._tail = "".join(f"\t{value}" for value in more.values()) + "\n"
        self._lines: list[str] = []

    def add(self, *values: Any) -> None:
        """One row."""
        self._lines.append("\t".join([_TEXTS[value.__class__](value) for value in values]))

    def send(self) -> None:
        """Write what was added."""
        if not self._lines:
            return
        with database.cursor().copy(self._sql) as copy:
            copy.write((self._tail.join(self._lines) + self._tail).encode())
        self.count += len(self._lines)
        self._lines = []


@contextmanager
def without_indexes(tables: Sequence[str]) -> Iterator[None]:
    """Indexes and primary keys of these tables are away meanwhile, and made again afterwards, each in one go: rows
    come in an order of their own."""
    keys: list[tuple[str, str, str]] = []
    indexes: list[tuple[str, str]] = []
    for table in tables:
        keys += database.execute_sql(
            "SELECT %s, conname, pg_get_constraintdef(oid) FROM pg_constraint "
            "WHERE conrelid = %s::regclass AND contype = 'p'",
            (table, f'"{table}"'),
        ).fetchall()
        indexes += database.execute_sql(
            "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename = %s "
            "AND indexname NOT IN (SELECT conname FROM pg_constraint)",
            (table,),
        ).fetchall()
    for name, _ in indexes:
        database.execute_sql(f'DROP INDEX "{name}"')
    for table, name, _ in keys:
        database.execute_sql(f'ALTER TABLE "{table}" DROP CONSTRAINT "{name}"')
    yield
    database.execute_sql("SET maintenance_work_mem = '512MB'; SET statement_timeout = 0")
    statements = [f'ALTER TABLE "{table}" ADD CONSTRAINT "{name}" {what}' for table, name, what in keys]
    statements += [definition for _, definition in indexes]
    for number, statement in enumerate(statements, start=1):
        database.execute_sql(statement)
        if number % 20 == 0:
            print(f"  {number} of {len(statements)} indexes", flush=True)
