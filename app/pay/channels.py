"""Which channel is which provider's, which merchant of a programme it pays to, and where it is offered."""

from __future__ import annotations

import re
from dataclasses import dataclass

from app.core.errors import ProblemKind
from app.pay import providers
from app.pay.errors import CHANNEL_NOT_OFFERED, NOT_IN_WECHAT, NOT_ON_IPHONE
from app.pay.models import PaymentAttempt
from app.pay.providers.protocol import PaymentProvider, Way
from app.policy import rules
from app.policy.schema import PayClient, Programme


@dataclass(frozen=True)
class Channel:
    """`kind`: the provider's, which is also the name of its merchant in the programme's [authority.secrets]. `code`:
    two letters in our payment numbers."""

    name: str
    kind: str
    way: Way
    code: str


CHANNELS = {
    channel.name: channel
    for channel in (
        Channel("wechat_native", "wechatpay", "qr", "wn"),
        Channel("wechat_jsapi", "wechatpay", "jsapi", "wj"),
        Channel("alipay_qr", "alipay", "qr", "aq"),
        Channel("alipay_wap", "alipay", "wap", "aw"),
    )
}


@dataclass(frozen=True)
class Device:
    """Where somebody pays: on which client of ours, on an iPhone or iPad, inside of WeChat."""

    client: PayClient = "web"
    ios: bool = False
    in_wechat: bool = False


def device(client: PayClient, user_agent: str) -> Device:
    """What the device says of itself; nobody gains by a lie."""
    return Device(client, bool(re.search(r"iPhone|iPad|iPod", user_agent)), "MicroMessenger" in user_agent)


def _refusal(channel: Channel, programme: Programme, on: Device) -> ProblemKind | None:
    """Why the device cannot pay by a channel that its client's list names."""
    if channel.name not in rules.channels(programme, on.client, ios=on.ios):
        return NOT_ON_IPHONE
    return NOT_IN_WECHAT if channel.way == "wap" and on.in_wechat else None


def _listed(programme: Programme, on: Device) -> list[Channel]:
    """The channels that the programme's file names for this client and that have a provider here, in its order."""
    names = rules.channels(programme, on.client, ios=False) if programme.fee else ()
    found = [CHANNELS[name] for name in names if name in CHANNELS]
    return [channel for channel in found if channel.kind in providers.kinds() and authority(programme, channel)]


def offered(programme: Programme, on: Device) -> list[Channel]:
    """The channels to pay by, in the programme's order; those whose provider does not answer now come last."""
    found = [channel for channel in _listed(programme, on) if _refusal(channel, programme, on) is None]
    return sorted(found, key=lambda channel: not _provider(programme, channel).in_order)


def why_none(programme: Programme, on: Device) -> ProblemKind:
    """Why `offered` is empty, with what the person can do."""
    reasons = [_refusal(channel, programme, on) for channel in _listed(programme, on)]
    return next((reason for reason in reasons if reason is not None), CHANNEL_NOT_OFFERED)


def authority(programme: Programme, channel: Channel) -> str | None:
    """The name of the merchant's secrets, or None if the programme has no such merchant."""
    name: str | None = getattr(programme.authority.secrets, channel.kind)
    return name


def _provider(programme: Programme, channel: Channel) -> PaymentProvider:
    merchant = authority(programme, channel)
    assert merchant is not None, "a listed channel has a merchant"
    return providers.provider(channel.kind, merchant)


def provider_of(attempt: PaymentAttempt) -> PaymentProvider:
    """The client that serves this attempt: the merchant it was made with, whatever the file says today."""
    return providers.provider(CHANNELS[attempt.channel].kind, attempt.authority)
