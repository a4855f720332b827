"""One payment by one channel, and everything that may happen to it, in any sequence (fault P2)."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import ClassVar
from unittest.mock import patch

import requests
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from app.core import breaker, inbox
from app.core.clock import utcnow
from app.core.ids import new_id
from app.pay import janitor, refunds, settlement, status
from app.pay.audit import audit_payments
from app.pay.channels import CHANNELS, ONLINE
from app.pay.models import Order, PaymentAttempt, Refund
from app.pay.status import OrderAction, OrderStatus
from tests.factories import a_person
from tests.pay.till import (
    Letter,
    an_order,
    bind_wechat,
    code_of,
    in_background,
    letter,
    lose_letters,
    platform_order,
    platform_refunds,
    post,
    refund_letter,
    scan,
    start,
)
from tests.world import World

log = logging.getLogger(__name__)

END = timedelta(minutes=30, seconds=1)
NOT_THERE = {"wechatpay": "ORDER_NOT_EXIST", "alipay": "ACQ.TRADE_NOT_EXIST", "unionpay": "34"}
NO_CLOSE = ("unionpay",)


class Trade:
    """A code on the phone's screen. Time goes on for us and for the provider alike."""

    def __init__(self, world: World, channel: str):
        world.sandbox.reset()
        breaker.close_all()
        lose_letters(world)
        self.world, self.channel = world, CHANNELS[channel]
        self.passed = timedelta()
        person = a_person()
        if channel == "wechat_jsapi":
            bind_wechat(world, person)
        self.order_id = an_order(person, f"thing:{new_id()}").id
        started = start(self.order, channel)
        self.attempt, self.code = started.attempt, code_of(started.pay_by)
        self.letters: list[Letter] = []

    @property
    def order(self) -> Order:
        row: Order = Order.get_by_id(self.order_id)
        return row

    @property
    def now(self) -> datetime:
        return utcnow() + self.passed

    @property
    def captured(self) -> bool:
        """Whether the provider has the money, or had it."""
        record = platform_order(self.world, self.attempt.out_trade_no)
        return record is not None and "paid" in record

    # --- what may happen -----------------------------------------------------------------------------------------

    def pay(self) -> None:
        """The phone pays, if the provider still takes it."""
        self._scan(late=False)

    def pay_late(self) -> None:
        """The provider takes money after its own last moment."""
        self._scan(late=True)

    def _scan(self, *, late: bool) -> None:
        try:
            scan(self.world, self.code, late=late)
        except requests.HTTPError:  # paid, closed or over: the phone says so, and nothing happened
            self.world.sandbox.box.knobs.take(self.channel.kind, "pay", ("late_ok",))

    def notification(self) -> None:
        if self.captured:
            self.letters.append(letter(self.world, self.attempt.out_trade_no))
            self._deliver(self.letters[-1])

    def old_notification(self) -> None:
        if self.letters:
            self._deliver(self.letters[0])

    def refund_notification(self) -> None:
        for refund in Refund.select().where(Refund.order_id == self.order_id):
            sent = refund_letter(self.world, refund.out_refund_no)
            if sent is not None:
                self._deliver(sent)

    def _deliver(self, sent: Letter) -> None:
        assert post(self.world, sent) == 204
        inbox.sweep(now=self.now)

    def question(self) -> None:
        settlement.ask(PaymentAttempt.get_by_id(self.attempt.id), now=self.now)

    def janitor(self) -> None:
        janitor.find_lost_payments(now=self.now)
        janitor.find_late_payments(now=self.now)

    def close(self) -> None:
        """The order's time is over, for the provider too."""
        self._end()
        janitor.expire_orders(now=self.now)

    def close_blindly(self) -> None:
        """As `close`, while the provider says for a moment that it knows of nothing."""
        for operation in ("query",) if self.channel.kind in NO_CLOSE else ("close", "query"):
            code = NOT_THERE[self.channel.kind]
            self.world.sandbox.box.knobs.add(self.channel.kind, operation, "error", code)
        self.close()
        self.world.sandbox.box.knobs.clear()
        lose_letters(self.world)

    def _end(self) -> None:
        self.passed = max(self.passed, END)
        self.world.sandbox.box.clock.offset = self.passed.total_seconds()

    def refund(self) -> None:
        refunds.settle_due(now=self.now + timedelta(hours=2))

    # --- what it comes to ----------------------------------------------------------------------------------------

    def wrong(self) -> list[str]:
        """What is wrong once the background has had its time: by what the provider has, not by what we believe."""
        self._end()
        for hours in (1, 2, 7, 100):
            self.world.sandbox.box.clock.offset += 3600  # a refund takes the provider a moment
            in_background(now=self.now + timedelta(hours=hours))
        paid = self.order.status == OrderStatus.PAID
        back = [row for row in platform_refunds(self.world) if row["out_trade_no"] == self.attempt.out_trade_no]
        ours = [row.status for row in Refund.select().where(Refund.order_id == self.order_id)]
        wrong = audit_payments()
        if self.order.status not in (OrderStatus.PAID, OrderStatus.CLOSED):
            wrong.append(f"the order is {self.order.status}")
        if paid and (not self.captured or back):
            wrong.append("paid, and the provider has no money")
        if self.captured and not paid and (len(back), ours) != (1, ["succeeded"]):
            wrong.append(f"closed, the provider has the money and {len(back)} refunds, ours are {ours}")
        return wrong


