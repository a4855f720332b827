"""Cases wait for a person: nothing to install, no route yet."""

from __future__ import annotations

from apiflask import APIBlueprint

from config.settings import Settings

BLUEPRINTS: tuple[APIBlueprint, ...] = ()


def start(_settings: Settings) -> None:
    """Cases hear of no event: they are filed."""
