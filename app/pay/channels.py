"""Which channel is which provider's, which merchant of a programme it pays to, and where it is offered."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Literal

from app.core.errors import ProblemKind
from app.pay import providers
from app.pay.errors import CHANNEL_NOT_OFFERED, NOT_IN_WECHAT, NOT_ON_IPHONE, OPEN_IN_WECHAT
from app.pay.models import PaymentAttempt
from app.pay.providers.protocol import PaymentProvider, Way
from app.pay.transfers.bank import BankAccount
from app.policy import rules
from app.policy.schema import PayClient, Programme


@dataclass(frozen=True)
class Channel:
    """`kind`: the provider's, which is also the name of its merchant in the programme's [authority.secrets] (of the
    bank there are none). `code`: two letters in our payment numbers."""

    name: str
    kind: str
    way: Way
    code: str


ONLINE = {  # those that a provider answers for
    channel.name: channel
    for channel in (
        Channel("wechat_native", "wechatpay", "qr", "wn"),
        Channel("wechat_jsapi", "wechatpay", "jsapi", "wj"),
        Channel("alipay_qr", "alipay", "qr", "aq"),
        Channel("alipay_wap", "alipay", "wap", "aw"),
        Channel("unionpay_b2c", "unionpay", "form", "ub"),
    )
}
TRANSFER = Channel("bank_transfer", "bank", "transfer", "bt")
CHANNELS = ONLINE | {TRANSFER.name: TRANSFER}


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
    if channel.way == "jsapi" and on.client == "phone_web" and not on.in_wechat:
        return OPEN_IN_WECHAT
    return NOT_IN_WECHAT if channel.way == "wap" and on.in_wechat else None


def _listed(programme: Programme, on: Device) -> list[Channel]:
    """The channels that the programme's file names for this client and that have a provider here, in its order."""
    names = rules.channels(programme, on.client, ios=False) if programme.fee else ()
    found = [CHANNELS[name] for name in names if name in CHANNELS]
    found = [channel for channel in found if _has_provider(channel) and authority(programme, channel)]
    return [channel for channel in found if _has_app(programme, channel, on)]


def _has_provider(channel: Channel) -> bool:
    return channel is TRANSFER or channel.kind in providers.kinds()


def _has_app(programme: Programme, channel: Channel, on: Device) -> bool:
    """Whether a payer's openid can be had there: in WeChat's browser the merchant needs an official account."""
    in_browser = channel.way == "jsapi" and on.client == "phone_web"
    return not in_browser or _provider(programme, channel).web_payer_app is not None


def offered(programme: Programme, on: Device) -> list[Channel]:
    """The channels to pay by, in the programme's order; those whose provider does not answer now come last."""
    found = [channel for channel in _listed(programme, on) if _refusal(channel, programme, on) is None]
    return sorted(found, key=lambda channel: not _provider(programme, channel).in_order)


Place = Literal["wechat", "mini_program", "computer"]
_PLACES: tuple[tuple[Place, Device], ...] = (
    ("wechat", Device("phone_web", in_wechat=True)),
    ("mini_program", Device("mini_program", in_wechat=True)),
    ("computer", Device("web")),
)


def elsewhere(programme: Programme, on: Device) -> list[Place]:
    """Where somebody who has WeChat only can pay, while they cannot on this device alone: in WeChat's browser, in the
    mini-program, on a computer whose code the phone scans. A phone stays the phone it is."""
    if any(_by_wechat_alone(channel, on) for channel in offered(programme, on)):
        return []
    there = ((place, replace(device, ios=on.ios and device.client != "web")) for place, device in _PLACES)
    return [
        place
        for place, device in there
        if device != on and any(_by_wechat_alone(channel, device) for channel in offered(programme, device))
    ]


def _by_wechat_alone(channel: Channel, on: Device) -> bool:
    """Whether somebody with this device, and a phone with WeChat, needs nothing else: a phone cannot scan itself."""
    return channel.kind == "wechatpay" and (channel.way != "qr" or on.client == "web")


def why_none(programme: Programme, on: Device) -> ProblemKind:
    """Why `offered` is empty, with what the person can do."""
    reasons = [_refusal(channel, programme, on) for channel in _listed(programme, on)]
    return next((reason for reason in reasons if reason is not None), CHANNEL_NOT_OFFERED)


def authority(programme: Programme, channel: Channel) -> str | None:
    """The name of the merchant's secrets, of a transfer the number of the account; None if the programme has no such
    merchant."""
    if channel is TRANSFER:
        rule = programme.fee.bank_transfer if programme.fee else None
        return rule.account_number if rule else None
    name: str | None = getattr(programme.authority.secrets, channel.kind)
    return name


def _provider(programme: Programme, channel: Channel) -> PaymentProvider:
    merchant = authority(programme, channel)
    assert merchant is not None, "a listed channel has a merchant"
    return _client(channel, merchant)


def _client(channel: Channel, merchant: str) -> PaymentProvider:
    return BankAccount(merchant) if channel is TRANSFER else providers.provider(channel.kind, merchant)


def provider_of(attempt: PaymentAttempt) -> PaymentProvider:
    """The client that serves this attempt: the merchant it was made with, whatever the file says today."""
    return _client(CHANNELS[attempt.channel], attempt.authority)
