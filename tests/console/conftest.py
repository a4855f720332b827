"""Those who answer the telephone, and a clock."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from app.core.clock import utcnow
from app.core.staff import Right
from tests.console.phone import Phone
from tests.staffroom import Browser, a_member, at_desk
from tests.study.phones import Clock, a_clock
from tests.world import World

SUPPORT = (Right.SUPPORT, "yunnan")


@pytest.fixture
def phone(world: World) -> Phone:
    return Phone(at_desk(world, a_member(SUPPORT)))


@pytest.fixture
def colleague(world: World) -> Browser:
    return at_desk(world, a_member(SUPPORT, name="李敏"))


@pytest.fixture
def clock(world: World) -> Iterator[Clock]:
    with a_clock(utcnow()) as moving:
        yield moving
