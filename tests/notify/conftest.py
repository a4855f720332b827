"""Messages to phones, and what the sandbox's phones received."""

from __future__ import annotations

import itertools
from datetime import datetime
from typing import Any

import pytest
import requests

from app.core.clock import utcnow
from app.core.db import transaction
from app.notify import service
from app.notify.models import Sms
from app.policy import load as policy
from tests.world import World

_numbers = itertools.count(1)


def a_phone() -> str:
    """A phone that no other test of this run has."""
    return f"139{next(_numbers):08d}"


def a_message(phone: str | None = None, *, key: str | None = None, now: datetime | None = None, **values: Any) -> Sms:
    """A queued security notice."""
    phone = phone or a_phone()
    with transaction():
        sms_id = service.send_sms(
            person_id=values.pop("person_id", "person"),
            programme="yunnan",
            phone=phone,
            template=values.pop("template", "security_notice"),
            params=values.pop("params", ["修改密码", "03-01 10:00"]),
            key=key or f"test:{phone}",
            now=now or utcnow(),
            **values,
        )
    return Sms.get_by_id(sms_id)


def received(world: World, phone: str) -> list[dict[str, Any]]:
    """What the sandbox sent to this phone, the newest first."""
    return requests.get(f"{world.sandbox.url}/_control/sms", params={"phone": phone}, timeout=5).json()


def sends(world: World) -> int:
    """How many times the sandbox was asked to send."""
    answer = requests.get(f"{world.sandbox.url}/_log", timeout=5).json()
    return answer["counts"].get("sms", {}).get("send", 0)


@pytest.fixture(autouse=True)
def _no_old_reports(world: World) -> None:
    world.sandbox.box.store.clear("sms", "unpulled")


@pytest.fixture
def sign() -> str:
    return policy.in_force("yunnan", utcnow()).authority.sms.sign
