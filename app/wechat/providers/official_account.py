"""An official account's server API, as far as the product has a use for it (docs/decisions/0022-wechat.md)."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import structlog

from app.wechat.providers.client import LIVE, Client
from app.wechat.providers.protocol import NoSubscription, ProviderUnavailable, Refused

log = structlog.get_logger(__name__)

PAGES = "https://open.weixin.qq.com"
LONGEST = 2592000  # seconds: WeChat's limit for a temporary code
NOT_FOLLOWING = "43004"


class OfficialAccount(Client):
    """The client of one official account."""

    def authorise_url(self, back: str, state: str) -> str:
        """See `OfficialAccount` in protocol.py. `snsapi_base`: the openid and nothing else."""
        asked = {
            "appid": self.appid,
            "redirect_uri": back,
            "response_type": "code",
            "scope": "snsapi_base",
            "state": state,
        }
        page = PAGES if self._base == LIVE else self._base
        return f"{page}/connect/oauth2/authorize?{urlencode(asked)}#wechat_redirect"

    def openid_of(self, code: str) -> str:
        """See `OfficialAccount` in protocol.py."""
        return self.openid_at("/sns/oauth2/access_token", code=code)

    def scene_url(self, scene: str, seconds: int) -> str:
        """See `OfficialAccount` in protocol.py."""
        if not 1 <= len(scene) <= 64 or not 1 <= seconds <= LONGEST:
            raise ValueError("a scene has 1 to 64 characters, and lives for a month at most")
        data = {
            "expire_seconds": seconds,
            "action_name": "QR_STR_SCENE",
            "action_info": {"scene": {"scene_str": scene}},
        }
        answer: Any = self.call("/cgi-bin/qrcode/create", data)
        url = answer.get("url") if isinstance(answer, dict) else None
        if not isinstance(url, str) or not url:
            log.error("wechat_answer_without_url")
            raise ProviderUnavailable("no url")
        return url

    def send_template(self, openid: str, template_id: str, data: dict[str, str], *, key: str) -> None:
        """See `OfficialAccount` in protocol.py."""
        body = {
            "touser": openid,
            "template_id": template_id,
            "client_msg_id": key,
            "data": {name: {"value": value} for name, value in data.items()},
        }
        try:
            answer = self.call("/cgi-bin/message/template/send", body)
        except Refused as error:
            raise NoSubscription(error.code) if error.code == NOT_FOLLOWING else error from None
        if not isinstance(answer, dict) or answer.get("errcode") != 0:
            log.error("wechat_answer_without_errcode")
            raise ProviderUnavailable("no errcode")
