"""Late, twice, out of order or lost: whatever the sequence of events, the end is the same (fault P2)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.core import inbox
from app.core.clock import utcnow
from app.core.errors import Problem
from app.core.ids import new_id
from app.pay import janitor, refunds, service
from app.pay.audit import audit_payments
from app.pay.models import Order, PaymentAttempt, Refund
from sandbox import keys
from tests.factories import a_person
from tests.pay.till import Letter, an_order, in_background, letter, lose_letters, post, scan, start
from tests.world import World

END = timedelta(minutes=30, seconds=1)
few = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
steps = st.lists(
    st.sampled_from(["notification", "old_notification", "check", "janitor", "expire", "refund"]), max_size=7
)


@pytest.fixture(autouse=True)
def _refunds_take_their_time(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test changes here is put back."""
    monkeypatch.setattr(world.sandbox.box, "refund_seconds", 0.3)


class Trade:
    """One payment, and what may happen to it."""

    def __init__(self, world: World):
        world.sandbox.reset()
        lose_letters(world)
        self.world = world
        self.order = an_order(a_person(), f"thing:{new_id()}")
        self.attempt = start(self.order).attempt
        self.first_letter: Letter | None = None
        self.checks = 0

    def notification(self) -> None:
        """The provider tells of the payment, in a letter of its own each time."""
        sent = letter(self.world, self.attempt.out_trade_no)
        self.first_letter = self.first_letter or sent
        assert post(self.world, sent) == 204
        inbox.sweep(now=utcnow())

    def old_notification(self) -> None:
        """The first letter comes once more."""
        if self.first_letter is not None:
            assert post(self.world, self.first_letter) == 204
            inbox.sweep(now=utcnow())

    def check(self) -> None:
        self.checks += 1
        later = utcnow() + self.checks * service.CHECK_PAUSE  # each of them is one that asks
        service.check_payment(self.order.person_id, self.order.id, now=later)

    def janitor(self) -> None:
        janitor.find_lost_payments(now=utcnow() + END)

    def expire(self) -> None:
        janitor.expire_orders(now=utcnow() + END)

    def refund(self) -> None:
        refunds.settle_due(now=utcnow() + timedelta(hours=2))

    def happen(self, names: list[str]) -> None:
        """One thing after the other; the money is right after each."""
        for name in names:
            step: Callable[[], None] = getattr(self, name)
            step()
            assert audit_payments() == []

    def end(self) -> tuple[str, str, list[str]]:
        """What it comes to, once the background has had its time."""
        for hours in (1, 2, 3):
            in_background(now=utcnow() + timedelta(hours=hours))
        assert audit_payments() == []
        order, attempt = Order.get_by_id(self.order.id), PaymentAttempt.get_by_id(self.attempt.id)
        return (
            order.status,
            attempt.status,
            [row.status for row in Refund.select().where(Refund.order_id == order.id)],
        )


@few
@given(before=steps, after=steps)
def test_money_paid_in_time_pays_the_order_whatever_happens_then(
    world: World, before: list[str], after: list[str]
) -> None:
    trade = Trade(world)
    trade.happen([name for name in before if name in ("check", "janitor", "refund")])
    scan(world, trade.attempt.out_trade_no)
    trade.happen(after)
    assert trade.end() == ("paid", "paid", [])


@few
@given(after=steps)
def test_money_that_comes_once_the_order_is_closed_goes_back_whatever_happens_then(
    world: World, after: list[str]
) -> None:
    trade = Trade(world)
    # the provider lets go of the payment for a moment, so that the order closes, and takes the money all the same
    for operation in ("close", "query"):
        world.sandbox.box.knobs.add("wechatpay", operation, "error", "ORDER_NOT_EXIST")
    trade.expire()
    assert Order.get_by_id(trade.order.id).status == "closed"
    world.sandbox.box.refund_seconds = 0.0
    scan(world, trade.attempt.out_trade_no, late=True)
    trade.happen(after)
    trade.notification()
    assert trade.end() == ("closed", "paid", ["succeeded"])


@few
@given(before=steps)
def test_an_order_that_nobody_pays_is_closed_whatever_happens_before(world: World, before: list[str]) -> None:
    trade = Trade(world)
    trade.happen([name for name in before if "notification" not in name])
    assert trade.end() == ("closed", "closed", [])


def test_the_sandbox_knows_the_payment_under_our_number(world: World) -> None:
    trade = Trade(world)
    mchid = keys.secret(world.data_dir, "yunnan.wechatpay.mchid")
    assert world.sandbox.box.store.get("wechatpay", "order", f"{mchid}/{trade.attempt.out_trade_no}") is not None


def test_a_closed_order_says_so_when_it_is_checked(world: World) -> None:
    trade = Trade(world)
    trade.expire()
    trade.check()
    with pytest.raises(Problem) as problem:
        start(trade.order)
    assert problem.value.code == "order_over"
