"""The three databases: how each is opened, and what its errors mean. Everything else speaks peewee and does not know
which of them it is talking to.

All of them: READ COMMITTED (SQLite: WAL with IMMEDIATE transactions, which is stricter), microsecond times in UTC, a
fsync for each commit, a bounded wait for locks and statements.
"""

from __future__ import annotations

import re
import sqlite3
import ssl
import threading
from collections.abc import Callable
from typing import Any, Literal
from urllib.parse import parse_qs, unquote, urlsplit

import peewee
import psycopg
from playhouse.pool import (
    MaxConnectionsExceeded,
    PooledMySQLDatabase,
    PooledPostgresqlDatabase,
    PooledSqliteDatabase,
)
from psycopg.conninfo import conninfo_to_dict
from pymysql.constants.CLIENT import FOUND_ROWS
from pymysql.constants.SERVER_STATUS import SERVER_STATUS_IN_TRANS

SCHEMES = ("sqlite:///", "postgresql://", "mysql://")
SQLITE_PRAGMAS = {"journal_mode": "wal", "synchronous": "full", "foreign_keys": 1, "busy_timeout": 10_000}
STALE_SECONDS = 300  # a connection that old is opened anew
WAIT_SECONDS = 10  # for a connection of the pool
LOCK_SECONDS = 5
STATEMENT_SECONDS = 30

# MariaDB cuts moments to seconds and texts to 64 KiB unless told otherwise.
MYSQL_TYPES = {"DATETIME": "DATETIME(6)", "TEXT": "LONGTEXT", "BLOB": "LONGBLOB"}
MYSQL_WORDS = "CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"  # how a database is made whose unique keys know a from A
MYSQL_SESSION = (
    "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
    "SET SESSION time_zone = '+00:00', sql_mode = 'TRADITIONAL,ONLY_FULL_GROUP_BY', "
    f"innodb_lock_wait_timeout = {LOCK_SECONDS}",
)

Meaning = Literal["race", "gone"]
# serialization, deadlock, waited too long for a lock; and MariaDB's word for a savepoint that a deadlock took with it
_RACES = frozenset(["40001", "40P01", "55P03", 1205, 1213, 1305])
# the server or the line is away; or the server became a copy that takes no writes, and another one is the first now
_GONE = frozenset(["57P01", "57P02", "57P03", "25006", 0, 1053, 1290, 1836, 1927, 2006, 2013, 2014, 2055])


trace = threading.local()  # `.committed`: this thread has committed something, or is about to


class _Engine:
    """A pool that is used up is a database that is busy; a write outside of a transaction is committed at once."""

    in_transaction: Callable[[], bool]

    def unfit(self) -> str | None:
        """Why the tables of the product must not be made in this database, as a sentence for its owner; or None."""
        return None

    def connect(self, reuse_if_open: bool = False) -> Any:
        try:
            return super().connect(reuse_if_open)  # type: ignore[misc]
        except MaxConnectionsExceeded as error:
            raise peewee.OperationalError("every connection is in use") from error

    def execute_sql(self, sql: str, params: Any = None) -> Any:
        if not self.in_transaction() and sql.startswith(("INSERT", "UPDATE", "DELETE")):
            trace.committed = True
        return super().execute_sql(sql, params)  # type: ignore[misc]


class Sqlite(_Engine, PooledSqliteDatabase):  # type: ignore[misc]
    """The embedded default."""


class Postgresql(_Engine, PooledPostgresqlDatabase):  # type: ignore[misc]
    """PostgreSQL by psycopg 3."""

    def unfit(self) -> str | None:
        (encoding,) = self.execute_sql("SHOW server_encoding").fetchone()
        if encoding == "UTF8":
            return None
        return f"the database keeps texts as {encoding}; make one with: CREATE DATABASE … ENCODING 'UTF8'"


class _MySqlSession(peewee.MySQLDatabase):  # type: ignore[misc]
    """Sets the session once, when a connection is opened."""

    def _connect(self) -> Any:
        conn = super()._connect()
        with conn.cursor() as cursor:
            for statement in MYSQL_SESSION:
                cursor.execute(statement)
        return conn


class MySql(_Engine, PooledMySQLDatabase, _MySqlSession):  # type: ignore[misc]
    """MariaDB (and MySQL, which nobody has tried) by PyMySQL. Nothing is asked of the server when a connection leaves
    the pool or comes back: one that broke is found by the first statement, and `db.unit` begins anew."""

    def unfit(self) -> str | None:
        (collation,) = self.execute_sql("SELECT @@collation_database").fetchone()
        if collation == "utf8mb4_bin":
            return None
        return f"the database compares texts by {collation}; make one with: CREATE DATABASE … {MYSQL_WORDS}"

    def _is_closed(self, conn: Any) -> bool:
        return not conn.open

    def _can_reuse(self, conn: Any) -> bool:
        return bool(conn.open) and not conn.server_status & SERVER_STATUS_IN_TRANS


