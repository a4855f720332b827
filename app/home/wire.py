"""The first screen, what a front end asks before the login, its files, the API's description, and health."""

from __future__ import annotations

from apiflask import APIBlueprint

from app.home.built import blueprint as built
from app.home.front_views import blueprint as front
from app.home.health import blueprint as health
from app.home.views import blueprint as home
from config.settings import Settings

BLUEPRINTS: tuple[APIBlueprint, ...] = (home, front, built, health)


def start(_settings: Settings) -> None:
    """Nothing to install: the first screen only reads."""
