"""The first screen, the demo page, the API's description, and health."""

from __future__ import annotations

from apiflask import APIBlueprint

from app.home.health import blueprint as health
from app.home.views import blueprint as home
from config.settings import Settings

BLUEPRINTS: tuple[APIBlueprint, ...] = (home, health)


def start(_settings: Settings) -> None:
    """Nothing to install: the first screen only reads."""
