"""Which channel is which provider's, and which merchant of a programme it pays to."""

from __future__ import annotations

from dataclasses import dataclass

from app.pay import providers
from app.pay.models import PaymentAttempt
from app.pay.providers.protocol import PaymentProvider
from app.policy.schema import Programme


@dataclass(frozen=True)
class Channel:
    """`kind`: the provider's, which is also the name of its merchant in the programme's [authority.secrets]. `code`:
    two letters at the end of our payment numbers."""

    name: str
    kind: str
    code: str


CHANNELS = {channel.name: channel for channel in (Channel("wechat_native", "wechatpay", "wn"),)}


def offered(programme: Programme, client: str) -> list[Channel]:
    """The channels that `client` ('web', 'mini_program', 'app') may use in this programme, in its order: those that
    the programme's file names and that have a provider here."""
    names = getattr(programme.fee.channels, client) if programme.fee else ()
    return [
        CHANNELS[name]
        for name in names
        if name in CHANNELS and CHANNELS[name].kind in providers.kinds() and authority(programme, CHANNELS[name])
    ]


def authority(programme: Programme, channel: Channel) -> str | None:
    """The name of the merchant's secrets, or None if the programme has no such merchant."""
    name: str | None = getattr(programme.authority.secrets, channel.kind)
    return name


def provider_of(attempt: PaymentAttempt) -> PaymentProvider:
    """The client that serves this attempt: the merchant it was made with, whatever the file says today."""
    return providers.provider(CHANNELS[attempt.channel].kind, attempt.authority)
