"""The mini-program and the official account of each authority; their clients are made once a process."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from app.wechat.providers.protocol import OfficialAccount, WeChat

_mini_program: list[Callable[[str], WeChat]] = []
_official: list[Callable[[str], OfficialAccount]] = []
_clients: dict[str, WeChat] = {}
_accounts: dict[str, OfficialAccount] = {}
C = TypeVar("C")


def install(mini_program: Callable[[str], WeChat], official: Callable[[str], OfficialAccount]) -> None:
    """`mini_program(prefix)` and `official(prefix)` make the client of an authority from the secrets `<prefix>.…`."""
    _mini_program[:], _official[:] = [mini_program], [official]
    _clients.clear()
    _accounts.clear()


def for_authority(prefix: str) -> WeChat:
    """The mini-program of the authority whose secrets are named `prefix`, for example 'yunnan.wechat'."""
    return _once(_clients, prefix, _mini_program[0])


def official(prefix: str) -> OfficialAccount:
    """The official account of an authority, by the name of its secrets, for example 'yunnan.wechat_official'."""
    return _once(_accounts, prefix, _official[0])


def _once(made: dict[str, C], prefix: str, make: Callable[[str], C]) -> C:
    if prefix not in made:
        made[prefix] = make(prefix)
    return made[prefix]
