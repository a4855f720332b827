"""A person with something to pay, and letters that are ours to deliver."""

from __future__ import annotations

import pytest

from tests.pay.till import Sale, a_sale, lose_letters
from tests.world import World


@pytest.fixture(autouse=True)
def _letters_are_lost(world: World) -> None:
    """The sandbox's own notifications get lost: each test delivers what it is about, at its own time."""
    lose_letters(world)


@pytest.fixture(autouse=True)
def _refunds_are_quick(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The platform settles a refund as soon as it is asked about."""
    monkeypatch.setattr(world.sandbox.box, "refund_seconds", 0.0)


@pytest.fixture
def sale(world: World) -> Sale:
    """A person about to pay for one enrolment."""
    return a_sale()


@pytest.fixture
def second_channel(world: World) -> str:
    """A second way to pay, beside WeChat's QR code."""
    return "alipay_qr"
