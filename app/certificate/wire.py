"""What the proofs bring into a process."""

from __future__ import annotations

from apiflask import APIBlueprint

from app.certificate import fonts, keys, service
from app.certificate.views import blueprint, public
from app.core import outbox, rotation
from config.settings import Settings

BLUEPRINTS: tuple[APIBlueprint, ...] = (blueprint, public)


def start(settings: Settings) -> None:
    """Know the font's place and our public address, hear of passes."""
    fonts.init(settings.fonts_dir)
    service.init(settings.public_url)
    outbox.subscribe("exam.passed", "certificate.earned", service.earned)
    rotation.holder("proof_photo", keys.rewrite, keys.uses)
