"""Wires the invoices: the vendor's client, the events heard, the routes."""

from __future__ import annotations

from apiflask import APIBlueprint

from app.core import outbox
from app.invoice import providers, service
from app.invoice.providers.nuonuo import LIVE, Account, Nuonuo
from app.invoice.providers.protocol import InvoiceProvider
from app.invoice.views import blueprint
from config.settings import Settings

BLUEPRINTS: tuple[APIBlueprint, ...] = (blueprint,)


def start(settings: Settings) -> None:
    """Called once at the start of each process."""

    def nuonuo(prefix: str) -> InvoiceProvider:
        def secret(name: str) -> str:
            return settings.secrets.get(f"{prefix}.{name}")

        account = Account(
            app_key=secret("app_key"),
            app_secret=secret("app_secret"),
            access_token=secret("access_token"),
            tax_number=secret("tax_number"),
            address=secret("address"),
            phone=secret("phone"),
            clerk=secret("clerk"),
        )
        return Nuonuo(account, settings.sandbox_url if settings.providers == "sandbox" else LIVE)

    providers.install(nuonuo)
    outbox.subscribe("order.paid", "invoice.paid", service.paid)
    outbox.subscribe("invoice.ready", "invoice.tell", service.tell_ready)
