"""Fault P3 for Alipay, whose signature is a field of the form: whatever is not quite what it sent changes nothing."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any
from unittest.mock import patch
from urllib.parse import parse_qsl, urlencode

from app.cases.models import Case
from app.core.inbox import InboxMessage
from app.pay.models import PaymentEvent
from app.pay.providers import alipay
from tests.pay import alipay_side
from tests.pay.till import ALIPAY_CALLBACK, a_sale, code_of, lose_letters, scan, start
from tests.world import World

log = logging.getLogger(__name__)


def forgeries(world: World, number: str, body: bytes, step: int) -> Iterator[tuple[str, bytes]]:
    """Everything that is not quite the form `body`; of single changed bytes each `step`-th."""
    for place in range(0, len(body), step):
        yield f"byte {place}", body[:place] + bytes([body[place] ^ 1]) + body[place + 1 :]
    fields = parse_qsl(body.decode(), keep_blank_values=True)
    for name, value in fields:
        rest = [pair for pair in fields if pair[0] != name]
        yield f"{name} missing", urlencode(rest).encode()
        yield f"{name} empty", urlencode([*rest, (name, "")]).encode()
        yield f"{name} twice", urlencode([*fields, (name, value)]).encode()
    for label, extra in (("one more", ("total_amount2", "1")), ("an empty one more", ("passback_params", ""))):
        yield label, urlencode([*fields, extra]).encode()
    other = dict(parse_qsl(alipay_side.letter(world, number)[1].decode()))
    yield "another letter's signature", urlencode({**dict(fields), "sign": other["sign"]}).encode()
    for sign_type in ("RSA", "rsa2", "MD5"):
        yield sign_type, urlencode({**dict(fields), "sign_type": sign_type}).encode()
    troubles: list[dict[str, Any]] = [{"forged": None}, {"sha1": None}]
    troubles += [{"stale": seconds} for seconds in (301, -302, 31_536_000)]
    for trouble in troubles:
        yield str(trouble), alipay_side.letter(world, number, **trouble)[1]
    for label, text in (
        ("nothing", b""),
        ("half", body[: len(body) // 2]),
        ("JSON", b"{}"),
        ("not ASCII", b"\xff=1"),
    ):
        yield label, text


def p3(world: World, tries: int, step: int = 1) -> int:
    """`tries` letters, and of each every forgery: refused, nothing written, nobody called."""
    violations, client = 0, world.app.test_client()
    for _ in range(tries):
        world.clear()
        lose_letters(world)
        sale = a_sale()
        scan(world, code_of(start(sale.order, "alipay_qr").pay_by))
        number = sale.attempt.out_trade_no
        headers, body = alipay_side.letter(world, number)
        calls, events = world.sandbox.box.journal.count("alipay"), PaymentEvent.select().count()
        for label, text in forgeries(world, number, body, step):
            answer = client.post(ALIPAY_CALLBACK, data=text, headers=headers)
            if not 400 <= answer.status_code < 600 or answer.data == b"success":
                log.info(f"P3: {label} was answered {answer.status_code}")
                violations += 1
        written = InboxMessage.select().count() + Case.select().count() + PaymentEvent.select().count() - events
        violations += written + world.sandbox.box.journal.count("alipay") - calls
        # and the letter itself, and one that is four minutes old, are taken: else nothing was shown
        for good in (body, alipay_side.letter(world, number, stale=240)[1]):
            violations += client.post(ALIPAY_CALLBACK, data=good, headers=headers).data != b"success"
    return violations


def p3_twin(world: World) -> bool:
    """Once without the signature's check, once without the window of time."""
    with patch.object(alipay, "signature_good", lambda *_: True):
        without_signature = p3(world, 1, step=60)
    world.clear()
    with patch.object(alipay, "fresh", lambda *_: True):
        without_time = p3(world, 1, step=60)
    return without_signature > 0 and without_time > 0
