"""Statements of hot paths, written by peewee once a process and database instead of at each call: writing one takes
longer than SQLite takes to run it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import peewee

from app.core.db import database


class Statement:
    """`make(slot)` gives the query, with `slot` wherever a value goes; call it with the values in the database's form
    (`field.db_value`), in their order in the statement: peewee sets columns in the order of the model."""

    def __init__(self, make: Callable[[Any], Any]):
        self._make = make
        self._text: dict[type, str] = {}

    def __call__(self, *values: Any) -> Any:
        engine = type(database.obj)
        if engine not in self._text:
            text, rest = self._make(peewee.SQL(database.param)).sql()
            if rest:
                raise ValueError(f"a value was written into the statement: {rest}")
            self._text[engine] = text
        return database.execute_sql(self._text[engine], values)
