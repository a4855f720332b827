"""The database's first server becomes a copy that takes no writes: nothing is given up, and no row is to blame."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import peewee
import psycopg
import pytest

from app.account.models import Person
from app.cases.models import Case
from app.core import db, engines, outbox, sweep
from app.core import redis as redis_clients
from app.core.clock import utcnow
from app.core.outbox import OutboxMessage, emit, subscribe
from app.study import flush, store
from jobs import flusher
from tests.factories import a_person
from tests.study.phones import a_phone
from tests.world import World


def read_only(*_: object, **__: object) -> None:
    """What PostgreSQL says then; peewee calls it an internal error, as it does bugs."""
    error = peewee.InternalError("cannot execute UPDATE in a read-only transaction")
    error.orig = psycopg.errors.ReadOnlySqlTransaction()
    raise error


def a_bug(*_: object, **__: object) -> None:
    raise RuntimeError("a bug")


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(db, "TRIES", 1)


def test_a_message_costs_no_try_and_comes_again(world: World) -> None:
    does: list[Callable[..., None]] = [read_only]
    subscribe("test.failover", "test", lambda payload, now: does[0]())
    with db.transaction():
        emit("test.failover", "k", {}, now=utcnow())
    now = utcnow() + timedelta(seconds=1)
    for _ in range(outbox.MAX_ATTEMPTS + 2):
        with pytest.raises(peewee.InternalError):
            outbox.sweep(now=now)
        now += outbox.CLAIM + timedelta(seconds=1)
    message = OutboxMessage.get(OutboxMessage.event == "test.failover")
    assert (message.status, message.attempts, Case.select().count()) == ("claimed", 0, 0)
    does[0] = lambda: None
    assert outbox.sweep(now=now) == 1


def test_a_sweep_ends_and_blames_no_row(world: World) -> None:
    rows = [a_person() for _ in range(3)]
    seen: list[str] = []

    def work(row: Person) -> bool:
        seen.append(row.id)
        read_only()
        return True

    with pytest.raises(peewee.InternalError):
        sweep.each("test", rows, work)
    assert seen == [rows[0].id]

    def broken(_row: Person) -> bool:
        a_bug()
        return True

    assert sweep.each("test", rows, broken) == (0, 3), "a bug is the row's own"


def test_progress_is_postponed_and_not_set_aside(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "SHARDS", 1)
    phone = a_phone(saved_up=100)
    phone.send([0])
    with monkeypatch.context() as patch:
        patch.setattr(flush, "merge", read_only)
        assert flusher.run_once() == flusher.TROUBLE_PAUSE
    bad = store.bad_key(store.flushing_key("00"))
    assert redis_clients.heartbeat().scard(bad) == 0
    assert flusher.run_once() == flusher.PAUSE
    assert redis_clients.heartbeat().scard(store.flushing_key("00")) == 0
    phone.send([1])
    with monkeypatch.context() as patch:
        patch.setattr(flush, "merge", a_bug)
        flusher.run_once()
    assert redis_clients.heartbeat().scard(bad) == 1, "the twin: another error is taken for the record's"


def test_the_connection_to_such_a_server_is_left_for_a_new_one(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    if not isinstance(db.database.obj, engines.Postgresql):
        pytest.skip("only PostgreSQL lets a session be such a copy")
    monkeypatch.setattr(db, "TRIES", 2)
    person = a_person()
    db.database.execute_sql("SET default_transaction_read_only = on")

    def write() -> int:
        with db.transaction():
            return int(Person.update(activated_at=None).where(Person.id == person.id).execute())

    with pytest.raises(peewee.InternalError):
        write()
    assert db.unit(write) == 1
