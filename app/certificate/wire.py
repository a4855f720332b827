"""What the proofs bring into a process."""

from __future__ import annotations

from apiflask import APIBlueprint

from app.account import person_pages
from app.account import service as account
from app.cases import kinds
from app.certificate import case_kinds, fonts, keys, merging, person_page, service
from app.certificate.views import blueprint, public
from app.core import outbox, rotation
from config.settings import Settings

BLUEPRINTS: tuple[APIBlueprint, ...] = (blueprint, public)


def start(settings: Settings) -> None:
    """Know the font's place and our public address, hear of passes."""
    fonts.init(settings.fonts_dir)
    service.init(settings.public_url)
    outbox.subscribe("exam.passed", "certificate.earned", service.earned)
    kinds.describe(*case_kinds.KINDS)
    rotation.holder("proof_photo", keys.rewrite, keys.uses)
    outbox.subscribe("account.identity_corrected", "certificate.corrected", merging.corrected)
    account.on_merge(merging.PART)
    person_pages.describe(person_page.PAGE)
