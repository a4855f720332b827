"""The product with three routes more, for comparison in the same process: an empty authenticated view, one SQL upsert
per beat (what a plainer design would do), and one that waits for the database."""

from __future__ import annotations

import time
from typing import Any

import peewee
from apiflask import APIFlask
from flask import jsonify, request

from app import create_app
from app.core.access import Role, access, person_id, request_now
from app.core.db import BaseModel, UtcField, database, transaction
from app.core.engines import MySql, Sqlite


class BenchBeat(BaseModel):
    """One row a person, written at each beat."""

    seconds = peewee.IntegerField()
    position = peewee.IntegerField()
    at = UtcField()


def make() -> APIFlask:
    """The product with the routes."""
    product = create_app()
    product.get("/bench/empty")(empty)
    product.post("/bench/upsert")(upsert)
    product.get("/bench/slow")(slow)
    return product


@access(Role.TRAINEE)
def empty() -> Any:
    """Nothing but what every request of a signed-in person costs: its session is one read of SQL."""
    return jsonify({})


@access(Role.TRAINEE)
def upsert() -> Any:
    """One durable row per beat."""
    now, beat = request_now(), request.get_json()
    row = BenchBeat.insert(id=person_id(), seconds=beat["seconds"], position=beat["position"], at=now)
    update = {
        BenchBeat.seconds: BenchBeat.seconds + beat["seconds"],
        BenchBeat.position: beat["position"],
        BenchBeat.at: now,
    }
    target = {} if isinstance(database.obj, MySql) else {"conflict_target": [BenchBeat.id]}
    with transaction():
        row.on_conflict(update=update, **target).execute()
    return jsonify({"position": beat["position"]})


@access(Role.TRAINEE)
def slow() -> Any:
    """A statement that takes 20 ms (SQLite, which runs in this process, has none: a pause)."""
    if isinstance(database.obj, Sqlite):
        time.sleep(0.02)
    else:
        database.execute_sql("SELECT SLEEP(0.02)" if isinstance(database.obj, MySql) else "SELECT pg_sleep(0.02)")
    return jsonify({})
