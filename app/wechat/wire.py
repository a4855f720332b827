"""Wires WeChat: the clients, the routes."""

from __future__ import annotations

from apiflask import APIBlueprint

from app.account import person_pages
from app.account import service as account
from app.wechat import merging, person_page, providers, views
from app.wechat.providers import protocol
from app.wechat.providers.mini_program import MiniProgram
from app.wechat.providers.official_account import OfficialAccount
from config.settings import Settings

BLUEPRINTS: tuple[APIBlueprint, ...] = (views.blueprint,)


def start(settings: Settings) -> None:
    """Called once at the start of each process."""

    base = settings.sandbox_url if settings.providers == "sandbox" else None

    def keys(prefix: str) -> dict[str, str]:
        return {name: settings.secrets.get(f"{prefix}.{name}") for name in ("appid", "secret")}

    def mini_program(prefix: str) -> protocol.WeChat:
        return MiniProgram(**keys(prefix), base=base)

    def official(prefix: str) -> protocol.OfficialAccount:
        return OfficialAccount(**keys(prefix), base=base)

    providers.install(mini_program, official)
    account.on_merge(merging.PART)
    person_pages.describe(person_page.PAGE)
