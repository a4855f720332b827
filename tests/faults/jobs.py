"""Job faults as functions: each gives the number of violations; its twin takes one guard out and tells whether the
experiment then fails, as it must."""

from __future__ import annotations

import hashlib
import os
import signal
from collections.abc import Callable
from datetime import datetime, timedelta
from unittest.mock import patch

import requests
from rq import SimpleWorker
from rq.serializers import JSONSerializer

from app import wiring
from app.cases.models import Case
from app.core import db, outbox
from app.core import redis as redis_clients
from app.core.clock import utcnow
from app.core.db import database, transaction
from app.core.outbox import OutboxMessage
from app.core.queue import NAME
from app.notify import ledger, reports, service
from app.notify.models import Sms
from app.notify.status import Status
from jobs import entries, schedule
from tests.factories import a_person
from tests.pay.till import Sale, a_sale, lose_letters, scan, show_code, wrong_with
from tests.world import World


def work() -> None:
    """Run what waits in the queue, as a worker does."""
    connection = redis_clients.queue()
    SimpleWorker([NAME], connection=connection, serializer=JSONSerializer).work(burst=True, logging_level="ERROR")


def sweep_all(now: datetime) -> None:
    """Everything that cron would run, twice: the second run finds what the first one brought about."""
    for entry in (*schedule.SCHEDULE, *schedule.SCHEDULE):
        schedule.run(entry.name, now=now)


# --- J1: killed after the message went out -----------------------------------------------------------------------


def a_message() -> Sms:
    """A queued security notice to a person."""
    person = a_person()
    with transaction():
        sms_id = service.send_sms(
            person_id=person.id,
            programme="yunnan",
            phone=person.phone or "",
            template="security_notice",
            params=["修改密码", "03-01 10:00"],
            key=f"test:{person.id}",
            now=utcnow(),
        )
    return Sms.get_by_id(sms_id)


def received(world: World, sms: Sms) -> int:
    """How many messages the phone got."""
    query = {"phone": sms.phone}
    return len(requests.get(f"{world.sandbox.url}/_control/sms", params=query, timeout=5).json())


def killed_after_sending(*, claims: bool) -> Sms:
    """A process that sends, and is killed before it writes down what came of it; then the sweeper runs twice. With
    `claims` False it does not say `sending` before it calls."""
    sms = a_message()
    database.close()
    database.obj.close_idle()  # no connection is carried over a fork
    child = os.fork()
    if child == 0:  # the child: nothing above it survives the kill
        with db.connection():
            service.move = ledger.move if claims else lambda *_, **__: True  # type: ignore[attr-defined]
            service._apply = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)  # type: ignore[assignment]
            service.send(sms.id, now=utcnow())
        os._exit(1)
    _, status = os.waitpid(child, 0)
    if os.WTERMSIG(status) != signal.SIGKILL:
        raise RuntimeError("the child was not killed")
    database.connect(reuse_if_open=True)
    later = utcnow() + timedelta(seconds=61)
    service.send_queued(now=later)
    service.send_queued(now=later + timedelta(seconds=61))
    return sms


def j1(world: World, tries: int) -> int:
    """Killed after the message went out: it is not sent again; it is asked for, and told as delivered."""
    violations = 0
    for _ in range(tries):
        sms = killed_after_sending(claims=True)
        violations += received(world, sms) != 1
        violations += Sms.get_by_id(sms.id).status != Status.UNKNOWN
        reports.pull_status(now=utcnow() + timedelta(seconds=150))
        violations += Sms.get_by_id(sms.id).status != Status.DELIVERED
    return violations


def j1_twin(world: World) -> bool:
    """Without the claim before the call."""
    return received(world, killed_after_sending(claims=False)) == 2


# --- J2: a poison job --------------------------------------------------------------------------------------------


def _poisoned(tries: int) -> int:
    """Among `tries` messages the first one's subscriber always fails; gives the violations after three rounds."""
    heard: list[str] = []

    def hear(payload: dict[str, str], _now: datetime) -> None:
        if payload["id"] == "0":
            raise ValueError("poison")
        heard.append(payload["id"])

    outbox.subscribe("test.poison", "test", hear)
    now = utcnow()
    with transaction():
        for number in range(tries):
            outbox.emit("test.poison", str(number), {"id": str(number)}, now=now)
    for round_ in range(outbox.MAX_ATTEMPTS + 2):
        outbox.sweep(now=now + timedelta(minutes=11 * round_))
    poison = OutboxMessage.get(OutboxMessage.event == "test.poison", OutboxMessage.key == "0")
    violations = len(set(heard) ^ {str(number) for number in range(1, tries)}) + len(heard) - len(set(heard))
    violations += (poison.status, poison.attempts) != ("dead", 3)
    return violations + (Case.select().where(Case.kind == "outbox.dead").count() != 1)


