"""A platform without a past."""

from __future__ import annotations

import pytest

from tests.pay.reconciliation.mornings import a_new_platform
from tests.world import World


@pytest.fixture(autouse=True)
def _a_new_platform(world: World) -> None:
    """No bill has lines of another test."""
    a_new_platform(world)
