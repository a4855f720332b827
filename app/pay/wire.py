"""Payments: the channels' providers, the inbox of their notifications."""

from __future__ import annotations

from apiflask import APIBlueprint

from app.core import inbox
from app.pay import notify_url, providers, service
from app.pay.providers import alipay, wechatpay
from app.pay.providers.protocol import PaymentProvider
from app.pay.views import blueprint
from config.settings import Settings

BLUEPRINTS: tuple[APIBlueprint, ...] = (blueprint,)


def start(settings: Settings) -> None:
    """Install the providers and hear the inbox."""
    sandbox = settings.sandbox_url if settings.providers == "sandbox" else None

    def wechatpay_of(authority: str) -> PaymentProvider:
        return wechatpay.WeChatPayProvider(authority, settings.secrets, sandbox or wechatpay.LIVE)

    def alipay_of(authority: str) -> PaymentProvider:
        return alipay.AlipayProvider(authority, settings.secrets, sandbox or alipay.LIVE)

    providers.install("wechatpay", wechatpay_of)
    providers.install("alipay", alipay_of)
    notify_url.init(settings.public_url)
    inbox.applier(service.INBOX, service.apply_notification)
