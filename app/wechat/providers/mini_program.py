"""A mini-program's server API.

The answer to a login holds a `session_key`. It ends in this file: nothing here needs it, since the phone number comes
by a code and not encrypted with it, so it is neither returned, nor kept, nor logged.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

import requests
import structlog

from app.wechat.providers.client import Client
from app.wechat.providers.protocol import (
    AccountBlocked,
    CodeRefused,
    NoSubscription,
    ProviderUnavailable,
    Refused,
)

log = structlog.get_logger(__name__)

USED_OR_UNKNOWN = frozenset(["40029", "40163"])  # invalid (or over its five minutes), been used
BLOCKED = "40226"
NO_SUBSCRIPTION = "43101"
WATERMARK = timedelta(minutes=10)  # longer than a code lives, and a clock is wrong
PHONE = re.compile(r"1[3-9]\d{9}")
LENGTHS = {"thing": 20, "phrase": 5, "name": 10, "letter": 32, "character_string": 32, "symbol": 5, "number": 32}
PICTURES = (b"\x89PNG", b"\xff\xd8\xff")


class MiniProgram(Client):
    """The client of one mini-program."""

    def openid_of(self, code: str) -> str:
        """See `WeChat`. One request, no retry: the code may be used up by the first."""
        params = {
            "appid": self.appid,
            "secret": self.secret,
            "js_code": code,
            "grant_type": "authorization_code",
            "access_token": None,  # else wechatpy fetches one first, for nothing
        }
        try:
            answer = self.request("get", "/sns/jscode2session", params=params)
        except Refused as error:
            raise _of_code(error) from None
        openid = answer.get("openid") if isinstance(answer, dict) else None
        if not isinstance(openid, str) or not 1 <= len(openid) <= 64:
            log.error("wechat_answer_without_openid")
            raise ProviderUnavailable("no openid")
        return openid

    def phone_of(self, code: str, *, now: datetime) -> str:
        """See `WeChat`. The answer must be for this mini-program, and fresh."""
        try:
            answer = self.call("/wxa/business/getuserphonenumber", {"code": code})
        except Refused as error:
            raise _of_code(error) from None
        return _phone(answer, self.appid, now)

    def code_picture(self, scene: str, page: str) -> bytes:
        """See `WeChat`."""
        data = {"scene": scene, "page": page, "check_path": False, "width": 430}
        answer = self.call("/wxa/getwxacodeunlimit", data)
        picture = answer.content if isinstance(answer, requests.Response) else b""
        if not picture.startswith(PICTURES):
            log.error("wechat_answer_without_picture")
            raise ProviderUnavailable("no picture")
        return bytes(picture)

    def send_subscribed(self, openid: str, template_id: str, page: str, data: dict[str, str]) -> None:
        """See `WeChat`. Values that are too long for their key are cut: WeChat refuses the whole message else."""
        body = {
            "touser": openid,
            "template_id": template_id,
            "page": page,
            "data": {key: {"value": _fit(key, value)} for key, value in data.items()},
        }
        try:
            answer = self.call("/cgi-bin/message/subscribe/send", body)
        except Refused as error:
            raise NoSubscription(error.code) if error.code == NO_SUBSCRIPTION else error from None
        if not isinstance(answer, dict) or answer.get("errcode") != 0:
            log.error("wechat_answer_without_errcode")
            raise ProviderUnavailable("no errcode")


def _of_code(error: Refused) -> Exception:
    """What an errcode means where a code was brought."""
    if error.code in USED_OR_UNKNOWN:
        return CodeRefused(error.code)
    if error.code == BLOCKED:
        return AccountBlocked(error.code)
    log.error("wechat_refused", errcode=error.code)
    return ProviderUnavailable(error.code)


def _phone(answer: Any, appid: str, now: datetime) -> str:
    info: Any = answer.get("phone_info") if isinstance(answer, dict) else None
    try:
        phone, country = str(info["purePhoneNumber"]), str(info["countryCode"])
        marked, at = info["watermark"]["appid"], int(info["watermark"]["timestamp"])
    except (KeyError, TypeError, ValueError):
        log.error("wechat_answer_without_phone")
        raise ProviderUnavailable("no phone") from None
    if marked != appid or abs(now.timestamp() - at) > WATERMARK.total_seconds():
        log.error("wechat_phone_watermark_wrong", ours=marked == appid)
        raise ProviderUnavailable("watermark")
    if country != "86" or not PHONE.fullmatch(phone):
        raise CodeRefused("no mainland number")
    return phone


def _fit(key: str, value: str) -> str:
    longest = LENGTHS.get(key.rstrip("0123456789"))
    return value if longest is None or len(value) <= longest else value[: longest - 1] + "…"
