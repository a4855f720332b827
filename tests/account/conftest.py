"""A browser, and a clock that tests move."""

from __future__ import annotations

import pytest

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
