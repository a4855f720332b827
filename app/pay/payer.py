"""Who pays inside of WeChat: the app, and the openid in it."""

from __future__ import annotations

from app.pay import providers
from app.pay.channels import Channel, Device
from app.pay.errors import AUTHORISE_WECHAT_FIRST, BIND_WECHAT_FIRST
from app.policy.schema import Programme
from app.wechat import service as wechat


def payer_of(
    programme: Programme, channel: Channel, merchant: str, person_id: str, on: Device
) -> tuple[str | None, str | None]:
    """The app and the openid in it that pays, where the channel wants them: of the WeChat that the person has bound,
    or, in WeChat's browser, in which the page is open."""
    if channel.way != "jsapi":
        return None, None
    client = providers.provider(channel.kind, merchant)
    if on.client == "phone_web":
        app = client.web_payer_app
        openid = wechat.payer_openid(person_id, app) if app else None
        if openid is None:
            raise AUTHORISE_WECHAT_FIRST(programme=programme.key)
        return app, openid
    app = client.payer_app
    openid = wechat.openid_of(person_id, app) if app else None
    if openid is None:
        raise BIND_WECHAT_FIRST()
    return app, openid
