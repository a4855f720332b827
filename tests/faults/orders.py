"""One order, and everything that may happen to it by any channel and any person, in any sequence (fault P2)."""

from __future__ import annotations

import logging
import shutil
import tempfile
from contextlib import suppress
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import ClassVar
from unittest.mock import patch

import peewee
import requests
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from app.core import breaker, inbox
from app.core.clock import utcnow
from app.core.errors import Problem
from app.core.ids import new_id
from app.pay import decisions, janitor, queries, refunds, service, settlement, status
from app.pay.audit import audit_payments
from app.pay.channels import Device
from app.pay.models import Order, PaymentAttempt, Refund
from app.pay.reconciliation import service as reconciliation
from app.pay.status import OrderAction, OrderStatus
from app.pay.transfers import decisions as decisions_about
from app.pay.transfers import queries as transfers
from app.pay.transfers import service as bank
from app.pay.transfers.models import Payout, StatementLine
from app.policy.days import on_clock, shanghai_day
from tests.factories import a_person
from tests.faults.trades import END
from tests.pay.reconciliation.mornings import a_new_platform
from tests.pay.till import (
    an_order,
    code_of,
    in_background,
    letter,
    lose_letters,
    platform_order,
    platform_refunds,
    post,
    scan,
    start,
)
from tests.pay.transfers.bank import DECISIONS, PAYER, a_line, decide, pay_out, take_in, transfers_allowed
from tests.world import World

log = logging.getLogger(__name__)

CHANNELS = ("wechat_native", "alipay_qr", "unionpay_b2c")
TRANSFER = "bank_transfer"


