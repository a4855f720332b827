"""wechatpy's client as this product uses it, for mini-programs and official accounts alike.

What is different from the stock one: the token is a stable one, shared, fetched under a lock; a token that is
refused is renewed once, not for ever; every call has a timeout, follows no redirect and goes to a host that the
settings name.
Errors are raised without their cause: requests puts the URL into its messages, and with it the secret or the token.
"""

from __future__ import annotations

from typing import Any

import requests
import structlog
from requests.adapters import HTTPAdapter
from wechatpy import WeChatClient
from wechatpy.exceptions import WeChatClientException

from app.core.breaker import Breaker
from app.wechat.providers.access_token import AccessToken
from app.wechat.providers.protocol import AccountBlocked, CodeRefused, ProviderUnavailable, Refused

log = structlog.get_logger(__name__)

LIVE = "https://api.weixin.qq.com"
TIMEOUT = (2.0, 4.0)  # seconds: to connect, to read
CONNECTIONS = 16  # kept open, a process and appid
STALE_TOKEN = frozenset([40001, 40014, 42001])  # the access token is wrong, malformed, or over
BUSY = frozenset([-1, 45009, 45011])  # WeChat is busy, or we asked too often today or this minute
USED_OR_UNKNOWN = frozenset(["40029", "40163"])  # invalid (or over its five minutes), been used
BLOCKED = "40226"
OURS_IS_WRONG = frozenset([40013, 40125, 40164])  # appid, secret, our address: somebody has to look


class Client(WeChatClient):  # type: ignore[misc]
    """The client of one appid. `base`: where WeChat is, without a slash at the end (None: the real one)."""

    def __init__(self, *, appid: str, secret: str, base: str | None):
        super().__init__(appid, secret, auto_retry=False)
        self._base = base or LIVE
        self._token = AccessToken(appid, self._fetch_stable)
        self._breaker = Breaker("wechat", requests.RequestException)
        for scheme in ("http://", "https://"):
            self._http.mount(scheme, HTTPAdapter(pool_connections=2, pool_maxsize=CONNECTIONS, max_retries=0))

    @property
    def access_token(self) -> str:
        """The token of this moment."""
        return self._token.get()

    def fetch_access_token(self) -> Any:
        """Not used: it would fetch the other sort of token, at an address of its own, without a timeout."""
        raise NotImplementedError

    def call(self, path: str, data: dict[str, Any]) -> Any:
        """POST `data` to `path` with the access token; a token that WeChat refuses is renewed once. Gives the answer,
        decoded where it is JSON. Raises `Refused`, `ProviderUnavailable`."""
        token = self._token.get()
        try:
            return self.request("post", path, params={"access_token": token}, data=data)
        except Refused as error:
            if int(error.code) not in STALE_TOKEN:
                raise
        log.warning("wechat_token_refused")
        try:
            return self.request("post", path, params={"access_token": self._token.after(token)}, data=data)
        except Refused as error:
            if int(error.code) not in STALE_TOKEN:
                raise
            log.error("wechat_token_refused_again", errcode=int(error.code))
            raise ProviderUnavailable(error.code) from None

    def openid_at(self, path: str, **code: str) -> str:
        """The openid that `path` gives for a code. One request, no retry: the code may be used up by the first.
        Raises `CodeRefused`, `AccountBlocked`, `ProviderUnavailable`."""
        params = {
            "appid": self.appid,
            "secret": self.secret,
            **code,
            "grant_type": "authorization_code",
            "access_token": None,  # else wechatpy fetches one first, for nothing
        }
        try:
            answer = self.request("get", path, params=params)
        except Refused as error:
            raise of_code(error) from None
        openid = answer.get("openid") if isinstance(answer, dict) else None
        if not isinstance(openid, str) or not 1 <= len(openid) <= 64:
            log.error("wechat_answer_without_openid")
            raise ProviderUnavailable("no openid")
        return openid

    def request(self, method: str, path: str, **more: Any) -> Any:
        """One request, never repeated. Raises `Refused` with WeChat's errcode, `ProviderUnavailable`."""
        try:
            with self._breaker:
                try:
                    return self._request(
                        method, f"{self._base}{path}", timeout=TIMEOUT, allow_redirects=False, **more
                    )
                except WeChatClientException as error:
                    code = error.errcode
                    if code is None:  # an HTTP status other than 2xx
                        raise requests.HTTPError from None
        except (requests.RequestException, ValueError, TypeError, AttributeError) as error:
            log.warning("wechat_unreachable", error=type(error).__name__)
            raise ProviderUnavailable(type(error).__name__) from None
        if code in BUSY or code in OURS_IS_WRONG:
            tell = log.error if code in OURS_IS_WRONG else log.warning
            tell("wechat_refused", errcode=code)
            raise ProviderUnavailable(str(code)) from None
        raise Refused(str(code)) from None

    def _fetch_stable(self) -> tuple[str, int]:
        data = {"grant_type": "client_credential", "appid": self.appid, "secret": self.secret}
        # `access_token: None`: wechatpy would fetch one to fetch one
        try:
            answer = self.request("post", "/cgi-bin/stable_token", params={"access_token": None}, data=data)
        except Refused as error:
            log.error("wechat_refused", errcode=int(error.code))
            raise ProviderUnavailable(error.code) from None
        try:
            token, seconds = answer["access_token"], int(answer["expires_in"])
        except (KeyError, TypeError, ValueError):
            log.error("wechat_answer_without_token")
            raise ProviderUnavailable("no token") from None
        if not isinstance(token, str) or not token or seconds <= 0:
            raise ProviderUnavailable("no token")
        return token, seconds


def of_code(error: Refused) -> Exception:
    """What an errcode means where a code was brought."""
    if error.code in USED_OR_UNKNOWN:
        return CodeRefused(error.code)
    if error.code == BLOCKED:
        return AccountBlocked(error.code)
    log.error("wechat_refused", errcode=error.code)
    return ProviderUnavailable(error.code)
