"""Orders to pay, and a look at the sandbox."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
import requests

from app.account.models import Person
from app.core.clock import utcnow
from app.core.db import transaction
from app.pay import service
from app.pay.models import Order
from tests.factories import a_person
from tests.world import World


def an_order(person: Person, sku: str = "enrolment:1", *, now: datetime | None = None, minutes: int = 30) -> Order:
    """A pending order of 200.00 yuan."""
    now = now or utcnow()
    line = service.Line(sku, "继续教育 塔机司机", 20000)
    with transaction():
        return service.create_order(
            person_id=person.id,
            programme="yunnan",
            version="2021-02-01",
            lines=[line],
            expires_at=now + timedelta(minutes=minutes),
            now=now,
        )


@pytest.fixture
def person(world: World) -> Person:
    return a_person()


@pytest.fixture
def pay(world: World) -> Callable[[str], dict[str, object]]:
    """Pay a QR code as the phone would."""

    def paid(code_url: str) -> dict[str, object]:
        answer = requests.post(
            f"{world.sandbox.url}/_control/wechatpay/pay", json={"code_url": code_url}, timeout=10
        )
        answer.raise_for_status()
        return answer.json()

    return paid
