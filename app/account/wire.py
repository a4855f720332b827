"""Persons, sessions, activation."""

from __future__ import annotations

from apiflask import APIBlueprint

from app.account import person_page, person_pages, sessions
from app.account.views import blueprint
from app.core import rotation
from config.settings import Settings

BLUEPRINTS: tuple[APIBlueprint, ...] = (blueprint,)


def start(_settings: Settings) -> None:
    """Tokens are signed, and signed anew by nobody: old keys wait until the sessions are over."""
    rotation.holder("sessions", lambda _now: iter(()), sessions.uses)
    person_pages.describe(person_page.PAGE)