def column_types(url: str) -> dict[str, str]:
    """What the database of `url` calls a column, where it is not what peewee takes it for."""
    return MYSQL_TYPES if url.startswith("mysql://") else {}


def make(url: str, connections: int) -> peewee.Database:
    """The engine of `url`, with a pool of at most `connections`; nothing is opened yet. Raises `ValueError` for a
    URL that is none (its text names no password)."""
    pool = {"max_connections": connections, "stale_timeout": STALE_SECONDS, "timeout": WAIT_SECONDS}
    if url.startswith("sqlite:///"):
        return Sqlite(url.removeprefix("sqlite:///"), pragmas=SQLITE_PRAGMAS, check_same_thread=False, **pool)
    if url.startswith("postgresql://"):
        return Postgresql(prefer_psycopg3=True, **_postgresql(url), **pool)
    if url.startswith("mysql://"):
        return MySql(field_types=column_types(url), **_mysql(url), **pool)
    raise ValueError(f"DATABASE_URL must start with one of {', '.join(SCHEMES)}")


def _postgresql(url: str) -> dict[str, Any]:
    try:
        parts: dict[str, Any] = dict(conninfo_to_dict(url))
    except psycopg.ProgrammingError:
        raise ValueError("DATABASE_URL is not a PostgreSQL URL") from None
    session = {
        "timezone": "UTC",
        "default_transaction_isolation": "read\\ committed",
        "lock_timeout": f"{LOCK_SECONDS}s",
        "statement_timeout": f"{STATEMENT_SECONDS}s",
        "idle_in_transaction_session_timeout": "60s",
    }
    options = " ".join(f"-c {name}={value}" for name, value in session.items())
    parts = {"connect_timeout": 5, "application_name": "zhukao", "options": options} | parts
    name = parts.pop("dbname", None)
    if not name:
        raise ValueError("DATABASE_URL names no database")
    return {"database": name} | parts


def _mysql(url: str) -> dict[str, Any]:
    """`mysql://user:password@host:port/name?tls=on|off|<file of the authority>`; `tls=on` checks by the system's."""
    parts = urlsplit(url)
    name = parts.path.lstrip("/")
    try:
        port = parts.port or 3306
    except ValueError:
        raise ValueError("DATABASE_URL has a port that is none") from None
    if not parts.hostname or not re.fullmatch(r"\w+", name):
        raise ValueError("DATABASE_URL names no host or no database")
    query = parse_qs(parts.query)
    tls = query.pop("tls", ["off"])[0]
    if query:
        raise ValueError(
            f"DATABASE_URL knows no {', '.join(sorted(query))}; TLS is tls=on or tls=<file of the authority>"
        )
    # without TLS said so: PyMySQL reads the system's certificates at each connect otherwise
    secure: dict[str, Any] = {"ssl_disabled": True}
    if tls != "off":
        try:
            secure = {"ssl": ssl.create_default_context(cafile=None if tls == "on" else tls)}
        except OSError as error:  # an `SSLError` is one, too
            raise ValueError(f"DATABASE_URL: tls={tls}: {error.strerror}") from None
    return {
        "database": name,
        "host": parts.hostname,
        "port": port,
        "user": unquote(parts.username or ""),
        "password": unquote(parts.password or ""),
        "charset": "utf8mb4",
        "connect_timeout": 5,
        "read_timeout": STATEMENT_SECONDS,
        "write_timeout": STATEMENT_SECONDS,
        # an UPDATE tells how many rows it found, not how many it changed: who sets what is there already has won
        "client_flag": FOUND_ROWS,
        **secure,
    }


def _codes(error: BaseException) -> tuple[Any, ...]:
    """SQLSTATE of PostgreSQL, error number of MariaDB."""
    cause = getattr(error, "orig", None) or error
    args = getattr(cause, "args", ())
    return (getattr(cause, "sqlstate", None), args[0] if args and isinstance(args[0], int) else None)


def is_taken(error: peewee.IntegrityError) -> bool:
    """Whether a unique key was taken."""
    cause = error.orig
    if isinstance(cause, sqlite3.IntegrityError):
        return cause.sqlite_errorcode in (sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY)
    return bool({"23505", 1062} & set(_codes(error)))


def meaning(error: BaseException) -> Meaning | None:
    """`race`: another transaction was in the way, and this one was rolled back. `gone`: the connection broke.
    None: anything else."""
    if not isinstance(error, (peewee.OperationalError, peewee.InterfaceError, peewee.InternalError)):
        return None
    state, number = _codes(error)
    if {state, number} & _RACES:
        return "race"
    if {state, number} & _GONE or (isinstance(state, str) and state.startswith("08")):
        return "gone"
    cause = getattr(error, "orig", None)
    return "gone" if isinstance(cause, psycopg.OperationalError) and state is None else None
