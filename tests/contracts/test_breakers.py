"""Every provider that does not answer is left alone: after five calls the sixth is not made, and says so at once."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from app.core import breaker
from app.core.breaker import FAILURES
from app.core.ids import new_id
from app.face import providers as face
from app.invoice import providers as invoice
from app.notify import providers as sms
from app.notify.providers.protocol import Outgoing, Refused
from app.pay import providers as pay
from app.wechat import providers as wechat
from tests.world import World

MESSAGE = Outgoing("13800000001", "住考网络", "2100001", ["123456"], "x")
CALLS: dict[str, Callable[[], Any]] = {
    "wechatpay": lambda: pay.provider("wechatpay", "yunnan.wechatpay").query("NOSUCHORDER01"),
    "alipay": lambda: pay.provider("alipay", "yunnan.alipay").query("NOSUCHORDER01"),
    "unionpay": lambda: pay.provider("unionpay", "yunnan.unionpay").query(f"{new_id()}UB".upper()),
    "wechat": lambda: wechat.for_authority("yunnan.wechat").openid_of(new_id()),
    "sms": lambda: sms.for_authority("yunnan.tencent_sms").send(MESSAGE),
    "baidu": lambda: face.for_authority("yunnan.baidu").liveness(b"picture"),
}


@pytest.mark.parametrize("provider", sorted(CALLS))
def test_a_provider_that_does_not_answer_is_called_five_times(world: World, provider: str) -> None:
    with suppress(Exception):  # what has to be fetched once, a token, is there
        CALLS[provider]()
    breaker.close_all()
    box = world.sandbox.box
    box.knobs.add(provider, "*", "error", 500, None)
    before = box.journal.count(provider)
    for _ in range(FAILURES + 3):
        with pytest.raises(Exception):  # noqa: B017, PT011 each domain has its own
            CALLS[provider]()
    assert box.journal.count(provider) - before == FAILURES
    box.knobs.clear()
    breaker.close_all()  # its pause is over
    with suppress(Exception):  # what it says now is an answer
        CALLS[provider]()
    assert box.journal.count(provider) - before == FAILURES + 1


def test_an_sms_that_was_not_asked_for_was_not_sent_and_may_be_tried_again(world: World) -> None:
    world.sandbox.box.knobs.add("sms", "send", "error", 500, None)
    for _ in range(FAILURES):
        with suppress(Exception):
            CALLS["sms"]()
    with pytest.raises(Refused) as refusal:
        CALLS["sms"]()
    assert refusal.value.again


def test_files_that_do_not_come_do_not_stop_the_invoicing(world: World) -> None:
    vendor = invoice.for_authority("yunnan.invoice")
    world.sandbox.box.knobs.add("invoice", "pdf", "error", 500, None)
    before = world.sandbox.box.journal.count("invoice", "pdf")
    for _ in range(FAILURES + 3):
        with suppress(Exception):
            vendor.download(f"{world.sandbox.url}/fp/none.pdf")
    assert world.sandbox.box.journal.count("invoice", "pdf") - before == FAILURES
    assert vendor.query("FNONE").state == "absent"
