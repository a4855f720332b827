"""The product with two routes more, for comparison in the same process: an empty authenticated view, and one SQL
upsert per beat (what a plainer design would do)."""

from __future__ import annotations

from typing import Any

import peewee
from apiflask import APIFlask
from flask import jsonify

from app import create_app
from app.core.access import Role, access, person_id, request_now
from app.core.db import BaseModel, UtcField, transaction


class BenchBeat(BaseModel):
    """One row a person, written at each beat."""

    seconds = peewee.IntegerField()
    at = UtcField()


def make() -> APIFlask:
    """The product with the two routes."""
    product = create_app()
    product.get("/bench/empty")(empty)
    product.post("/bench/upsert")(upsert)
    return product


@access(Role.TRAINEE)
def empty() -> Any:
    """Nothing but what every request of a signed-in person costs."""
    return jsonify({})


@access(Role.TRAINEE)
def upsert() -> Any:
    """One durable row per beat."""
    now = request_now()
    with transaction():
        BenchBeat.insert(id=person_id(), seconds=10, at=now).on_conflict(
            conflict_target=[BenchBeat.id], update={BenchBeat.seconds: BenchBeat.seconds + 10, BenchBeat.at: now}
        ).execute()
    return jsonify({})
