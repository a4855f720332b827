"""Fifty workers, one business key: one message. With either guard off there are more."""

from __future__ import annotations

from typing import Any

import pytest

from app.core.clock import utcnow
from app.core.db import connection, transaction, unit
from app.core.ids import new_id
from app.notify import ledger, service
from app.notify.models import Sms
from app.notify.status import Action
from tests.notify.conftest import a_phone, received
from tests.pay.till import in_parallel
from tests.world import World

WORKERS = 50


def queue(phone: str, key: str) -> str:
    with transaction():
        sms_id = service.send_sms(
            person_id="person",
            programme="yunnan",
            phone=phone,
            template="security_notice",
            params=["修改密码", "03-01 10:00"],
            key=key,
            now=utcnow(),
        )
    assert sms_id
    return sms_id


def told(world: World, *, workers: int = WORKERS) -> int:
    """How many messages the phone got after so many workers have queued and sent the same one."""
    phone, key = a_phone(), f"race:{new_id()}"

    def work(_: int) -> None:
        with connection():
            sms_id = unit(lambda: queue(phone, key))
            service.send(sms_id, now=utcnow())

    in_parallel(workers, work)
    return len(received(world, phone))


def test_one_message_whoever_queues_and_sends_it(world: World) -> None:
    assert told(world) == 1
    assert Sms.select().count() == 1


def test_twin_without_the_claim_it_goes_out_more_than_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def move(sms: Sms, action: Action, **values: Any) -> bool:
        return action is Action.CLAIM or ledger.move(sms, action, **values)

    monkeypatch.setattr(service, "move", move)
    assert told(world, workers=4) > 1


def test_twin_without_the_key_there_are_as_many_as_workers(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    real = service.send_sms

    def keyless(**values: Any) -> str | None:
        return real(**values | {"key": f"twin:{new_id()}"})

    monkeypatch.setattr(service, "send_sms", keyless)
    assert told(world, workers=4) == 4
