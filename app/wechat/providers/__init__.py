"""The mini-program of each authority; its client is made once a process."""

from __future__ import annotations

from collections.abc import Callable

from app.wechat.providers.protocol import WeChat

_factory: list[Callable[[str], WeChat]] = []
_clients: dict[str, WeChat] = {}


def install(factory: Callable[[str], WeChat]) -> None:
    """`factory(prefix)` makes the client of an authority from the secrets `<prefix>.…`."""
    _factory[:] = [factory]
    _clients.clear()


def for_authority(prefix: str) -> WeChat:
    """The client of the authority whose secrets are named `prefix`, for example 'yunnan.wechat'."""
    if prefix not in _clients:
        _clients[prefix] = _factory[0](prefix)
    return _clients[prefix]
