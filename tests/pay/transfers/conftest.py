"""Yunnan allows transfers here."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.pay.transfers.bank import transfers_allowed
from tests.world import World


@pytest.fixture(autouse=True)
def _transfers_are_allowed(world: World, tmp_path: Path) -> Iterator[None]:
    with transfers_allowed(tmp_path, world.settings):
        yield
