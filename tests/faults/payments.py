"""Payment faults as functions: each gives the number of violations; its twin takes one guard out and tells whether
the experiment then fails, as it must."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from threading import Thread
from typing import Any
from unittest.mock import patch

import requests

from app.cases.models import Case
from app.core import db, inbox, outbox
from app.core.clock import utcnow
from app.core.errors import Problem
from app.core.inbox import InboxMessage
from app.pay import ledger, service, settlement
from app.pay.audit import audit_payments
from app.pay.models import Order, OrderLine, PaymentAttempt, PaymentEvent
from app.pay.providers import wechatpay
from app.pay.providers.protocol import PayBy
from tests.factories import a_person, an_enrolment, auth
from tests.pay.till import (
    CALLBACK,
    Letter,
    Sale,
    a_sale,
    in_background,
    in_parallel,
    letter,
    lose_letters,
    platform_order,
    post,
    scan,
    show_code,
    wrong_with,
)
from tests.world import World

log = logging.getLogger(__name__)


def a_paid_sale(world: World) -> Sale:
    """Paid at the platform, and the product has not heard of it."""
    sale = a_sale()
    scan(world, show_code(sale))
    return sale


# --- P1: the same notification many times in parallel ------------------------------------------------------------


def one_letter_for_all(world: World, tries: int, stopped_by: str | None = None) -> tuple[Sale, int]:
    """Post one notification `tries` times in parallel, and let 16 settle the payment; gives the sale and the number
    of answers or inbox rows that are wrong. An exception of one of them ends the experiment, it is no result, but for
    the refusal `stopped_by`, which a twin may run into."""
    lose_letters(world)
    sale = a_paid_sale(world)
    sent = letter(world, sale.attempt.out_trade_no)
    answers = in_parallel(tries, lambda _: post(world, sent))
    violations = sum(status != 204 for status in answers)
    number = sale.attempt.out_trade_no  # a letter of an earlier scenario may still arrive
    violations += sum(number in message.body for message in InboxMessage.select()) != 1

    def settle(number: int) -> None:
        with db.connection():
            if number == 0:
                inbox.sweep(now=utcnow())
                return
            try:
                settlement.ask(sale.attempt, now=utcnow())
            except Problem as refusal:
                if refusal.code != stopped_by:
                    raise

    in_parallel(min(tries, 16), settle)
    in_background()
    return sale, violations


def p1(world: World, tries: int) -> int:
    """The same notification `tries` times in parallel, while others ask about the payment too: one grant, one message
    a subscriber, and each notification is answered as the provider wants it."""
    sale, violations = one_letter_for_all(world, tries)
    return violations + wrong_with(sale)


def _whatever_was_there(model: Any, row_id: str, where: dict[str, Any], values: dict[str, Any]) -> bool:
    return bool(model.update(values).where(model.id == row_id).execute())


def p1_twin(world: World) -> bool:
    """Without comparing before setting: the one payment is credited again, and pays its order twice, or finds it paid
    and is refunded though it paid for it. A third credit is refused: more would go back than was captured."""
    with patch.object(ledger, "compare_and_set", _whatever_was_there):
        sale, violations = one_letter_for_all(world, 16, stopped_by="refund_too_much")
    return violations == 0 and sale.times("pay", "attempt") > 1 and wrong_with(sale) > 0


# --- P3: notifications that the provider did not send ------------------------------------------------------------

HEADERS = (
    "Wechatpay-Timestamp",
    "Wechatpay-Nonce",
    "Wechatpay-Signature",
    "Wechatpay-Serial",
    "Wechatpay-Signature-Type",
)


def _changed(text: str, place: int) -> str:
    """`text` with another character at `place`: another digit for a digit, a letter for what is none."""
    old = text[place]
    new = str((int(old) + 1) % 10) if old.isdigit() else ("B" if old == "A" else "A")
    return text[:place] + new + text[place + 1 :]


def forgeries(world: World, good: Letter, step: int) -> Iterator[tuple[str, Letter]]:
    """Everything that is not quite the letter `good`; of single changed bytes each `step`-th."""
    headers, body = good
    for place in range(0, len(body), step):
        yield f"body byte {place}", (headers, body[:place] + bytes([body[place] ^ 1]) + body[place + 1 :])
    for name in HEADERS:
        for place in range(0, len(headers[name]), step):
            yield f"{name} character {place}", (headers | {name: _changed(headers[name], place)}, body)
        yield f"{name} missing", ({key: value for key, value in headers.items() if key != name}, body)
        yield f"{name} empty", (headers | {name: ""}, body)
    number = json_number(world)
    yield "another letter's signature", (letter(world, number)[0], body)
    for kind, value in (("forged", None), ("probe", None), ("stale", 301), ("stale", -302), ("stale", 31_536_000)):
        trouble: dict[str, Any] = {kind: value}
        yield f"{kind} {value}", letter(world, number, **trouble)
    for label, other in (("nothing", b""), ("half", body[: len(body) // 2]), ("more", body + b" "), ("list", b"[]")):
        yield label, (headers, other)


def json_number(world: World) -> str:
    """The number of the one payment there is."""
    return str(PaymentAttempt.get().out_trade_no)


def p3(world: World, tries: int, step: int = 1) -> int:
    """`tries` letters, and of each every forgery: refused, nothing written, nobody called."""
    violations = 0
    client = world.app.test_client()
    lose_letters(world)
    for _ in range(tries):
        world.clear()
        lose_letters(world)
        sale = a_paid_sale(world)
        good = letter(world, sale.attempt.out_trade_no)
        calls, events = world.sandbox.box.journal.count("wechatpay"), PaymentEvent.select().count()
        for label, (headers, body) in forgeries(world, good, step):
            status = client.post(CALLBACK, data=body, headers=headers).status_code
            if not 400 <= status < 600:
                log.info(f"P3: {label} was answered {status}")
                violations += 1
        for other in ("henan.wechatpay", "yunnan.baidu", "yunnan.wechat", ".."):
            path = CALLBACK.replace("yunnan.wechatpay", other)
            violations += client.post(path, data=good[1], headers=good[0]).status_code not in (404, 405)
        written = InboxMessage.select().count() + Case.select().count() + PaymentEvent.select().count() - events
        violations += written + world.sandbox.box.journal.count("wechatpay") - calls
        # and the letter itself, and one that is four minutes old, are taken: else nothing was shown
        violations += client.post(CALLBACK, data=good[1], headers=good[0]).status_code != 204
        headers, body = letter(world, sale.attempt.out_trade_no, stale=240)
        violations += client.post(CALLBACK, data=body, headers=headers).status_code != 204
    return violations


def p3_twin(world: World) -> bool:
    """Once without the signature's check, once without the window of time."""
    with patch.object(wechatpay, "signature_good", lambda *_: True):
        without_signature = p3(world, 1, step=60)
    world.clear()
    with patch.object(wechatpay, "fresh", lambda *_: True):
        without_time = p3(world, 1, step=60)
    return without_signature > 0 and without_time > 0


