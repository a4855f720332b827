"""What the sandbox remembers, in one SQLite file, so that a restart of everything keeps every transaction."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

Record = dict[str, Any]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS record (
    provider TEXT NOT NULL, kind TEXT NOT NULL, key TEXT NOT NULL, json TEXT NOT NULL,
    made INTEGER PRIMARY KEY AUTOINCREMENT, UNIQUE (provider, kind, key)
)
"""


class Store:
    """Records by provider, kind and key. Safe between threads; `changing()` makes several steps one."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._lock = threading.RLock()
        self._depth = 0
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = NORMAL")
        self._connection.execute(_SCHEMA)

    @contextmanager
    def changing(self) -> Iterator[None]:
        """A transaction: all of the block or nothing, one thread at a time. May be nested."""
        with self._lock:
            if self._depth == 0:
                self._connection.execute("BEGIN IMMEDIATE")
            self._depth += 1
            try:
                yield
            except BaseException:
                if self._depth == 1:
                    self._connection.execute("ROLLBACK")
                raise
            else:
                if self._depth == 1:
                    self._connection.execute("COMMIT")
            finally:
                self._depth -= 1

    def get(self, provider: str, kind: str, key: str) -> Record | None:
        """The record, or None."""
        with self._lock:
            row = self._connection.execute(
                "SELECT json FROM record WHERE provider = ? AND kind = ? AND key = ?", (provider, kind, key)
            ).fetchone()
        return json.loads(row[0]) if row else None

    def put(self, provider: str, kind: str, key: str, record: Record) -> None:
        """Write the record, new or in place of the one there."""
        with self._lock:
            self._connection.execute(
                "INSERT INTO record (provider, kind, key, json) VALUES (?, ?, ?, ?) "
                "ON CONFLICT (provider, kind, key) DO UPDATE SET json = excluded.json",
                (provider, kind, key, json.dumps(record, ensure_ascii=False)),
            )

    def pop(self, provider: str, kind: str, key: str) -> Record | None:
        """Take the record out: of many callers exactly one gets it."""
        with self.changing():
            record = self.get(provider, kind, key)
            self._connection.execute(
                "DELETE FROM record WHERE provider = ? AND kind = ? AND key = ?", (provider, kind, key)
            )
        return record

    def all(self, provider: str, kind: str, limit: int = 1000) -> list[tuple[str, Record]]:
        """(key, record), newest first."""
        with self._lock:
            rows = self._connection.execute(
                "SELECT key, json FROM record WHERE provider = ? AND kind = ? ORDER BY made DESC LIMIT ?",
                (provider, kind, limit),
            ).fetchall()
        return [(key, json.loads(text)) for key, text in rows]

    def clear(self, provider: str, kind: str) -> None:
        """Forget every record of that kind."""
        with self._lock:
            self._connection.execute("DELETE FROM record WHERE provider = ? AND kind = ?", (provider, kind))

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()
