"""The payment faults of `make faults`, small; and each of their twins."""

from __future__ import annotations

import pytest

from app.pay.channels import ONLINE
from tests.faults import bills, crowd, forms, money, orders, payers, payments, trades
from tests.world import World


def test_p1_the_same_notification_in_parallel_grants_once(world: World) -> None:
    assert payments.p1(world, 12) == 0


def test_p1_twin_without_compare_and_set_it_does_not(world: World) -> None:
    assert payments.p1_twin(world)


def test_p3_what_the_provider_did_not_sign_changes_nothing(world: World) -> None:
    assert payments.p3(world, 1, step=9) == 0


def test_p3_twin_without_signature_or_time_it_does(world: World) -> None:
    assert payments.p3_twin(world)


@pytest.mark.parametrize("channel", sorted(ONLINE))
def test_p2_any_sequence_of_events_ends_right(world: World, channel: str) -> None:
    trades.any_sequence(world, channel, 15)


def test_p2_twin_with_late_money_honoured_it_does_not(world: World) -> None:
    assert trades.p2_twin(world)


def test_p2_everything_that_may_happen_to_an_order_ends_right(world: World) -> None:
    assert orders.p2(world, 8) == 0


def test_p2_twin_with_a_second_payment_or_without_the_bound_it_does_not(world: World) -> None:
    assert orders.p2_twin(world)


@pytest.mark.slow
def test_p4_what_does_not_fit_grants_nothing(world: World) -> None:
    assert money.p4(world, 1) == 0


def test_p4_twin_without_the_comparison_it_does(world: World) -> None:
    assert money.p4_twin(world)


def test_p3_what_alipay_did_not_sign_changes_nothing(world: World) -> None:
    assert forms.p3(world, 1, step=9) == 0


def test_p3_twin_without_alipays_signature_or_time_it_does(world: World) -> None:
    assert forms.p3_twin(world)


def test_p3_what_unionpay_did_not_sign_changes_nothing(world: World) -> None:
    assert forms.p3(world, 1, step=9, writer=forms.UNIONPAY) == 0


def test_p3_twin_without_unionpays_signature_chain_or_owner_it_does(world: World) -> None:
    assert forms.p3_unionpay_twin(world)


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


def test_p7_what_no_query_found_the_next_days_bill_puts_right(world: World) -> None:
    assert bills.p7_bill(world, 1) == 0


def test_p7_twin_without_the_bill_it_is_not(world: World) -> None:
    assert bills.p7_bill_twin(world)


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


def test_p10_of_two_payments_one_is_kept_and_the_other_goes_back(world: World) -> None:
    assert payers.p10(world, 3) == 0


def test_p10_twin_without_the_comparison_it_goes_wrong(world: World) -> None:
    assert payers.p10_twin(world)


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


@pytest.mark.slow
def test_p13_a_crowd_of_notifications_is_answered_within_a_second(world: World) -> None:
    assert crowd.p13(world, 400) == 0


@pytest.mark.slow
def test_p13_twin_with_the_question_before_the_answer_it_is_not(world: World) -> None:
    assert crowd.p13_twin(world)


def test_p14_two_payers_have_one_order_and_one_payment(world: World) -> None:
    assert payers.p14(world, 9) == 0


def test_p14_twin_without_the_unique_key_both_may_pay(world: World) -> None:
    assert payers.p14_twin(world)
