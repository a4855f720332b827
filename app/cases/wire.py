"""Cases wait for a person: the console shows them; those of the core are described here."""

from __future__ import annotations

from apiflask import APIBlueprint

from app.account import person_pages
from app.account import service as account
from app.cases import core_kinds, kinds, merging, person_page
from config.settings import Settings

BLUEPRINTS: tuple[APIBlueprint, ...] = ()


def start(_settings: Settings) -> None:
    """Cases hear of no event: they are filed. The core knows no cases: what it files is described here."""
    kinds.describe(*core_kinds.KINDS)
    account.on_merge(merging.PART)
    person_pages.describe(person_page.PAGE)
