"""Study's own fixtures."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.study.phones import Clock, a_clock
from tests.world import World


@pytest.fixture
def clock(world: World) -> Iterator[Clock]:
    """Redis' clock in the test's hand."""
    with a_clock() as moved:
        yield moved
