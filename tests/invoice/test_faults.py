"""The invoice fault of `make faults`, small; and its twin."""

from __future__ import annotations

from tests.faults import invoices
from tests.world import World


def test_j1_killed_after_the_vendor_took_it_it_is_asked_for_and_not_sent_again(world: World) -> None:
    assert invoices.j1(world, 1) == 0


def test_j1_twin_that_sends_again_under_another_number_has_two_invoices(world: World) -> None:
    assert invoices.j1_twin(world)
