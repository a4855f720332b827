"""The centre's console: pages for staff over the services and queries of the domains."""

from __future__ import annotations

from apiflask import APIBlueprint

from app.console import (
    announcement_views,
    case_views,
    course_views,
    export_views,
    figures_views,
    film_views,
    invoice_views,
    person_views,
    programme_views,
    question_views,
    reconciliation_views,
    reference_views,
    sign_in_views,
    staff_views,
    transfer_views,
)
from app.console.pages import blueprint
from config.settings import Settings

BLUEPRINTS: tuple[APIBlueprint, ...] = (blueprint,)
# each adds its routes to the blueprint
VIEWS = (
    sign_in_views,
    case_views,
    figures_views,
    export_views,
    person_views,
    invoice_views,
    transfer_views,
    reconciliation_views,
    staff_views,
    course_views,
    film_views,
    question_views,
    announcement_views,
    programme_views,
    reference_views,
)


def start(_settings: Settings) -> None:
    """Nothing to install: the console shows what others know."""
