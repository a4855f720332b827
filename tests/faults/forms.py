"""Fault P3 for those whose signature is a field of a form: whatever is not quite what they sent changes nothing."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch
from urllib.parse import parse_qsl, urlencode

from app.cases.models import Case
from app.core.inbox import InboxMessage
from app.pay import providers
from app.pay.channels import CHANNELS
from app.pay.models import PaymentEvent
from app.pay.providers import alipay, unionpay_wire
from app.pay.providers.unionpay import UnionPayProvider
from sandbox.knobs import CERTIFICATES
from tests.pay import alipay_side, unionpay_side
from tests.pay.till import ALIPAY_CALLBACK, UNIONPAY_CALLBACK, Letter, a_sale, code_of, lose_letters, scan, start
from tests.world import World

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Writer:
    """Who writes such forms: the channel, where they arrive and how they are answered; `signature`: the field;
    `methods`: the field that names how it was signed, and what it must not say; `troubles`: letters signed by
    somebody else, another way, or at another time; `guards`: what each twin takes out."""

    channel: str
    callback: str
    taken: bytes
    letter: Callable[..., Letter]
    signature: str
    methods: tuple[str, tuple[str, ...]]
    troubles: tuple[dict[str, Any], ...]
    still_good: tuple[dict[str, Any], ...]
    guards: Callable[[], tuple[AbstractContextManager[Any], ...]]


ALIPAY = Writer(
    channel="alipay_qr",
    callback=ALIPAY_CALLBACK,
    taken=b"success",
    letter=alipay_side.letter,
    signature="sign",
    methods=("sign_type", ("RSA", "rsa2", "MD5")),
    troubles=({"forged": None}, {"sha1": None}, {"stale": 301}, {"stale": -302}, {"stale": 31_536_000}),
    still_good=({}, {"stale": 240}),
    guards=lambda: (
        patch.object(alipay, "signature_good", lambda *_: True),
        patch.object(alipay, "fresh", lambda *_: True),
    ),
)


@contextmanager
def _off(guard: str, answer: bool | None) -> Iterator[None]:
    """One of the guards answers the same to everything; what was believed by that is forgotten afterwards."""
    client = providers.provider("unionpay", "yunnan.unionpay")
    assert isinstance(client, UnionPayProvider)
    with patch.object(unionpay_wire, guard, lambda *_: answer), patch.dict(client._trust._good, clear=True):
        yield


UNIONPAY = Writer(
    channel="unionpay_b2c",
    callback=UNIONPAY_CALLBACK,
    taken=b"ok",
    letter=unionpay_side.letter,
    signature="signature",
    methods=("signMethod", ("11", "12", "02", "")),
    troubles=({"forged": None}, *({kind: None} for kind in CERTIFICATES)),
    still_good=({},),
    guards=lambda: (_off("signature_good", True), _off("_issued_by", None), _off("_is_unionpays", True)),
)


def forgeries(world: World, writer: Writer, number: str, body: bytes, step: int) -> Iterator[tuple[str, bytes]]:
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
    other = dict(parse_qsl(writer.letter(world, number, change={"traceNo": "000000"})[1].decode()))
    signature = {writer.signature: other[writer.signature]}
    yield "another letter's signature", urlencode({**dict(fields), **signature}).encode()
    method, names = writer.methods
    for name in names:
        yield f"{method} {name}", urlencode({**dict(fields), method: name}).encode()
    for trouble in writer.troubles:
        yield str(trouble), writer.letter(world, number, **trouble)[1]
    for label, text in (
        ("nothing", b""),
        ("half", body[: len(body) // 2]),
        ("JSON", b"{}"),
        ("not ASCII", b"\xff=1"),
    ):
        yield label, text


def p3(world: World, tries: int, step: int = 1, writer: Writer = ALIPAY) -> int:
    """`tries` letters, and of each every forgery: refused, nothing written, nobody called."""
    violations, client, kind = 0, world.app.test_client(), CHANNELS[writer.channel].kind
    for _ in range(tries):
        world.clear()
        lose_letters(world)
        sale = a_sale()
        scan(world, code_of(start(sale.order, writer.channel).pay_by))
        number = sale.attempt.out_trade_no
        headers, body = writer.letter(world, number)
        calls, events = world.sandbox.box.journal.count(kind), PaymentEvent.select().count()
        for label, text in forgeries(world, writer, number, body, step):
            answer = client.post(writer.callback, data=text, headers=headers)
            if not 400 <= answer.status_code < 600 or answer.data == writer.taken:
                log.info(f"P3 {kind}: {label} was answered {answer.status_code}")
                violations += 1
        written = InboxMessage.select().count() + Case.select().count() + PaymentEvent.select().count() - events
        violations += written + world.sandbox.box.journal.count(kind) - calls
        # and the letter itself, and those that are nearly too old, are taken: else nothing was shown
        for trouble in writer.still_good:
            good = writer.letter(world, number, **trouble)[1]
            violations += client.post(writer.callback, data=good, headers=headers).data != writer.taken
    return violations


def p3_twin(world: World, writer: Writer = ALIPAY) -> bool:
    """Once without each of the guards."""
    found = []
    for guard in writer.guards():
        world.clear()
        with guard:
            found.append(p3(world, 1, step=60, writer=writer) > 0)
    return all(found)


def p3_unionpay(world: World, tries: int) -> int:
    """The same for UnionPay's letters."""
    return p3(world, tries, writer=UNIONPAY)


def p3_unionpay_twin(world: World) -> bool:
    """Without the signature's check, without the chain's, without the owner's."""
    return p3_twin(world, UNIONPAY)
