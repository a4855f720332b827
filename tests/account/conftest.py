"""A browser, and a clock that tests move."""

from __future__ import annotations

from collections.abc import Iterator
from unittest import mock

import pytest
from argon2 import PasswordHasher

from app.core import passwords
from tests.account.screens import Clock, Screens
from tests.world import World


@pytest.fixture
def screens(world: World) -> Screens:
    """A browser without a session."""
    return Screens(world)


@pytest.fixture
def clock(world: World, monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The server's clock."""
    clock = Clock()
    monkeypatch.setattr("app.core.access.utcnow", clock.now)
    return clock


@pytest.fixture(autouse=True)
def little_work() -> Iterator[None]:
    """The same argon2, with as little work as it takes."""
    passwords._nobodys.cache_clear()
    with mock.patch.object(passwords, "_hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)):
        yield
    passwords._nobodys.cache_clear()
