"""The table of troubles names what the sandbox can do, and a blow that nobody met is told."""

from __future__ import annotations

import pytest

from ops import trouble
from ops.client import Client, Surprise
from sandbox.knobs import Knobs
from tests.world import World


@pytest.mark.parametrize("channel", trouble.PAYING)
@pytest.mark.parametrize("kind", trouble.KINDS)
def test_every_blow_is_one_that_the_sandbox_knows(kind: str, channel: str) -> None:
    knobs = Knobs()
    blows = (*trouble.blows(kind, channel, None), *trouble.LATER[kind])
    for blow in blows:
        knobs.add(blow.provider, blow.operation, blow.kind, blow.value, blow.times)
    assert {"sms", "baidu", trouble.PAYING[channel][0]} <= {blow.provider for blow in blows}


def test_one_provider_is_chosen_and_one_off_the_way_has_no_blows() -> None:
    assert {blow.provider for blow in trouble.blows("slow", "alipay_qr", "alipay")} == {"alipay"}
    assert trouble.blows("slow", "alipay_qr", "wechatpay") == ()


def test_a_blow_that_nobody_met_ends_the_journey(world: World) -> None:
    sandbox = Client(world.sandbox.url)
    blows = trouble.blows("failing", "wechat_native", "sms")
    dealt = trouble.Trouble(sandbox, blows)
    with pytest.raises(Surprise, match="0 of 2"):
        dealt.end()
    dealt.begin("短信激活")
    with pytest.raises(Surprise, match=r"not met: sms send error"):
        dealt.end()
    for blow in blows:
        world.sandbox.box.knobs.take("sms", blow.operation, (blow.kind,))
    dealt.end()
