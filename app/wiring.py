"""The one place that knows every domain: starts a process (web, worker, cron, flusher, command line)."""

from __future__ import annotations

from datetime import datetime
from importlib import import_module
from typing import Any

from apiflask import APIFlask

from app.cases import service as cases
from app.core import crypto, db, logging, redis, stuck, tokens
from app.core.access import Identity
from app.policy import load as policy
from config.settings import Settings

# In the order of the layers: a domain may call those before it, and hears of those after it by outbox events.
DOMAINS: tuple[str, ...] = (
    "account",
    "cases",
    "wechat",
    "notify",
    "pay",
    "face",
    "enrol",
    "study",
    "exam",
    "certificate",
    "home",
)


def _rooms() -> list[Any]:
    return [import_module(f"app.{domain}.wire") for domain in DOMAINS]


def start(settings: Settings) -> None:
    """Bind database, Redis, keys, programmes, providers, and subscribe the domains to each other's events."""
    logging.init(settings)
    crypto.init(settings.secrets)
    tokens.init(settings.secrets)
    redis.init(settings)
    db.connect(settings.database_url)
    policy.init(settings.programmes_dir)
    stuck.on_stuck(cases.file)
    for room in _rooms():
        room.start(settings)


def register_views(app: APIFlask) -> None:
    """Every blueprint of the product."""
    for room in _rooms():
        for blueprint in room.BLUEPRINTS:
            app.register_blueprint(blueprint)


def authenticate(token: str, now: datetime) -> Identity | None:
    """The identity of a session token; the account domain knows it."""
    from app.account import service as account

    return account.authenticate(token, now=now)


def models() -> list[type[db.BaseModel]]:
    """Every table of the product, once the domains are imported."""
    _rooms()
    found: list[type[db.BaseModel]] = []
    pending = list(db.BaseModel.__subclasses__())
    while pending:
        model = pending.pop(0)
        pending.extend(model.__subclasses__())
        found.append(model)
    return sorted(found, key=lambda model: model._meta.table_name)
