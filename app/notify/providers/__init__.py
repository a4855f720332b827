"""The SMS provider of each authority; made once a process and authority."""

from __future__ import annotations

from collections.abc import Callable

from app.notify.providers.protocol import SmsProvider

_factory: list[Callable[[str], SmsProvider]] = []
_clients: dict[str, SmsProvider] = {}


def install(factory: Callable[[str], SmsProvider]) -> None:
    """`factory(prefix)` makes the client of an authority from the secrets `<prefix>.…`."""
    _factory[:] = [factory]
    _clients.clear()


def for_authority(prefix: str) -> SmsProvider:
    """The client of the authority whose secrets are named `prefix`, for example 'yunnan.tencent_sms'."""
    if prefix not in _clients:
        _clients[prefix] = _factory[0](prefix)
    return _clients[prefix]
