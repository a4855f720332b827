"""WeChat's mini-program login by wechatpy (code2Session of the mini-program's server API).

The answer's `session_key` ends in this file: nothing here needs it, so it is neither returned, nor kept, nor logged.
Errors are raised without their cause: requests puts the URL into its messages, and with it the secret and the code.
"""

from __future__ import annotations

from typing import Any

import requests
import structlog
from wechatpy import WeChatClient
from wechatpy.exceptions import WeChatClientException

from app.wechat.providers.protocol import AccountBlocked, CodeRefused, ProviderUnavailable

log = structlog.get_logger(__name__)

LIVE = "https://api.weixin.qq.com"
TIMEOUT = (2.0, 4.0)  # seconds: to connect, to read
REFUSED = frozenset([40029, 40163])  # invalid (or over its five minutes), been used
BLOCKED = 40226


class MiniProgram:
    """The client of one appid. `base`: where WeChat is, without a slash at the end (None: the real one)."""

    def __init__(self, *, appid: str, secret: str, base: str | None):
        self._base = base or LIVE
        self._secret = secret
        # stock retries recurse without an end on a lasting 40001; nothing here needs an access token anyway
        self._client = WeChatClient(appid, secret, auto_retry=False)

    @property
    def appid(self) -> str:
        """The mini-program's appid."""
        appid: str = self._client.appid
        return appid

    def openid_of(self, code: str) -> str:
        """The openid behind a code of `wx.login`. One request, no retry: the code may be used up by the first."""
        params = {
            "appid": self.appid,
            "secret": self._secret,
            "js_code": code,
            "grant_type": "authorization_code",
            "access_token": None,  # else wechatpy fetches one first, from an address of its own and without a timeout
        }
        try:
            answer = self._client.get(
                f"{self._base}/sns/jscode2session", params=params, timeout=TIMEOUT, allow_redirects=False
            )
        except WeChatClientException as error:
            raise _meaning(error.errcode) from None
        except (requests.RequestException, ValueError, TypeError) as error:
            log.warning("wechat_unreachable", error=type(error).__name__)
            raise ProviderUnavailable(type(error).__name__) from None
        return _openid(answer)


def _meaning(errcode: int | None) -> Exception:
    """What an errcode of code2Session means here (None: an HTTP status other than 2xx)."""
    if errcode in REFUSED:
        return CodeRefused(str(errcode))
    if errcode == BLOCKED:
        return AccountBlocked(str(errcode))
    # -1 busy, 45011 too often; 40013 and 40125 say that our appid or secret is wrong: somebody has to look
    log.error("wechat_refused", errcode=errcode)
    return ProviderUnavailable(str(errcode))


def _openid(answer: Any) -> str:
    openid = answer.get("openid") if isinstance(answer, dict) else None
    if not isinstance(openid, str) or not 1 <= len(openid) <= 64:
        log.error("wechat_answer_without_openid")
        raise ProviderUnavailable("no openid")
    return openid
