"""How enrolments hear of the other domains."""

from __future__ import annotations

from apiflask import APIBlueprint

from app.core import outbox
from app.enrol import service
from config.settings import Settings

BLUEPRINTS: tuple[APIBlueprint, ...] = ()


def start(settings: Settings) -> None:
    """Subscribe to orders, passes and proofs."""
    outbox.subscribe("exam.passed", "enrol.passed", service.passed)
    outbox.subscribe("proof.issued", "enrol.completed", service.completed)
