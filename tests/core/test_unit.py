"""A unit of work begins anew where another transaction was in its way or its connection broke, and never after it has
committed something. On servers only: SQLite has one writer and no connection to lose."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from functools import wraps
from threading import Barrier
from typing import Any
from unittest.mock import patch

import peewee
import pytest
import requests

from app.core import access, db, engines
from app.core.audit import AuditEntry
from app.core.db import compare_and_set, database, transaction
from app.core.ids import new_id
from tests.factories import NOW, a_person, auth
from tests.world import World


@pytest.fixture(autouse=True)
def on_a_server(world: World) -> None:
    if isinstance(database.obj, peewee.SqliteDatabase):
        pytest.skip("SQLite has one writer, and no connection to lose")


def an_entry() -> AuditEntry:
    row: AuditEntry = AuditEntry.create(id=new_id(), at=NOW, actor="a", action="0", subject="c", data="")
    return row


def once(work: Callable[[], Any]) -> Any:
    """A unit with its guard off."""
    return work()


def kill_connections(*, own: bool = False) -> None:
    """What a database that goes down does: every connection to this one is cut but the caller's; or only that."""
    maria = isinstance(database.obj, engines.MySql)
    if maria:
        where = "= CONNECTION_ID()" if own else "<> CONNECTION_ID()"
        listed = "SELECT id FROM information_schema.processlist WHERE db = DATABASE() AND id "
        for (number,) in database.execute_sql(listed + where).fetchall():
            try:
                database.execute_sql(f"KILL CONNECTION {number}")
            except peewee.OperationalError:
                if not own:
                    raise
        return
    where = "= pg_backend_pid()" if own else "<> pg_backend_pid()"
    sql = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid "
    try:
        database.execute_sql(sql + where)
    except peewee.OperationalError:
        if not own:
            raise


# --- deadlocks ---------------------------------------------------------------------------------------------------


def crosswise(
    unit: Callable[[Callable[[], Any]], Any], around: Callable[[], AbstractContextManager[Any]] = nullcontext
) -> tuple[list[str], int]:
    """Two transactions take the same two rows, each in the other order, and both have one when they want the second
    (each inside of `around`); gives what the rows say afterwards, and how many of the two were told that the database
    is busy."""
    rows = [an_entry().id, an_entry().id]
    barrier = Barrier(2)

    def work(order: list[str], met: list[bool]) -> None:
        with transaction():
            for place, row_id in enumerate(order):
                with around():
                    AuditEntry.update(action=AuditEntry.action.concat("1")).where(AuditEntry.id == row_id).execute()
                if place == 0 and not met:
                    met.append(True)
                    barrier.wait(10)

    def run(order: list[str]) -> int:
        met: list[bool] = []
        with db.connection():
            try:
                unit(lambda: work(order, met))
            except peewee.OperationalError as error:
                return int(engines.meaning(error) == "race")
        return 0

    with ThreadPoolExecutor(2) as pool:
        refused = sum(pool.map(run, (rows, rows[::-1])))
    return [AuditEntry.get_by_id(row_id).action for row_id in rows], refused


def test_the_victim_of_a_deadlock_begins_anew_and_nothing_is_lost(world: World) -> None:
    assert crosswise(db.unit) == (["011", "011"], 0)


def test_a_deadlock_inside_of_a_savepoint_is_one_too(world: World) -> None:
    assert crosswise(db.unit, db.savepoint) == (["011", "011"], 0)


