"""What the exam brings into a process."""

from __future__ import annotations

from apiflask import APIBlueprint

from app.account import person_pages
from app.account import service as account
from app.exam import merging, person_page
from app.exam.bank import files
from app.exam.views import blueprint
from config.settings import Settings

BLUEPRINTS: tuple[APIBlueprint, ...] = (blueprint,)


def start(settings: Settings) -> None:
    """The exam has no provider and hears of no event."""
    files.init(settings.data_dir)
    account.on_merge(merging.PART)
    person_pages.describe(person_page.PAGE)
