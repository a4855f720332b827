"""One thing paid twice: by two channels (P10), or by two payers for the same person's same training (P14)."""

from __future__ import annotations

import logging
from datetime import timedelta
from itertools import combinations
from unittest.mock import patch

from app.core import db
from app.core.clock import utcnow
from app.core.db import transaction
from app.core.errors import Problem
from app.core.ids import new_id
from app.pay import ledger, queries, service, settlement
from app.pay.audit import audit_payments
from app.pay.channels import CHANNELS, Channel
from app.pay.models import Order, OrderLine, PaymentAttempt
from tests.factories import a_person
from tests.faults.money import ALL, _whatever_was_there, a_payer
from tests.faults.payments import _without_the_unique_key
from tests.faults.trades import Trade
from tests.pay.till import (
    Sale,
    a_sale,
    an_order,
    code_of,
    in_background,
    in_parallel,
    lose_letters,
    platform_refunds,
    scan,
    start,
)
from tests.world import World

log = logging.getLogger(__name__)

PAIRS = list(combinations(ALL, 2))


# --- P10: both channels paid for one order -------------------------------------------------------------------------


def _paid_by_both(world: World, first: Channel, second: Channel) -> int:
    """Both payments are there before we hear of either, and eight workers settle them at one moment."""
    sale, codes = a_sale(), []
    for channel in (first, second):
        a_payer(world, channel, sale.person)
        codes.append(code_of(start(sale.order, channel.name).pay_by))
    for code in codes:
        scan(world, code)
    attempts = list(PaymentAttempt.select().where(PaymentAttempt.order_id == sale.order_id))

    def settle(number: int) -> None:
        with db.connection():
            settlement.ask(PaymentAttempt.get_by_id(attempts[number % 2].id), now=utcnow())

    in_parallel(8, settle)
    for minutes in (1, 3, 60):
        world.sandbox.box.clock.offset += 60
        in_background(now=utcnow() + timedelta(minutes=minutes))
    world.sandbox.box.clock.offset = 0.0
    return _one_kept(world, sale, [attempt.out_trade_no for attempt in attempts])


def _one_kept(world: World, sale: Sale, numbers: list[str]) -> int:
    back = [row for row in platform_refunds(world) if row["out_trade_no"] in numbers]
    refunds = [(row.reason, row.amount_fen, row.status) for row in sale.refunds]
    good = sale.order.status == "paid" and sale.times("pay") == 1 and sale.granted
    good = good and refunds == [("double", 20000, "succeeded")] and len(back) == 1
    if not good:
        log.info(f"P10 {numbers}: order {sale.order.status}, refunds {refunds}, {len(back)} on the platform")
    return (not good) + len(audit_payments())


def p10(world: World, tries: int) -> int:
    """`tries` orders that two channels paid, each pair of channels in turn: one is kept, the other goes back."""
    lose_letters(world)
    return sum(_paid_by_both(world, *PAIRS[number % len(PAIRS)]) for number in range(tries))


def p10_twin(world: World) -> bool:
    """Without comparing before setting: both pay the order, or both go back."""
    lose_letters(world)
    pair = CHANNELS["wechat_native"], CHANNELS["alipay_qr"]
    with patch.object(ledger, "compare_and_set", _whatever_was_there):
        for _ in range(4):
            try:
                if _paid_by_both(world, *pair) > 0:
                    return True
            except Problem:  # a later guard that is hit is a guard that was missing
                return True
    return False


# --- P14: two payers, the same person's same training --------------------------------------------------------------


def _order(payer: service.Payer, sku: str) -> str:
    """The id of the payer's order of this thing, or the code of the refusal."""
    now, line = utcnow(), service.Line(sku, "继续教育 塔机司机", 20000)
    try:
        with transaction():
            made = service.create_order(
                payer=payer,
                programme="yunnan",
                version="2021-02-01",
                lines=[line],
                expires_at=now + timedelta(minutes=30),
                now=now,
            )
    except Problem as refusal:
        return refusal.code
    return str(made.id)


def _at_one_moment(tries: int) -> int:
    """The worker and two clerks order the same thing `tries` times in all: one order, the others refused before they
    pay."""
    sku = f"thing:{new_id()}"
    clerks = [service.Payer("organisation", new_id()) for _ in range(2)]
    payers = [service.Payer("person", a_person().id), *clerks]

    def click(number: int) -> str:
        with db.connection():
            return db.unit(lambda: _order(payers[number % 3], sku))

    answers = set(in_parallel(tries, click))
    held = OrderLine.select().where(OrderLine.sku == sku).count()
    good = held == 1 and len(answers) == 2 and "in_another_order" in answers
    if not good:
        log.info(f"P14: {held} lines, answers {sorted(answers)}")
    return int(not good)


def _paid_all_the_same(world: World, channel: Channel) -> int:
    """The first payer's order is over, the second pays for the same; then the first one's money comes after all."""
    trade = Trade(world, channel.name)
    trade.close_blindly()
    world.sandbox.box.clock.offset = 0.0
    (sku,) = queries.skus(trade.order_id)
    second = an_order(a_payer(world, channel), sku)
    started = start(second, channel.name)
    scan(world, code_of(started.pay_by))
    settlement.ask(started.attempt, now=utcnow())
    trade.pay_late()
    trade.question()
    wrong = trade.wrong()
    kept = Order.get_by_id(second.id)
    if kept.status != "paid" or queries.refunds(second.id) or trade.order.status != "closed":
        wrong.append(f"the second is {kept.status}, the first {trade.order.status}")
    if wrong:
        log.info(f"P14 {channel.name}: {wrong}")
    return len(wrong)


def p14(world: World, tries: int) -> int:
    """`tries` orders of one thing at one moment; and of each channel a payment of both payers."""
    violations = _at_one_moment(tries)
    for channel in ALL:
        world.clear()
        violations += _paid_all_the_same(world, channel)
    return violations + len(audit_payments())


def p14_twin(world: World) -> bool:
    """Without the key that an open order has on what it sells: each of them has an order, and may pay."""
    with patch.object(service, "_insert_order", _without_the_unique_key):
        return _at_one_moment(9) > 0
