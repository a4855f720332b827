"""How enrolments hear of the other domains."""

from __future__ import annotations

from apiflask import APIBlueprint

from app.core import outbox
from app.enrol import checkout, service
from app.enrol.views import bp
from config.settings import Settings

BLUEPRINTS: tuple[APIBlueprint, ...] = (bp,)


def start(settings: Settings) -> None:
    """Subscribe to orders, passes and proofs."""
    outbox.subscribe("order.paid", "enrol.paid", checkout.paid)
    outbox.subscribe("order.closed", "enrol.closed", checkout.closed)
    outbox.subscribe("exam.passed", "enrol.passed", service.passed)
    outbox.subscribe("proof.issued", "enrol.completed", service.completed)
