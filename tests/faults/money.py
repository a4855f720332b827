"""Payment faults over every channel: what does not fit, the last second, lost letters, providers in trouble, refunds
that fail. Each gives the number of violations; its twin takes one guard out and tells whether it then fails."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from unittest.mock import patch

import peewee
import requests

from app.account.models import Person
from app.cases import service as cases
from app.core import breaker, db, outgoing
from app.core.clock import utcnow
from app.core.errors import Problem
from app.core.ids import new_id
from app.pay import janitor, ledger, refunds, settlement
from app.pay.audit import audit_payments
from app.pay.channels import CHANNELS, ONLINE, Channel, provider_of
from app.pay.models import Order, PaymentAttempt, Refund
from app.pay.providers.protocol import RefundRequest, RefundState
from tests.factories import a_person, auth
from tests.faults.trades import Trade
from tests.pay.till import (
    CLIENTS,
    Sale,
    a_sale,
    an_order,
    bind_wechat,
    code_of,
    in_background,
    in_parallel,
    letter,
    lose_letters,
    platform_order,
    platform_refunds,
    post,
    scan,
    start,
    wrong_with,
)
from tests.world import World

log = logging.getLogger(__name__)

ALL = tuple(ONLINE[name] for name in sorted(ONLINE))


def a_payer(world: World, channel: Channel, person: Person | None = None) -> Person:
    """A person who can pay by this channel."""
    person = person or a_person()
    if channel.way == "jsapi":
        bind_wechat(world, person)
    return person


def a_sale_by(world: World, channel: Channel) -> tuple[Sale, str]:
    """A sale, and what the phone would pay."""
    sale = a_sale()
    a_payer(world, channel, sale.person)
    return sale, code_of(start(sale.order, channel.name).pay_by)


# --- P4: signed, and not what we asked for -----------------------------------------------------------------------

WRONG: dict[str, list[dict[str, Any]]] = {
    "wechatpay": [
        {"amount": {"total": 1}},
        {"amount": {"total": 20001}},
        {"amount": {"currency": "USD"}},
        {"appid": "wx0000000000000000"},
        {"mchid": "1600000000"},
    ],
    "alipay": [
        {"total_amount": "0.01"},
        {"total_amount": "200.01"},
        {"total_amount": "2E2.0"},
        {"trans_currency": "USD"},
        {"app_id": "2021000000000001"},
        {"seller_id": "2088000000000001"},
        {"seller_id": ""},
    ],
    "unionpay": [
        {"txnAmt": "1"},
        {"txnAmt": "20001"},
        {"txnAmt": "2e4"},
        {"currencyCode": "840"},
        {"queryId": ""},
    ],
}
WRONG_ANSWERS: dict[str, list[dict[str, Any]]] = {
    "wechatpay": WRONG["wechatpay"],
    "alipay": [{"total_amount": "0.01"}, {"trans_currency": "USD"}, {"seller_id": "2088000000000001"}],
    "unionpay": WRONG["unionpay"],
}


def _ends_in_a_case(world: World, channel: Channel, change: dict[str, Any], *, by_letter: bool) -> int:
    """One payment of which something wrong is said, by a letter or by an answer: nothing is granted, a person is
    told."""
    lose_letters(world)
    sale, code = a_sale_by(world, channel)
    scan(world, code)
    if by_letter:
        post(world, letter(world, sale.attempt.out_trade_no, change=change))
    else:
        world.sandbox.box.knobs.add(channel.kind, "query", "alter", change, None)
        janitor.find_lost_payments(now=utcnow() + timedelta(seconds=15))
    in_background()
    told = f"attempt:{sale.attempt.id}" in [case.subject for case in cases.open_cases("pay.mismatch")]
    good = told and not sale.granted and sale.order.status == "pending" and not sale.refunds
    if not good:
        log.info(f"P4 {channel.name} {change}: order {sale.order.status}, attempt {sale.attempt.status}")
    return (not good) + len(audit_payments())


def p4(world: World, tries: int) -> int:
    """`tries` times each wrong field of each channel, told by a letter and by an answer."""
    violations = 0
    for channel in ALL * tries:
        for by_letter, changes in ((True, WRONG[channel.kind]), (False, WRONG_ANSWERS[channel.kind])):
            for change in changes:
                world.clear()
                violations += _ends_in_a_case(world, channel, change, by_letter=by_letter)
    return violations


def p4_twin(world: World) -> bool:
    """Without the comparison with what we asked for: granted for a fen."""
    with patch.object(settlement, "mismatch", lambda *_: None):
        wechat = _ends_in_a_case(world, CHANNELS["wechat_native"], {"amount": {"total": 1}}, by_letter=False)
        world.clear()
        alipay = _ends_in_a_case(world, CHANNELS["alipay_qr"], {"total_amount": "0.01"}, by_letter=False)
        world.clear()
        unionpay = _ends_in_a_case(world, CHANNELS["unionpay_b2c"], {"txnAmt": "1"}, by_letter=False)
    return wechat > 0 and alipay > 0 and unionpay > 0


# --- P6: the last second -----------------------------------------------------------------------------------------


def _last_second(world: World, channel: Channel, dice: random.Random) -> int:
    """A phone that pays and is told of, against two jobs that close the order, within a second of its end."""
    order = an_order(a_payer(world, channel), f"thing:{new_id()}")
    started = start(order, channel.name)
    attempt, code = started.attempt, code_of(started.pay_by)
    end: datetime = order.expires_at
    world.sandbox.box.clock.offset = (end - utcnow()).total_seconds() - 1

    def act(who: int) -> None:
        time.sleep(dice.random() / 40)
        with db.connection():
            if who:
                janitor.expire_orders(now=end + timedelta(seconds=dice.random()))
                return
            try:
                scan(world, code)
            except requests.HTTPError:  # closed at the provider a moment before: nothing to tell
                return
            post(world, letter(world, attempt.out_trade_no))
            settlement.ask(attempt, now=end + timedelta(seconds=dice.uniform(-1, 1)))

    wrong = 0
    try:
        in_parallel(3, act)
    except (peewee.IntegrityError, Problem):  # the twin: a later guard that is hit is a guard that was missing
        wrong += 1
    for minutes in (1, 3, 90, 200):
        world.sandbox.box.clock.offset += 60
        in_background(now=end + timedelta(minutes=minutes))
    world.sandbox.box.clock.offset = 0.0
    record = platform_order(world, attempt.out_trade_no)
    captured = record is not None and "paid" in record
    back = sum(row["out_trade_no"] == attempt.out_trade_no for row in platform_refunds(world))
    status = Order.get_by_id(order.id).status
    ends = [("paid", True, 0), ("closed", True, 1), ("closed", False, 0)]
    if (status, captured, back) not in ends:
        log.info(f"P6 {channel.name}: order {status}, captured {captured}, {back} refunds")
        wrong += 1
    return wrong


def p6(world: World, tries: int) -> int:
    """`tries` payments of each channel at 30:00 ± 1 s: paid, or closed and given back."""
    lose_letters(world)
    dice, wrong = random.Random(6), 0
    for channel in ALL:
        wrong += sum(_last_second(world, channel, dice) for _ in range(tries))
    return wrong + len(audit_payments())


def _whatever_was_there(model: Any, row_id: str, _where: dict[str, Any], values: dict[str, Any]) -> bool:
    return bool(model.update(values).where(model.id == row_id).execute())


def p6_twin(world: World) -> bool:
    """Without comparing before setting."""
    with patch.object(ledger, "compare_and_set", _whatever_was_there):
        return any(p6(world, 5) > 0 for _ in range(4))


# --- P7: every notification lost ---------------------------------------------------------------------------------


def p7(world: World, tries: int) -> int:
    """`tries` payments of each channel, every letter lost: found by asking, and granted, within two minutes."""
    lose_letters(world)
    sales = []
    for channel in ALL * tries:
        sale, code = a_sale_by(world, channel)
        scan(world, code)
        sales.append(sale)
    began = utcnow()
    for seconds in range(0, 120, 5):  # the janitor runs every five seconds (jobs/schedule.py)
        in_background(now=began + timedelta(seconds=seconds))
    return sum(bool(wrong_with(sale)) for sale in sales)


def p7_twin(world: World) -> bool:
    """Without the janitor."""
    with patch.object(janitor, "find_lost_payments", lambda **_: 0):
        return p7(world, 1) == len(ALL)


# --- P8: a provider in trouble -----------------------------------------------------------------------------------

TROUBLE: tuple[tuple[str, Any], ...] = (
    ("hang", 30),
    ("reset", None),
    ("reset_after", None),
    ("error", 500),
    ("error", 502),
    ("garbage", None),
    ("forged", None),
    ("unsigned", None),
)
CREATE = {"wechat_native": "native", "wechat_jsapi": "jsapi", "alipay_qr": "precreate"}
WITHIN = 5.0  # seconds that a person waits at most


def _click(world: World, sale: Sale, channel: Channel) -> tuple[int, float]:
    """A click on "pay", or, where that calls nobody, on "I have paid": the status of the answer, and its time."""
    order = f"{world.settings.public_url}/api/v1/orders/{sale.order_id}"
    device = CLIENTS.get(channel.name)
    body = {"channel": channel.name, "client": device.client if device else "web"}
    path = "payments" if channel.name in CREATE else "check"
    began = time.monotonic()
    answer = requests.post(
        f"{order}/{path}", json=body if path == "payments" else None, headers=auth(sale.person), timeout=60
    )
    return answer.status_code, time.monotonic() - began


def _in_trouble(world: World, channel: Channel, kind: str, value: Any) -> int:
    """One click while the provider is in trouble, one when it is back; then the phone pays."""
    breaker.close_all()
    sale = a_sale()
    a_payer(world, channel, sale.person)
    if channel.name not in CREATE:
        code_of(start(sale.order, channel.name).pay_by)
    operation = CREATE.get(channel.name, "query")
    world.sandbox.box.knobs.add(channel.kind, operation, kind, value, None)
    status, seconds = _click(world, sale, channel)
    attempt = sale.attempt
    doubt = attempt.status == ("unknown" if channel.name in CREATE else "waiting") and attempt.ask_at is not None
    violations = (status != 503) + (seconds > WITHIN) + (not doubt)
    world.sandbox.box.knobs.clear()
    lose_letters(world)
    breaker.close_all()  # its pause is over
    scan(world, code_of(start(sale.order, channel.name).pay_by))
    in_background(now=utcnow() + timedelta(seconds=30))
    in_background(now=utcnow() + timedelta(seconds=45))
    orders = [row for row in PaymentAttempt.select() if row.order_id == sale.order_id]
    violations += (len(orders) != 1) + (orders[0].out_trade_no != attempt.out_trade_no) + wrong_with(sale)
    if violations:
        log.info(f"P8 {channel.name} {kind} {value}: {status} in {seconds:.1f} s, {attempt.status}, {violations}")
    return violations


def p8(world: World, tries: int, troubles: tuple[tuple[str, Any], ...] = TROUBLE) -> int:
    """`tries` times each trouble of each channel: our answer within five seconds, the payment in doubt and asked
    about, one order, paid once when the provider is back."""
    lose_letters(world)
    return sum(_in_trouble(world, channel, *trouble) for channel in ALL * tries for trouble in troubles)


def p8_twin(world: World) -> bool:
    """Without our own limits of time, a provider that takes seven seconds takes our answer with it."""
    with patch.object(outgoing, "TIMEOUT", (30.0, 30.0)), patch.object(outgoing, "TOTAL", 60.0):
        return _in_trouble(world, CHANNELS["wechat_native"], "hang", 7) > 0


# --- P11: a refund that fails ------------------------------------------------------------------------------------


def _failures() -> Iterator[tuple[str, Any]]:
    while True:
        yield from (("error", 500), ("reset", None), ("garbage", None), ("forged", None), ("reset_after", None))


def _refund_that_fails(world: World, channel: Channel, times: int) -> int:
    """Money that came too late; the call that gives it back fails `times` times, some of them after it worked."""
    trade = Trade(world, channel.name)
    trade.close_blindly()
    trade.pay_late()
    trade.question()
    number, now = Refund.get(Refund.order_id == trade.order_id).out_refund_no, trade.now
    for _, (kind, value) in zip(range(times), _failures(), strict=False):
        breaker.close_all()  # each pause is longer than the breaker's
        world.sandbox.box.knobs.clear()
        for operation in ("refund", "query_refund"):
            world.sandbox.box.knobs.add(channel.kind, operation, kind, value, None)
        now += timedelta(hours=1)
        refunds.settle_due(now=now)
    world.sandbox.box.knobs.clear()
    breaker.close_all()
    for _ in range(2):
        world.sandbox.box.clock.offset += 60
        now += timedelta(hours=2)
        refunds.settle_due(now=now)
    made = [row for row in platform_refunds(world) if row["out_trade_no"] == trade.attempt.out_trade_no]
    numbers = {row.get("out_refund_no") or row["out_request_no"] for row in made}
    ours = Refund.get(Refund.order_id == trade.order_id)
    good = len(made) == 1 and numbers == {number} == {ours.out_refund_no} and ours.status == "succeeded"
    if not good or ours.tries < times:
        log.info(f"P11 {channel.name}: {len(made)} refunds, ours is {ours.status} after {ours.tries} tries")
    return (not good) + (ours.tries < times) + len(audit_payments())


def p11(world: World, tries: int) -> int:
    """The refund of one payment of each channel fails `tries` times: one number, one refund."""
    violations = 0
    for channel in ALL:
        world.clear()
        violations += _refund_that_fails(world, channel, tries)
    return violations


def _another_number(refund: Refund) -> RefundState:
    attempt = PaymentAttempt.get_by_id(refund.attempt_id)
    half = refund.amount_fen // 40  # a provider does not give more than it has: the twin asks for little each time
    request = RefundRequest(
        f"R{new_id().upper()}",
        attempt.out_trade_no,
        half,
        refund.amount_fen,
        "twin",
        "http://127.0.0.1:9/",
        attempt.transaction_id,
    )
    return provider_of(attempt).refund(request)


def p11_twin(world: World) -> bool:
    """With a new number for each try, a refund whose answer was lost is made again."""
    with patch.object(refunds, "_ask", _another_number):
        found = [_refund_that_fails(world, channel, 20) for channel in ALL[:3]]
    return all(found)
