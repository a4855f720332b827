"""Sales that are paid for, and a vendor that is quick."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from app.invoice.audit import audit_invoices
from tests.invoice.desk import a_paid_sale
from tests.pay.till import Sale, lose_letters
from tests.world import World


@pytest.fixture(autouse=True)
def _the_vendor_is_quick(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """It issues as soon as it is asked; the platform's notifications get lost, sales ask by themselves."""
    if "world" not in request.fixturenames:
        return
    world: World = request.getfixturevalue("world")
    monkeypatch.setattr(world.sandbox.box, "invoice_seconds", 0.0)
    lose_letters(world)


@pytest.fixture
def sale(world: World) -> Sale:
    """Paid for one enrolment this moment."""
    return a_paid_sale(world)


@pytest.fixture
def in_order(world: World) -> Iterator[None]:
    """At the end of the test the invoices of the whole database are right."""
    yield
    assert audit_invoices() == []
