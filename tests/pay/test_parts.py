"""A part of what was kept goes back; all parts together are never more than what was captured."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.core import db
from app.core.audit import AuditEntry
from app.core.clock import utcnow
from app.core.errors import Problem
from app.pay import decisions, refunds, settlement
from app.pay import queries as orders
from app.pay.audit import audit_payments
from app.pay.models import PaymentAttempt, Refund
from app.pay.status import AttemptStatus
from ops import manage
from tests.pay.test_decisions import by_hand
from tests.pay.till import Sale, a_sale, in_background, in_parallel, platform_refunds, scan, show_code, start
from tests.races import overtaken
from tests.world import World

__all__ = ["by_hand"]


def a_paid_one(world: World, channel: str = "wechat_native") -> Sale:
    """200.00 yuan, paid and kept."""
    sale = a_sale()
    scan(world, start(sale.order, channel).attempt.out_trade_no if channel != "wechat_native" else show_code(sale))
    in_background(now=utcnow() + timedelta(seconds=15))
    assert sale.order.status == "paid"
    return sale


def give(sale: Sale, amount_fen: int) -> str:
    return decisions.refund_part(sale.order_id, amount_fen, reason="agreed", actor="staff:1", now=utcnow())


def back_there(world: World, sale: Sale) -> int:
    """How many fen of this sale the platform has given back."""
    number = sale.attempt.out_trade_no
    return sum(row["refund"] for row in platform_refunds(world) if row["out_trade_no"] == number)


def test_parts_go_back_one_after_the_other_and_the_order_stays_paid(world: World) -> None:
    sale = a_paid_one(world)
    for amount in (1, 4999, 15000):
        give(sale, amount)
    for minutes in (1, 2, 3, 4, 5):
        refunds.settle_due(now=utcnow() + timedelta(minutes=minutes))
    assert [row.status for row in sale.refunds] == ["succeeded"] * 3
    assert back_there(world, sale) == 20000
    assert (sale.order.status, sale.attempt.refunded_fen, sale.granted) == ("paid", 20000, True)
    assert audit_payments() == []


def test_no_part_is_sent_within_a_minute_of_another(world: World) -> None:
    sale = a_paid_one(world)
    first, second, third = (Refund.get_by_id(give(sale, amount)).try_at for amount in (1, 2, 3))
    assert second - first >= settlement.BETWEEN_PARTS
    assert third - second >= settlement.BETWEEN_PARTS


@pytest.mark.parametrize("amount", [0, -1, 20001])
def test_nothing_and_more_than_everything_are_refused(world: World, amount: int) -> None:
    sale = a_paid_one(world)
    with pytest.raises(Problem) as problem:
        give(sale, amount)
    assert (problem.value.code, sale.refunds) == ("refund_too_much", [])
    assert audit_payments() == []


def test_what_is_not_paid_has_nothing_to_give(world: World) -> None:
    with pytest.raises(Problem) as problem:
        give(a_sale(), 1)
    assert problem.value.code == "nothing_kept"


def test_money_that_goes_back_whole_has_no_parts(world: World, second_channel: str) -> None:
    sale = a_sale()
    for channel in ("wechat_native", second_channel):
        scan(world, start(sale.order, channel).attempt.out_trade_no)
    in_background(now=utcnow() + timedelta(seconds=15))
    other = PaymentAttempt.get(
        PaymentAttempt.order_id == sale.order_id, PaymentAttempt.id != sale.order.paid_attempt_id
    )
    assert (other.status, other.refunded_fen) == (AttemptStatus.PAID, 20000)
    with pytest.raises(Problem) as problem:
        settlement.request_refund(other, 1, "agreed", now=utcnow())
    assert problem.value.code == "refund_too_much"


def test_alipay_takes_parts_too(world: World) -> None:
    sale = a_paid_one(world, "alipay_qr")
    give(sale, 250)
    give(sale, 1)
    for minutes in (1, 2, 3):
        refunds.settle_due(now=utcnow() + timedelta(minutes=minutes))
    assert [row.status for row in sale.refunds] == ["succeeded"] * 2
    assert audit_payments() == []


def too_many(world: World) -> int:
    """Of twelve people who give back 30.00 of 200.00 yuan at one moment, how many fen were promised too much."""
    sale = a_paid_one(world)

    def decide(_: int) -> None:
        with db.connection():
            with suppress(Problem):
                db.unit(lambda: give(sale, 3000))

    in_parallel(12, decide)
    assert len(sale.refunds) >= 6
    return max(0, sum(row.amount_fen for row in sale.refunds) - 20000)


def test_many_people_at_one_moment_never_give_back_too_much(world: World) -> None:
    assert too_many(world) == 0
    assert audit_payments() == []


def overtaken_by_another(world: World) -> tuple[int, list[str]]:
    """Two people give back 150.00 of 200.00, the second while the first has looked and not yet written."""
    sale = a_paid_one(world)

    def other() -> str:
        return give(sale, 15000)

    with overtaken(orders, "get_order", other) as given:
        try:
            give(sale, 15000)
        except Problem as problem:
            given.append(problem)
    return sum(row.amount_fen for row in sale.refunds), audit_payments()


def test_the_second_of_two_people_is_refused(world: World) -> None:
    promised, wrong = overtaken_by_another(world)
    assert (promised, wrong) == (15000, [])


def test_twin_without_the_bound_both_are_promised(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settlement, "_hold", lambda attempt, amount_fen: True)
    promised, wrong = overtaken_by_another(world)
    assert promised == 30000
    assert wrong


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(amounts=st.lists(st.integers(min_value=-10, max_value=12000), max_size=8))
def test_whatever_is_asked_for_kept_and_refunded_are_captured(world: World, amounts: list[int]) -> None:
    world.clear()
    sale, given_back = a_paid_one(world), 0
    for amount in amounts:
        fits = 0 < amount <= 20000 - given_back
        try:
            give(sale, amount)
            given_back += amount
            assert fits
        except Problem:
            assert not fits
        assert sale.attempt.refunded_fen == given_back
        assert audit_payments() == []


def test_who_gave_back_and_why_is_written_down(
    world: World, by_hand: None, capsys: pytest.CaptureFixture[str]
) -> None:
    sale = a_paid_one(world)
    by_li = ["--reason", "one lesson was missing", "--by", "li"]
    assert manage.main(["pay-refund", sale.order_id, "50.00", *by_li]) == 0
    assert manage.main(["pay-refund", sale.order_id, "150.01", *by_li]) == 1
    (entry,) = AuditEntry.select().where(AuditEntry.action == "payment.refunded")
    assert (entry.actor, entry.subject) == ("staff:li", f"order:{sale.order_id}")
    assert "one lesson was missing" in entry.data
    assert "还没有退" in capsys.readouterr().err