class Machine(RuleBasedStateMachine):
    """Hypothesis chooses the sequence; the money is right after each step, and at the end."""

    world: ClassVar[World]
    channel: ClassVar[str]

    def __init__(self) -> None:
        super().__init__()
        self.trade = Trade(self.world, self.channel)

    @rule()
    def pay(self) -> None:
        self.trade.pay()

    @precondition(lambda self: self.trade.passed)
    @rule()
    def pay_late(self) -> None:
        self.trade.pay_late()

    @rule()
    def notification(self) -> None:
        self.trade.notification()

    @precondition(lambda self: self.trade.letters)
    @rule()
    def old_notification(self) -> None:
        self.trade.old_notification()

    @rule()
    def refund_notification(self) -> None:
        self.trade.refund_notification()

    @rule()
    def question(self) -> None:
        self.trade.question()

    @rule()
    def janitor(self) -> None:
        self.trade.janitor()

    @rule()
    def close(self) -> None:
        self.trade.close()

    @rule()
    def close_blindly(self) -> None:
        self.trade.close_blindly()

    @rule()
    def refund(self) -> None:
        self.trade.refund()

    @invariant()
    def money_is_right(self) -> None:
        assert audit_payments() == []

    def teardown(self) -> None:
        assert self.trade.wrong() == []


def any_sequence(world: World, channel: str, examples: int) -> None:
    """`examples` sequences of up to ten steps. Raises AssertionError with the shortest one that goes wrong."""
    machine = type(f"{channel}_machine", (Machine,), {"world": world, "channel": channel})
    checked = settings(
        max_examples=examples,
        stateful_step_count=10,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(machine, settings=checked)


def p2(world: World, tries: int) -> int:
    """`tries` sequences of each channel; the number of channels with one that goes wrong."""
    violations = 0
    for channel in sorted(ONLINE):
        world.clear()
        try:
            any_sequence(world, channel, tries)
        except AssertionError as error:
            log.info(f"P2 {channel}: {error} {' '.join(getattr(error, '__notes__', ()))}")
            violations += 1
    return violations


def p2_twin(world: World) -> bool:
    """With an order that may leave `closed` when late money comes: each channel's late payment ends wrong."""
    steps: list[Callable[[Trade], None]] = [Trade.close_blindly, Trade.pay_late, Trade.question]
    honoured = {(OrderStatus.CLOSED, OrderAction.PAY): OrderStatus.PAID}
    found = []
    for channel in sorted(ONLINE):
        world.clear()
        trade = Trade(world, channel)
        with patch.dict(status.ORDER, honoured):
            for step in steps:
                step(trade)
            found.append(trade.captured and bool(audit_payments()))
    return all(found)
