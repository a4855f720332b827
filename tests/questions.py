"""How often the database is asked: what must not grow with the number of rows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from app.core.db import database


@contextmanager
def counted() -> Iterator[list[str]]:
    """The statements that are sent to the database while it lasts."""
    sent: list[str] = []
    execute = database.obj.execute_sql

    def listen(sql: str, params: Any = None, *rest: Any) -> Any:
        sent.append(sql)
        return execute(sql, params, *rest)

    with patch.object(database.obj, "execute_sql", listen):
        yield sent
