"""A person with something to pay, and letters that are ours to deliver."""

from __future__ import annotations

from collections.abc import Iterator
from unittest.mock import patch

import pytest

from app.pay import channels, service
from app.pay.channels import CHANNELS, Channel
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
def second_channel() -> Iterator[str]:
    """A second way to pay: the same merchant under another name, as a QR code beside a mini-program would be."""
    second = Channel("second", "wechatpay", code="zz")
    with (
        patch.dict(CHANNELS, {second.name: second}),
        patch.object(service, "offered", lambda programme, client: [*channels.offered(programme, client), second]),
    ):
        yield second.name
