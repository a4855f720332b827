"""What the exam brings into a process."""

from __future__ import annotations

from apiflask import APIBlueprint

from app.exam.views import blueprint
from config.settings import Settings

BLUEPRINTS: tuple[APIBlueprint, ...] = (blueprint,)


def start(_settings: Settings) -> None:
    """Nothing to install: the exam has no provider and hears of no event."""
