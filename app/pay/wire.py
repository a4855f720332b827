"""Payments: the channels' providers, the inbox of their notifications."""

from __future__ import annotations

from apiflask import APIBlueprint

from app.core import inbox
from app.pay import notify_url, providers, service
from app.pay.providers.wechatpay import LIVE, WeChatPayProvider
from app.pay.views import blueprint
from config.settings import Settings

BLUEPRINTS: tuple[APIBlueprint, ...] = (blueprint,)


def start(settings: Settings) -> None:
    """Install the providers and hear the inbox."""
    gateway = settings.sandbox_url if settings.providers == "sandbox" else LIVE
    providers.install("wechatpay", lambda authority: WeChatPayProvider(authority, settings.secrets, gateway))
    notify_url.init(settings.public_url)
    inbox.applier(service.INBOX, service.apply_notification)
