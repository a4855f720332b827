"""What the reports bring into a process: where the files of exports lie."""

from __future__ import annotations

from apiflask import APIBlueprint

from app.reports import exports
from config.settings import Settings

BLUEPRINTS: tuple[APIBlueprint, ...] = ()


def start(settings: Settings) -> None:
    """Called once at the start of each process."""
    exports.init(settings.data_dir)
