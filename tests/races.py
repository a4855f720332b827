"""Two at one moment, in the one order that hurts: not by luck, but by holding the first one where it has looked and
not yet written."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from threading import Lock
from typing import Any
from unittest.mock import patch

import peewee

from app.core import db

HELD = 0.4  # seconds that the first waits for the other, which a lock may hold back until the first has ended
UNLOCKED = 3.0  # without locks the other is not held back, only slow


@contextmanager
def overtaken(owner: Any, name: str, other: Callable[[], Any], *, held: float | None = None) -> Iterator[list[Any]]:
    """The first call of `owner.name` lets `other` go by when it is done, in a thread and with a connection of its
    own: its caller goes on once `other` has ended, or is seen to wait for it (`held` seconds). Gives, after the
    block, what `other` gave, or the exception that it raised."""
    if held is None:
        held = HELD if db.database.for_update or _is_alone() else UNLOCKED
    real, lock, given = getattr(owner, name), Lock(), list[Any]()
    under_way: list[Future[Any]] = []

    def go_by() -> Any:
        with db.connection():
            return db.unit(other)

    def first(*args: Any, **kwargs: Any) -> Any:
        result = real(*args, **kwargs)
        with lock:
            mine = not under_way
            if mine:
                under_way.append(pool.submit(go_by))
        if mine:
            wait(under_way, timeout=held)
        return result

    with ThreadPoolExecutor(1) as pool:
        with patch.object(owner, name, first):
            yield given
        assert under_way, f"{name} was not called: nothing was shown"
        wait(under_way, timeout=30)
    error = under_way[0].exception()
    given.append(error if error is not None else under_way[0].result())


def _is_alone() -> bool:
    return isinstance(db.database.obj, peewee.SqliteDatabase)


@contextmanager
def unlocked() -> Iterator[None]:
    """The guard off: rows are read without their locks."""
    with patch.object(db.database.obj, "for_update", False):
        yield


def unguarded(model: type[db.BaseModel], row_id: str, _where: dict[str, Any], values: dict[str, Any]) -> bool:
    """The guard off: a `compare_and_set` that does not compare."""
    return bool(model.update(values).where(model.id == row_id).execute())
