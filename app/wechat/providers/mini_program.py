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

from app.wechat.providers.client import Client, of_code
from app.wechat.providers.protocol import CodeRefused, NoSubscription, ProviderUnavailable, Refused

log = structlog.get_logger(__name__)

NO_SUBSCRIPTION = "43101"
WATERMARK = timedelta(minutes=10)  # longer than a code lives, and a clock is wrong
PHONE = re.compile(r"1[3-9]\d{9}")
LENGTHS = {"thing": 20, "phrase": 5, "name": 10, "letter": 32, "character_string": 32, "symbol": 5, "number": 32}
PICTURES = (b"\x89PNG", b"\xff\xd8\xff")


class MiniProgram(Client):
    """The client of one mini-program."""

    def openid_of(self, code: str) -> str:
        """See `WeChat`."""
        return self.openid_at("/sns/jscode2session", js_code=code)

    def phone_of(self, code: str, *, now: datetime) -> str:
        """See `WeChat`. The answer must be for this mini-program, and fresh."""
        try:
            answer = self.call("/wxa/business/getuserphonenumber", {"code": code})
        except Refused as error:
            raise of_code(error) from None
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
