"""What the product asks of WeChat's server API, whichever SDK speaks it."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol


class CodeRefused(Exception):
    """WeChat does not know the code, or it was used, or its five minutes are over."""


class AccountBlocked(Exception):
    """WeChat holds this user for risky (errcode 40226)."""


class Refused(Exception):
    """WeChat says no, and did nothing; `code` is its errcode."""

    def __init__(self, code: str):
        super().__init__(code)
        self.code = code


class NoSubscription(Refused):
    """The user gave no leave for this message, or used it up, or took it back (errcode 43101)."""


class ProviderUnavailable(Exception):
    """No answer, or none that says anything: whether it was done is not known."""


class OfficialAccount(Protocol):
    """One official account (公众号)."""

    @property
    def appid(self) -> str:
        """The account's appid."""

    def authorise_url(self, back: str, state: str) -> str:
        """The address of WeChat's page that sends the browser to `back` with a code and `state` (letters and digits,
        at most 128), without asking anybody anything. Calls nobody."""

    def openid_of(self, code: str) -> str:
        """The openid behind a code that came back. Raises as `WeChat.openid_of`."""

    def scene_url(self, scene: str, seconds: int) -> str:
        """The URL to draw as a QR code, which leads to the account with `scene` (1 to 64 characters) and is good for
        so many seconds, a month at most. Raises `Refused`, `ProviderUnavailable`."""

    def send_template(self, openid: str, template_id: str, data: dict[str, str], *, key: str) -> None:
        """Send a template message to a follower; WeChat sends the same `key` (at most 32 characters) once within ten
        minutes. Raises `NoSubscription` (no follower), `Refused`, `ProviderUnavailable`."""


class WeChat(Protocol):
    """One mini-program."""

    @property
    def appid(self) -> str:
        """The mini-program's appid."""

    def openid_of(self, code: str) -> str:
        """The openid behind a code of `wx.login`. Raises `CodeRefused`, `AccountBlocked`, `ProviderUnavailable` (the
        code may be used up: the phone fetches a new one, at no cost)."""

    def phone_of(self, code: str, *, now: datetime) -> str:
        """The mainland number behind a code of the phone-number button: eleven digits, which WeChat has verified.
        Raises `CodeRefused`, `ProviderUnavailable`."""

    def code_picture(self, scene: str, page: str) -> bytes:
        """The mini-program code that opens `page` with `scene` (1 to 32 plain characters), as PNG or JPEG. Raises
        `Refused`, `ProviderUnavailable`."""

    def send_subscribed(self, openid: str, template_id: str, page: str, data: dict[str, str]) -> None:
        """Send a subscribe message: `data` by the template's keys. Raises `NoSubscription`, `Refused`,
        `ProviderUnavailable`."""
