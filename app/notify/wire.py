"""Wires the messages: the provider's client, and the events that become an SMS."""

from __future__ import annotations

from apiflask import APIBlueprint

from app.account import person_pages
from app.cases import kinds, messages
from app.core import outbox
from app.notify import case_kinds, person_page, providers, service
from app.notify.providers.protocol import SmsProvider
from app.notify.providers.tencent import LIVE, TencentSms
from app.notify.views import blueprint
from config.settings import Settings

BLUEPRINTS: tuple[APIBlueprint, ...] = (blueprint,)


def start(settings: Settings) -> None:
    """Called once at the start of each process."""

    def tencent(prefix: str) -> SmsProvider:
        return TencentSms(
            secret_id=settings.secrets.get(f"{prefix}.secret_id"),
            secret_key=settings.secrets.get(f"{prefix}.secret_key"),
            sdk_app_id=settings.secrets.get(f"{prefix}.sdk_app_id"),
            base=settings.sandbox_url if settings.providers == "sandbox" else LIVE,
        )

    providers.install(tencent)
    kinds.describe(*case_kinds.KINDS)
    messages.sent_by(case_kinds.Courier())
    outbox.subscribe("account.code_issued", "notify", service.on_code_issued)
    outbox.subscribe("account.notice", "notify", service.on_notice)
    outbox.subscribe("wechat.message_unsent", "notify", service.on_message_unsent)
    person_pages.describe(person_page.PAGE)
