"""Which provider serves a channel, for which merchant."""

from __future__ import annotations

from collections.abc import Callable

from app.pay.providers.protocol import PaymentProvider

Factory = Callable[[str], PaymentProvider]

_factories: dict[str, Factory] = {}
_providers: dict[tuple[str, str], PaymentProvider] = {}


def install(kind: str, factory: Factory) -> None:
    """`factory(authority)` makes the client of `kind` ('wechatpay') for a merchant ('yunnan.wechatpay')."""
    _factories[kind] = factory
    for key in [key for key in _providers if key[0] == kind]:
        del _providers[key]


def kinds() -> frozenset[str]:
    """The kinds of providers installed."""
    return frozenset(_factories)


def provider(kind: str, authority: str) -> PaymentProvider:
    """The client of a merchant, made once a process."""
    key = (kind, authority)
    if key not in _providers:
        _providers[key] = _factories[kind](authority)
    return _providers[key]