def j2(world: World, tries: int) -> int:
    """A message that always fails is tried three times, then it is dead and a person is told; the others go on."""
    return _poisoned(tries)


def _forgets_the_failure(model: type[db.BaseModel], row_id: str, where: object, values: dict[str, object]) -> bool:
    values = {name: value for name, value in values.items() if name not in ("attempts", "last_error")}
    if values.get("status") == "dead":
        values["status"] = "pending"
    return _compare_and_set(model, row_id, where, values)  # type: ignore[arg-type]


_compare_and_set = db.compare_and_set


def j2_twin(world: World) -> bool:
    """Without counting the tries: it comes again for ever, and nobody is told."""
    with patch.object(outbox, "compare_and_set", _forgets_the_failure):
        return _poisoned(5) > 0


# --- J3: finished jobs, run again --------------------------------------------------------------------------------


def everything() -> str:
    """A digest of every row of the database."""
    digest = hashlib.sha256()
    for model in wiring.models():
        rows = database.execute_sql(*model.select().order_by(model.id).sql()).fetchall()
        digest.update(f"{model._meta.table_name}{rows}".encode())
    return digest.hexdigest()


def a_finished_sale(world: World) -> tuple[Sale, Sms]:
    """Paid, granted, told, and nothing left to do."""
    lose_letters(world)
    sale, sms = a_sale(), a_message()
    scan(world, show_code(sale))
    now = utcnow() + timedelta(seconds=15)
    sweep_all(now)
    reports.pull_status(now=now + timedelta(minutes=3))
    return sale, Sms.get_by_id(sms.id)


def _again(sms: Sms, before: Callable[[], None]) -> None:
    before()
    for message in list(OutboxMessage.select(OutboxMessage.id)):
        entries.deliver_outbox(message.id)
    for row in list(Sms.select(Sms.id)):
        entries.send_sms(row.id)


def j3(world: World, tries: int) -> int:
    """Every finished job is run `tries` times more: no row changes, no phone rings."""
    sale, sms = a_finished_sale(world)
    state = everything()
    for _ in range(tries):
        _again(sms, lambda: None)
    return (everything() != state) + (received(world, sms) != 1) + wrong_with(sale)


def j3_twin(world: World) -> bool:
    """Without the mark that a message was sent."""
    _, sms = a_finished_sale(world)

    def forget() -> None:
        Sms.update(status=Status.QUEUED, params_sealed=_sealed(sms)).where(Sms.id == sms.id).execute()

    _again(sms, forget)
    return received(world, sms) == 2


def _sealed(sms: Sms) -> str:
    again = Sms(id=sms.id)
    again.params = '["修改密码", "03-01 10:00"]'
    sealed: str = again.params_sealed
    return sealed


# --- J4: Redis flushed -------------------------------------------------------------------------------------------


def _flushed(world: World, *, swept: bool) -> tuple[int, int]:
    """A sale is paid and a message queued, and Redis forgets the hints; gives the violations, and how many hints
    there were."""
    lose_letters(world)
    sale, sms = a_sale(), a_message()
    scan(world, show_code(sale))
    client = redis_clients.queue()
    hints = int(client.llen(f"rq:queue:{NAME}"))  # type: ignore[arg-type]
    client.flushdb()
    work()
    if swept:
        sweep_all(utcnow() + timedelta(seconds=15))
    return wrong_with(sale) + (received(world, sms) != 1), hints


def j4(world: World, tries: int) -> int:
    """Redis forgets every hint: the rows in SQL put everything back."""
    violations = 0
    for _ in range(tries):
        wrong, hints = _flushed(world, swept=True)
        violations += wrong + (hints == 0)
    return violations


def j4_twin(world: World) -> bool:
    """Without the sweepers, with nothing but the hints."""
    return _flushed(world, swept=False)[0] > 0