class Whole:
    """An order of 200.00 yuan. Time goes on for us and for the providers alike."""

    def __init__(self, world: World):
        world.clear()
        a_new_platform(world)
        lose_letters(world)
        self.world, self.passed = world, timedelta()
        self.sku = f"thing:{new_id()}"
        self.order_id = an_order(a_person(), self.sku).id
        self.codes: dict[str, str] = {}
        self.directory = Path(tempfile.mkdtemp(prefix="bank-"))

    @property
    def order(self) -> Order:
        row: Order = Order.get_by_id(self.order_id)
        return row

    @property
    def now(self) -> datetime:
        return utcnow() + self.passed

    def attempts(self) -> list[PaymentAttempt]:
        return queries.attempts(self.order_id)

    def captured(self, attempt: PaymentAttempt) -> bool:
        if attempt.channel == TRANSFER:
            return any(line.applied_fen for line in StatementLine.select().where(self._for(attempt)))
        record = platform_order(self.world, attempt.out_trade_no)
        return record is not None and "paid" in record

    def _for(self, attempt: PaymentAttempt) -> peewee.Expression:
        return StatementLine.attempt_id == attempt.id

    # --- what may happen -----------------------------------------------------------------------------------------

    def choose_transfer(self) -> None:
        with suppress(Problem):
            order = self.order
            began = service.start_payment(
                order.person_id, order.id, TRANSFER, Device(), payer_name=PAYER, now=self.now
            )
            self.codes[TRANSFER] = code_of(began.pay_by)

    def remit(self, amount_fen: int) -> None:
        """Somebody transfers so much, and the statement is imported, twice."""
        line = a_line(amount_fen, self.codes.get(TRANSFER, "培训费"), day=shanghai_day(self.now))
        for _ in range(2):
            take_in(self.directory, [line], suffix=".csv", now=self.now)

    def decide(self, number: int) -> None:
        """Finance decides something about the line that waits longest."""
        for line in sorted(transfers.in_state({"yunnan"}, "open"), key=lambda row: row.id)[:1]:
            with suppress(Problem):
                decide(number, line.id, self.codes.get(TRANSFER, "x"), now=self.now)

    def finance(self) -> None:
        """Everything about transfers comes to its end: what waits goes back."""
        bank.look_after(now=self.now)
        for line in transfers.in_state({"yunnan"}, "open"):
            decisions_about.give_back(line.id, reason="x", actor="staff:1", now=self.now)
        pay_out(now=self.now)

    def last_statement(self) -> None:
        """The statement of all days of the order, if it waited for a transfer."""
        if TRANSFER not in self.codes:
            return
        first, last = shanghai_day(self.order.created_at), shanghai_day(self.order.expires_at)
        self._until(on_clock(last + timedelta(days=1), time(11)) - utcnow())
        take_in(self.directory, [a_line(7, "x", day=last)], suffix=".csv", first=first, last=last, now=self.now)
        in_background(now=self.now)

    def click(self, channel: str) -> None:
        try:
            self.codes[channel] = code_of(start(self.order, channel, now=self.now).pay_by)
        except Problem:
            pass  # refused here: nothing was begun
        except requests.HTTPError as error:
            if error.response.status_code != 409:  # the bank's page says that it is paid already
                raise

    def pay(self, channel: str) -> None:
        """The phone pays; past the last moment too, if the provider has not closed it."""
        if channel in self.codes:
            try:
                scan(self.world, self.codes[channel], late=True)
            except requests.HTTPError:
                for kind in ("wechatpay", "alipay", "unionpay"):
                    self.world.sandbox.box.knobs.take(kind, "pay", ("late_ok",))

    def notification(self) -> None:
        for attempt in self.attempts():
            if attempt.channel != TRANSFER and self.captured(attempt):
                assert post(self.world, letter(self.world, attempt.out_trade_no)) == 204
        inbox.sweep(now=self.now)

    def check(self) -> None:
        self.passed += service.CHECK_PAUSE
        with suppress(Problem):
            service.check_payment(self.order.person_id, self.order_id, now=self.now)

    def janitor(self) -> None:
        janitor.find_lost_payments(now=self.now)
        janitor.find_late_payments(now=self.now)

    def close(self) -> None:
        self._until(END)
        janitor.expire_orders(now=self.now)

    def give_a_part(self, amount_fen: int) -> None:
        with suppress(Problem):
            decisions.refund_part(self.order_id, amount_fen, reason="x", actor="staff:1", now=self.now)

    def refund(self) -> None:
        refunds.settle_due(now=self.now)

    def another_payer(self) -> None:
        """Somebody else orders the same thing: never while this order holds it."""
        holds = self.order.status != OrderStatus.CLOSED
        with suppress(Problem):
            an_order(a_person(), self.sku, now=self.now)
            assert not holds, "two open orders of one thing"

    def the_next_morning(self) -> None:
        """The providers' bills are there."""
        morning = on_clock(shanghai_day(self.now) + timedelta(days=1), time(11))
        self._until(morning - utcnow())
        reconciliation.reconcile(now=self.now)

    def _until(self, passed: timedelta) -> None:
        self.passed = max(self.passed, passed)
        self.world.sandbox.box.clock.offset = self.passed.total_seconds()

    # --- what it comes to ----------------------------------------------------------------------------------------

    def wrong(self) -> list[str]:
        """What is wrong once the background has had its time: by what the providers have, not by what we believe."""
        self._until(END)
        for hours in (0, 2, 7, 80):
            self._until(self.passed + timedelta(hours=hours))
            breaker.close_all()
            in_background(now=self.now)
        self.last_statement()
        for _ in range(3):
            self.the_next_morning()
        for _ in range(4):
            self._until(self.passed + timedelta(minutes=70))
            in_background(now=self.now)
            self.finance()
        wrong, order = audit_payments(), self.order
        back: dict[str, int] = {}
        for row in platform_refunds(self.world):
            number = row["out_trade_no"]
            back[number] = back.get(number, 0) + 1
        kept = 0
        for attempt in self.attempts():
            ours = list(Refund.select().where(Refund.attempt_id == attempt.id))
            theirs, states = back.get(attempt.out_trade_no, 0), {row.status for row in ours}
            if attempt.channel == TRANSFER:
                numbers = [row.out_refund_no for row in ours]
                theirs = Payout.select().where(Payout.refund_no.in_(numbers), Payout.status == "sent").count()
            if theirs != len(ours) or not states <= {"succeeded"}:
                wrong.append(f"{attempt.channel}: our refunds are {states}, theirs {theirs}")
            if self.captured(attempt) and attempt.id == order.paid_attempt_id:
                kept += 1
            elif self.captured(attempt) and sum(row.amount_fen for row in ours) != 20000:
                wrong.append(f"{attempt.channel}: the provider has money that nobody keeps")
        if order.status not in (OrderStatus.PAID, OrderStatus.CLOSED) or kept != (order.status == OrderStatus.PAID):
            wrong.append(f"the order is {order.status}, {kept} payments kept")
        return wrong


