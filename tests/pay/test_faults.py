"""The payment faults of `make faults`, small; and each of their twins."""

from __future__ import annotations

import pytest

from tests.faults import payments
from tests.world import World


def test_p1_the_same_notification_in_parallel_grants_once(world: World) -> None:
    assert payments.p1(world, 12) == 0


def test_p1_twin_without_compare_and_set_it_does_not(world: World) -> None:
    assert payments.p1_twin(world)


def test_p3_what_the_provider_did_not_sign_changes_nothing(world: World) -> None:
    assert payments.p3(world, 1, step=9) == 0


def test_p3_twin_without_signature_or_time_it_does(world: World) -> None:
    assert payments.p3_twin(world)


def test_p5_a_notification_before_the_answer_pays_once(world: World) -> None:
    assert payments.p5(world, 1) == 0


def test_p5_twin_without_the_row_committed_first_it_is_lost(world: World) -> None:
    assert payments.p5_twin(world)


def test_p9_clicks_in_parallel_make_one_order_and_one_payment(world: World) -> None:
    assert payments.p9(world, 8) == 0


def test_p9_twin_without_the_unique_key_they_make_many(world: World) -> None:
    assert payments.p9_twin(world)


@pytest.mark.slow
def test_p12_deaths_at_every_statement_converge(world: World) -> None:
    assert payments.p12(world, 1) == 0


@pytest.mark.slow
def test_p12_twin_without_the_outbox_in_the_transaction_the_grant_is_lost(world: World) -> None:
    assert payments.p12_twin(world)
