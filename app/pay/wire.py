"""Payments: the channels' providers, the inbox of their notifications."""

from __future__ import annotations

from apiflask import APIBlueprint

from app.account import person_pages
from app.account import service as account
from app.cases import kinds
from app.core import inbox, outbox
from app.pay import case_kinds, merging, notify_url, person_page, providers, refunds, service
from app.pay.providers import alipay, unionpay, wechatpay
from app.pay.providers.protocol import PaymentProvider
from app.pay.reconciliation import case_kinds as bill_kinds
from app.pay.reconciliation import models as _tables  # noqa: F401 - so that they are among the product's
from app.pay.transfers import case_kinds as transfer_kinds
from app.pay.views import blueprint, pages
from config.settings import Settings

BLUEPRINTS: tuple[APIBlueprint, ...] = (blueprint, pages)


def start(settings: Settings) -> None:
    """Install the providers and hear the inbox."""
    sandbox = settings.sandbox_url if settings.providers == "sandbox" else None

    def wechatpay_of(authority: str) -> PaymentProvider:
        return wechatpay.WeChatPayProvider(authority, settings.secrets, sandbox or wechatpay.LIVE)

    def alipay_of(authority: str) -> PaymentProvider:
        return alipay.AlipayProvider(authority, settings.secrets, sandbox or alipay.LIVE)

    def unionpay_of(authority: str) -> PaymentProvider:
        if sandbox:
            files = f"{sandbox}/unionpay/files/"
            return unionpay.UnionPayProvider(authority, settings.secrets, sandbox, files, sandbox)
        return unionpay.UnionPayProvider(
            authority, settings.secrets, unionpay.LIVE, unionpay.LIVE_FILES, unionpay.LIVE_HOSTS
        )

    providers.install("wechatpay", wechatpay_of)
    providers.install("alipay", alipay_of)
    providers.install("unionpay", unionpay_of)
    notify_url.init(settings.public_url)
    kinds.describe(*case_kinds.KINDS, *bill_kinds.DECIDED, *transfer_kinds.KINDS)
    inbox.applier(service.INBOX, service.apply_notification)
    outbox.subscribe("refund.succeeded", "pay.told_refunded", refunds.tell)
    account.on_merge(merging.PART)
    person_pages.describe(person_page.PAGE)
