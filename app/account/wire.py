"""Persons, sessions, activation."""

from __future__ import annotations

from apiflask import APIBlueprint

from config.settings import Settings

BLUEPRINTS: tuple[APIBlueprint, ...] = ()


def start(_settings: Settings) -> None:
    """Nothing to install yet: no event of another domain concerns a person."""
