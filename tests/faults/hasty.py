"""The broken twin of fault P13: a server that asks the provider before it answers a notification."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from apiflask import APIFlask

from app import create_app
from app.core import inbox
from app.pay import notifications

record = inbox.record


def _apply_at_once(provider: str, external_id: str, body: str, *, now: datetime) -> Any:
    notifications.apply(body, now)
    return record(provider, external_id, body, now=now)


def make() -> APIFlask:
    """The product, hasty."""
    inbox.record = _apply_at_once
    return create_app()