# --- P5: the notification is quicker than the answer -------------------------------------------------------------


def _paid_before_the_answer(world: World, sale: Sale, seconds: float) -> int:
    """The provider answers the create call `seconds` late; meanwhile the phone pays, and the notification comes."""
    number = service.trade_no(sale.order_id, "wechat_native")
    world.sandbox.box.knobs.add("wechatpay", "native", "delay_after", seconds)
    answers: list[int] = []
    url = f"{world.settings.public_url}/api/v1/orders/{sale.order_id}/payments"
    headers = auth(sale.person)

    def click() -> None:
        answer = requests.post(url, json={"channel": "wechat_native"}, headers=headers, timeout=30)
        answers.append(answer.status_code)

    clicking = Thread(target=click)
    clicking.start()
    until = time.monotonic() + 5
    while platform_order(world, number) is None and time.monotonic() < until:
        time.sleep(0.01)
    scan(world, number)
    status = post(world, letter(world, number))
    inbox.sweep(now=utcnow())
    early = not answers  # otherwise the experiment is void
    clicking.join()
    outbox.sweep(now=utcnow())
    return (not early) + (status != 204) + (answers != [409]) + Case.select().count() + wrong_with(sale)


def p5(world: World, tries: int) -> int:
    """`tries` payments whose notification is there and applied before the create call returns: paid once."""
    lose_letters(world)
    return sum(_paid_before_the_answer(world, a_sale(), 1.5) for _ in range(tries))


def _open_then_commit(order: Order, attempt: PaymentAttempt, *rest: Any) -> PayBy:
    """The order of steps that P5 forbids: the row is there only after the call."""
    values = dict(attempt.__data__)
    PaymentAttempt.delete().where(PaymentAttempt.id == attempt.id).execute()
    try:
        return _open(order, attempt, *rest)
    finally:
        PaymentAttempt.insert(values).execute()


_open = service._open


