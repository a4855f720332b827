"""Wires WeChat: the mini-program's client, the routes."""

from __future__ import annotations

from apiflask import APIBlueprint

from app.wechat import providers, views
from app.wechat.providers.mini_program import MiniProgram
from app.wechat.providers.protocol import WeChat
from config.settings import Settings

BLUEPRINTS: tuple[APIBlueprint, ...] = (views.blueprint,)


def start(settings: Settings) -> None:
    """Called once at the start of each process."""

    def mini_program(prefix: str) -> WeChat:
        return MiniProgram(
            appid=settings.secrets.get(f"{prefix}.appid"),
            secret=settings.secrets.get(f"{prefix}.secret"),
            base=settings.sandbox_url if settings.providers == "sandbox" else None,
        )

    providers.install(mini_program)