class Machine(RuleBasedStateMachine):
    """Hypothesis chooses the sequence; the money is right after each step, and at the end."""

    world: ClassVar[World]

    def __init__(self) -> None:
        super().__init__()
        self.whole = Whole(self.world)

    @rule(channel=st.sampled_from(CHANNELS))
    def click(self, channel: str) -> None:
        self.whole.click(channel)

    @rule(channel=st.sampled_from(CHANNELS))
    def pay(self, channel: str) -> None:
        self.whole.pay(channel)

    @rule(amount_fen=st.sampled_from((20000, 20000, 15000, 5000, 20001, 1)))
    def remit(self, amount_fen: int) -> None:
        self.whole.remit(amount_fen)

    @rule(number=st.integers(0, DECISIONS - 1))
    def decide(self, number: int) -> None:
        self.whole.decide(number)

    @rule(amount_fen=st.integers(min_value=0, max_value=20001))
    def give_a_part(self, amount_fen: int) -> None:
        self.whole.give_a_part(amount_fen)

    @rule(
        name=st.sampled_from(
            (
                "choose_transfer",
                "choose_transfer",
                "finance",
                "notification",
                "check",
                "janitor",
                "close",
                "refund",
                "another_payer",
                "the_next_morning",
            )
        )
    )
    def happen(self, name: str) -> None:
        getattr(self.whole, name)()

    @invariant()
    def money_is_right(self) -> None:
        assert audit_payments() == []

    def teardown(self) -> None:
        try:
            assert self.whole.wrong() == []
        finally:
            shutil.rmtree(self.whole.directory)


def any_sequence(world: World, examples: int) -> None:
    """`examples` sequences of up to twelve steps. Raises AssertionError with the shortest one that goes wrong."""
    machine = type("order_machine", (Machine,), {"world": world})
    checked = settings(
        max_examples=examples,
        stateful_step_count=12,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    with tempfile.TemporaryDirectory(prefix="programmes-") as directory:
        with transfers_allowed(Path(directory), world.settings):
            run_state_machine_as_test(machine, settings=checked)


def p2(world: World, tries: int) -> int:
    """`tries` sequences of everything; 1 if one goes wrong."""
    try:
        any_sequence(world, tries)
    except AssertionError as error:
        log.info(f"P2 order: {error} {' '.join(getattr(error, '__notes__', ()))}")
        return 1
    return 0


def p2_twin(world: World) -> bool:
    """With an order that takes a second payment as it took the first; and without the bound of what goes back."""
    whole = Whole(world)
    for channel in CHANNELS[:2]:
        whole.click(channel)
        whole.pay(channel)
    with patch.dict(status.ORDER, {(OrderStatus.PAID, OrderAction.PAY): OrderStatus.PAID}):
        whole.notification()
    twice = bool(audit_payments())
    whole = Whole(world)
    whole.click(CHANNELS[0])
    whole.pay(CHANNELS[0])
    whole.notification()
    with patch.object(settlement, "_hold", lambda *_: True):
        whole.give_a_part(15000)
        whole.give_a_part(15000)
    return twice and bool(audit_payments())
