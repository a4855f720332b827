"""How announcements stand in the application: their routes."""

from __future__ import annotations

from apiflask import APIBlueprint

from app.account import person_pages
from app.account import service as account
from app.announce import merging, person_page
from app.announce.views import blueprint
from config.settings import Settings

BLUEPRINTS: tuple[APIBlueprint, ...] = (blueprint,)


def start(_settings: Settings) -> None:
    """Nobody is told by a message: the first screen counts what is unread."""
    account.on_merge(merging.PART)
    person_pages.describe(person_page.PAGE)