def p5_twin(world: World) -> bool:
    """Without the row committed before the call."""
    with patch.object(service, "_open", _open_then_commit):
        return p5(world, 1) > 0


# --- P9: a double click ------------------------------------------------------------------------------------------


def p9(world: World, tries: int) -> int:
    """One person checks out and pays `tries` times in parallel: one order, one payment at the provider, one code."""
    lose_letters(world)
    person = a_person()
    enrolment = an_enrolment(person, "signed_up")
    headers = auth(person)
    base = world.settings.public_url + "/api/v1"
    payer = {"payer_name": person.name, "payer_number": person.id_number}

    def click(_: int) -> tuple[str, str]:
        answer = requests.post(
            f"{base}/checkout", json={"enrolment_ids": [enrolment.id], **payer}, headers=headers, timeout=60
        )
        order_id = answer.json().get("order_id", f"checkout {answer.status_code}")
        answer = requests.post(
            f"{base}/orders/{order_id}/payments", json={"channel": "wechat_native"}, headers=headers, timeout=60
        )
        return order_id, answer.json().get("code_url", f"payment {answer.status_code}")

    answers = set(in_parallel(tries, click))
    violations = len(answers) - 1 + (Order.select().count() != 1) + (PaymentAttempt.select().count() != 1)
    if violations:
        log.info(f"P9: {sorted(answers)}")
        return violations + len(audit_payments())
    ((order_id, code_url),) = answers
    scan(world, code_url)
    in_background(now=utcnow() + timedelta(seconds=15))
    return wrong_with(Sale(person, enrolment.id, order_id))


def _without_the_unique_key(*args: Any) -> Order:
    order = _insert_order(*args)
    OrderLine.update(open_sku=None).where(OrderLine.order_id == order.id).execute()
    return order


_insert_order = service._insert_order


def p9_twin(world: World) -> bool:
    """Without the key that an open order has on what it sells."""
    with patch.object(service, "_insert_order", _without_the_unique_key):
        return p9(world, 8) > 0


# --- P12: killed at every statement ------------------------------------------------------------------------------


@contextmanager
def _dying(world: World, *options: str) -> Iterator[subprocess.Popen[str]]:
    """The process whose children die (tests/faults/dying.py), over this world's database."""
    environ = os.environ | {
        "DATA_DIR": str(world.data_dir),
        "DATABASE_URL": world.settings.database_url,
        "REDIS_URL": world.settings.redis_url,
        "SANDBOX_URL": world.settings.sandbox_url,
        "PUBLIC_URL": world.settings.public_url,
        "LOG_LEVEL": "ERROR",
    }
    command = [sys.executable, "-m", "tests.faults.dying", *options]
    process = subprocess.Popen(command, env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def _killed(process: subprocess.Popen[str], sent: Letter, after: int) -> bool:
    """Have a child take the letter and die before its statement number `after`; False if it lived to the end."""
    assert process.stdin is not None
    assert process.stdout is not None
    task = {"after": after, "headers": sent[0], "body": sent[1].decode()}
    process.stdin.write(json.dumps(task) + "\n")
    process.stdin.flush()
    killed: bool = json.loads(process.stdout.readline())["killed"]
    return killed


def _deaths(world: World, first: int, *options: str) -> Iterator[int]:
    """Violations after each death, from before statement `first` on, until a child lives."""
    lose_letters(world)
    with _dying(world, *options) as process:
        after, killed = first, True
        while killed:
            sale = a_paid_sale(world)
            sent = letter(world, sale.attempt.out_trade_no)
            killed = _killed(process, sent, after)
            violations = int(post(world, sent) != 204)  # the provider sends it again
            for seconds in (61, 122):  # what a dead process had claimed is free after a minute
                inbox.sweep(now=utcnow() + timedelta(seconds=seconds))
                outbox.sweep(now=utcnow() + timedelta(seconds=seconds))
            violations += wrong_with(sale)
            if violations:
                log.info(f"P12: {violations} violations after a death before statement {after}")
            yield violations
            after += 1
    if after < 20:
        yield 1  # the experiment is void: a notification takes more statements


def p12(world: World, tries: int) -> int:
    """`tries` times: SIGKILL before each SQL statement between the notification and the grant; sent again, it
    converges to one grant."""
    return sum(sum(_deaths(world, 1)) for _ in range(tries))


def p12_twin(world: World) -> bool:
    """Without the outbox row in the transaction that pays the order."""
    return any(_deaths(world, 10, "--emit-later"))
