"""The staff's accounts: no route of their own (the console has the pages)."""

from __future__ import annotations

from apiflask import APIBlueprint

from app.account import person_pages
from app.cases import hands, kinds
from app.staff import account_kinds, case_kinds, members, person_page
from config.settings import Settings

BLUEPRINTS: tuple[APIBlueprint, ...] = ()


def start(_settings: Settings) -> None:
    """What administrators decide is a kind of case."""
    kinds.describe(*case_kinds.KINDS, *account_kinds.KINDS)
    hands.told_by(members.hand_of)
    person_pages.describe(person_page.PAGE)
