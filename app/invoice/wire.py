"""Wires the invoices: the vendor's client, the events heard, the routes."""

from __future__ import annotations

from apiflask import APIBlueprint

from app.account import person_pages
from app.account import service as account
from app.cases import kinds
from app.core import outbox
from app.invoice import case_kinds, merging, person_page, providers, service
from app.invoice.providers.nuonuo import LIVE, Account, Nuonuo
from app.invoice.providers.postbox import Postbox, Server, Smtp
from app.invoice.providers.protocol import InvoiceProvider
from app.invoice.views import blueprint
from config.settings import Settings

BLUEPRINTS: tuple[APIBlueprint, ...] = (blueprint,)


def _postbox(settings: Settings) -> Postbox | None:
    """The mail server of the settings; without one, beside the sandbox, the sandbox's, which says in a file of its
    own where it is."""
    told = settings.smtp
    if told is not None:
        password = settings.secrets.get("smtp.password") if told.user is not None else ""
        server = Server(told.host, told.port, told.tls, told.user, password, told.sender)
        return Smtp(lambda: server)
    if settings.providers != "sandbox":
        return None
    path = settings.data_dir / "sandbox" / "smtp.port"

    def beside() -> Server:
        try:
            port = int(path.read_text(encoding="ascii"))
        except (OSError, ValueError):
            port = 1  # nobody is there
        return Server("127.0.0.1", port, "none", None, "", "invoice@sandbox.example")

    return Smtp(beside)


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
    providers.post_by(_postbox(settings))
    kinds.describe(*case_kinds.KINDS)
    outbox.subscribe("order.paid", "invoice.paid", service.paid)
    outbox.subscribe("invoice.ready", "invoice.tell", service.tell_ready)
    account.on_merge(merging.PART)
    person_pages.describe(person_page.PAGE)