def test_twin_without_mariadbs_word_for_it_the_victim_loses_its_work(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not isinstance(database.obj, engines.MySql):
        pytest.skip("PostgreSQL's savepoints outlive a deadlock")
    monkeypatch.setattr(engines, "_RACES", engines._RACES - {1305})
    assert crosswise(db.unit, db.savepoint) == (["01", "01"], 0)


def test_twin_without_the_unit_the_victim_loses_its_work(world: World) -> None:
    assert crosswise(once) == (["01", "01"], 1)


# --- connections that broke --------------------------------------------------------------------------------------


@pytest.fixture
def ask(world: World) -> Callable[[], requests.Response]:
    """Asks for the caller's first screen, over HTTP, with a pool that has a connection or more."""
    headers = auth(a_person())

    def get() -> requests.Response:
        return requests.get(f"{world.settings.public_url}/api/v1/home", headers=headers, timeout=20)

    assert get().status_code == 200
    return get


def test_a_request_survives_that_every_connection_was_cut(ask: Callable[[], requests.Response]) -> None:
    for _ in range(3):
        kill_connections()
        assert ask().status_code == 200


def test_twin_without_the_unit_it_does_not(ask: Callable[[], requests.Response]) -> None:
    def never(
        _pool: Any, _connection: Any
    ) -> bool:  # a server goes down after the look at the pool's connection, too
        return False

    unlooked = patch.object(type(database.obj), "_is_closed", never)
    with unlooked, patch.object(db, "unit", once), patch.object(access, "unit", once):
        kill_connections()
        answer = ask()
    assert answer.status_code == 503
    assert answer.headers["Retry-After"]
    assert answer.json()["code"] == "busy"


def test_a_connection_cut_inside_a_transaction_loses_nothing(world: World) -> None:
    row, calls = an_entry(), []

    def work() -> None:
        calls.append(1)
        with transaction():
            AuditEntry.update(action=AuditEntry.action.concat("1")).where(AuditEntry.id == row.id).execute()
            if len(calls) == 1:
                kill_connections(own=True)
            assert compare_and_set(AuditEntry, row.id, {"action": "01"}, {"action": "012"})

    db.unit(work)
    assert (AuditEntry.get_by_id(row.id).action, len(calls)) == ("012", 2)


# --- what was committed is not done twice ------------------------------------------------------------------------


def test_what_has_committed_is_not_repeated(world: World) -> None:
    calls = []

    def work() -> None:
        calls.append(1)
        with transaction():
            an_entry()
        kill_connections(own=True)
        AuditEntry.select().count()

    with pytest.raises((peewee.OperationalError, peewee.InterfaceError)):
        db.unit(work)
    database.obj.manual_close()
    database.connect()
    assert (AuditEntry.select().count(), len(calls)) == (1, 1)


def test_a_commit_whose_answer_was_lost_is_not_repeated(world: World) -> None:
    calls = []

    def work() -> None:
        calls.append(1)
        with transaction():
            an_entry()
            kill_connections(own=True)  # nobody can tell now whether it was before the commit or after it

    with pytest.raises((peewee.OperationalError, peewee.InterfaceError)):
        db.unit(work)
    assert len(calls) == 1
    database.obj.manual_close()
    database.connect()


def test_a_write_outside_of_a_transaction_is_not_repeated(world: World) -> None:
    calls = []

    def work() -> None:
        calls.append(1)
        an_entry()
        kill_connections(own=True)
        AuditEntry.select().count()

    with pytest.raises((peewee.OperationalError, peewee.InterfaceError)):
        db.unit(work)
    database.obj.manual_close()
    database.connect()
    assert (AuditEntry.select().count(), len(calls)) == (1, 1)


def test_a_request_that_cannot_be_repeated_is_told_to_come_again(
    world: World, ask: Callable[[], requests.Response]
) -> None:
    real, calls = world.app.view_functions["home.home"], []

    @wraps(real)
    def view() -> Any:
        calls.append(1)
        with transaction():
            an_entry()
        kill_connections(own=True)
        return str(AuditEntry.select().count())

    with patch.dict(world.app.view_functions, {"home.home": view}):
        answer = ask()
    assert (answer.status_code, answer.json()["code"], len(calls)) == (503, "busy", 1)
    assert answer.headers["Retry-After"]
    assert AuditEntry.select().where(AuditEntry.subject == "c").count() == 1
    assert ask().status_code == 200


def test_a_deadlock_each_time_ends_after_a_few(world: World) -> None:
    calls = []

    def work() -> None:
        calls.append(1)
        with transaction():
            raise peewee.OperationalError(1213, "Deadlock found when trying to get lock")

    with pytest.raises(peewee.OperationalError):
        db.unit(work)
    assert len(calls) == db.TRIES
