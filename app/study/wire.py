"""How study stands in the application: its routes, and the heartbeat in front of Flask."""

from __future__ import annotations

from apiflask import APIBlueprint
from flask.sansio.blueprints import BlueprintSetupState

from app.account import person_pages
from app.account import service as account
from app.study import heartbeat, merging, person_page
from app.study.providers import ffmpeg
from app.study.teaching import store as teaching_store
from app.study.views import api, video
from config.settings import Settings

BLUEPRINTS: tuple[APIBlueprint, ...] = (api, video)


def _install(state: BlueprintSetupState) -> None:
    app = state.app
    app.wsgi_app = heartbeat.front(app.wsgi_app)  # type: ignore[attr-defined]


api.record(_install)


def start(settings: Settings) -> None:
    """Study hears no event; programmes may have been loaded anew."""
    ffmpeg.init(settings.ffmpeg)
    teaching_store.init(settings.data_dir)
    heartbeat.rules_of.cache_clear()
    account.on_merge(merging.PART)
    person_pages.describe(person_page.PAGE)
