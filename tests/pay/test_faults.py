"""The payment faults of `make faults`, small; and each of their twins."""

from __future__ import annotations

import pytest

from app.pay.channels import CHANNELS
from tests.faults import forms, money, payments, trades
from tests.world import World


def test_p1_the_same_notification_in_parallel_grants_once(world: World) -> None:
    assert payments.p1(world, 12) == 0


def test_p1_twin_without_compare_and_set_it_does_not(world: World) -> None:
    assert payments.p1_twin(world)


def test_p3_what_the_provider_did_not_sign_changes_nothing(world: World) -> None:
    assert payments.p3(world, 1, step=9) == 0


def test_p3_twin_without_signature_or_time_it_does(world: World) -> None:
    assert payments.p3_twin(world)


@pytest.mark.parametrize("channel", sorted(CHANNELS))
def test_p2_any_sequence_of_events_ends_right(world: World, channel: str) -> None:
    trades.any_sequence(world, channel, 15)


def test_p2_twin_with_late_money_honoured_it_does_not(world: World) -> None:
    assert trades.p2_twin(world)


@pytest.mark.slow
def test_p4_what_does_not_fit_grants_nothing(world: World) -> None:
    assert money.p4(world, 1) == 0


def test_p4_twin_without_the_comparison_it_does(world: World) -> None:
    assert money.p4_twin(world)


def test_p3_what_alipay_did_not_sign_changes_nothing(world: World) -> None:
    assert forms.p3(world, 1, step=9) == 0


def test_p3_twin_without_alipays_signature_or_time_it_does(world: World) -> None:
    assert forms.p3_twin(world)


def test_p5_a_notification_before_the_answer_pays_once(world: World) -> None:
    assert payments.p5(world, 1) == 0


def test_p5_twin_without_the_row_committed_first_it_is_lost(world: World) -> None:
    assert payments.p5_twin(world)


def test_p6_a_payment_in_the_last_second_is_kept_or_given_back(world: World) -> None:
    assert money.p6(world, 3) == 0


def test_p6_twin_without_the_comparison_it_goes_wrong(world: World) -> None:
    assert money.p6_twin(world)


def test_p7_a_payment_nobody_told_of_is_found_within_two_minutes(world: World) -> None:
    assert money.p7(world, 1) == 0


def test_p7_twin_without_the_janitor_it_is_not(world: World) -> None:
    assert money.p7_twin(world)


def test_p8_a_provider_in_trouble_costs_neither_time_nor_money(world: World) -> None:
    assert money.p8(world, 1, troubles=money.TROUBLE[1:]) == 0


@pytest.mark.slow
def test_p8_a_silent_provider_is_not_waited_for(world: World) -> None:
    assert money.p8(world, 1, troubles=money.TROUBLE[:1]) == 0


@pytest.mark.slow
def test_p8_twin_without_our_time_limits_it_is(world: World) -> None:
    assert money.p8_twin(world)


def test_p9_clicks_in_parallel_make_one_order_and_one_payment(world: World) -> None:
    assert payments.p9(world, 8) == 0


def test_p9_twin_without_the_unique_key_they_make_many(world: World) -> None:
    assert payments.p9_twin(world)


def test_p11_a_refund_that_keeps_failing_is_made_once(world: World) -> None:
    assert money.p11(world, 20) == 0


def test_p11_twin_with_a_number_for_each_try_it_is_made_again(world: World) -> None:
    assert money.p11_twin(world)


@pytest.mark.slow
def test_p12_deaths_at_every_statement_converge(world: World) -> None:
    assert payments.p12(world, 1) == 0


@pytest.mark.slow
def test_p12_twin_without_the_outbox_in_the_transaction_the_grant_is_lost(world: World) -> None:
    assert payments.p12_twin(world)
