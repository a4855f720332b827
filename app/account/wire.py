"""Persons, sessions, activation."""

from __future__ import annotations

from apiflask import APIBlueprint

from app.account.views import blueprint
from config.settings import Settings

BLUEPRINTS: tuple[APIBlueprint, ...] = (blueprint,)


def start(_settings: Settings) -> None:
    """Nothing to install: no provider of its own, and no event of another domain concerns a person."""
