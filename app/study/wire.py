"""How study stands in the application: its routes, and the heartbeat in front of Flask."""

from __future__ import annotations

from apiflask import APIBlueprint
from flask.sansio.blueprints import BlueprintSetupState

from app.study import heartbeat
from app.study.views import api, video
from config.settings import Settings

BLUEPRINTS: tuple[APIBlueprint, ...] = (api, video)


def _install(state: BlueprintSetupState) -> None:
    app = state.app
    app.wsgi_app = heartbeat.front(app.wsgi_app)  # type: ignore[attr-defined]


api.record(_install)


def start(settings: Settings) -> None:
    """Study speaks to no provider and hears no event; programmes may have been loaded anew."""
    heartbeat.rules_of.cache_clear()
