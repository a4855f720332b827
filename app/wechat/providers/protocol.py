"""What the product asks of WeChat's server API, whichever SDK speaks it."""

from __future__ import annotations

from typing import Protocol


class CodeRefused(Exception):
    """WeChat does not know the code, or it was used, or its five minutes are over."""


class AccountBlocked(Exception):
    """WeChat holds this user for risky (errcode 40226)."""


class ProviderUnavailable(Exception):
    """No answer, or none that says anything. The code may be used up: the phone fetches a new one, at no cost."""


class WeChat(Protocol):
    """One mini-program."""

    @property
    def appid(self) -> str:
        """The mini-program's appid."""

    def openid_of(self, code: str) -> str:
        """The openid behind a code of `wx.login`. Raises the exceptions of this file."""
