"""What help tickets bring into a process."""

from __future__ import annotations

from apiflask import APIBlueprint

from app.account import person_pages
from app.account import service as account
from app.cases import kinds
from app.core import rotation
from app.support import case_kinds, keys, merging, person_page
from app.support.views import blueprint
from config.settings import Settings

BLUEPRINTS: tuple[APIBlueprint, ...] = (blueprint,)


def start(_settings: Settings) -> None:
    """Called once at the start of each process."""
    kinds.describe(*case_kinds.KINDS)
    account.on_merge(merging.PART)
    person_pages.describe(person_page.PAGE)
    rotation.holder("support_picture", keys.rewrite, keys.uses)
