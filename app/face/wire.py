"""Wires the face domain: the photo store, Baidu's client, the routes."""

from __future__ import annotations

from apiflask import APIBlueprint

from app.account import person_pages
from app.account import service as account
from app.cases import kinds
from app.core import outbox, rotation
from app.face import case_kinds, keys, merging, person_page, providers, scan_views, service, store, views, withdrawal
from app.face.providers.baidu import BaiduFace
from app.face.providers.protocol import FaceProvider
from config.settings import Settings

BLUEPRINTS: tuple[APIBlueprint, ...] = (views.photo, views.checks, views.pages, scan_views.blueprint)


def start(settings: Settings) -> None:
    """Called once at the start of each process."""
    store.init(settings.data_dir)
    service.init(settings.public_url)
    kinds.describe(*case_kinds.KINDS)
    rotation.holder("photos", keys.rewrite, keys.uses)

    def baidu(prefix: str) -> FaceProvider:
        return BaiduFace(
            app_id=settings.secrets.get(f"{prefix}.app_id"),
            api_key=settings.secrets.get(f"{prefix}.api_key"),
            secret_key=settings.secrets.get(f"{prefix}.secret_key"),
            plan_id=settings.secrets.get(f"{prefix}.plan_id"),
            base=settings.sandbox_url if settings.providers == "sandbox" else None,
        )

    providers.install(baidu)
    outbox.subscribe("account.identity_corrected", "face.corrected", merging.corrected)
    outbox.subscribe("account.consent_withdrawn", "face.withdrawn", withdrawal.asked)
    account.on_merge(merging.PART)
    person_pages.describe(person_page.PAGE)
