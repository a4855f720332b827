"""Health: `/healthz` says that this web process answers, `/readyz` that the whole product works."""

from __future__ import annotations

from typing import Any

import peewee
import redis.exceptions
from apiflask import APIBlueprint
from flask import current_app, jsonify

from app.core import liveness
from app.core import redis as redis_clients
from app.core.access import Role, access
from app.core.db import database

blueprint = APIBlueprint("health", __name__, tag="运行状态", enable_openapi=False)


@blueprint.get("/healthz")
@access(Role.PUBLIC)
def healthz() -> Any:
    """200 while this process answers."""
    return jsonify(status="ok")


@blueprint.get("/readyz")
@access(Role.PUBLIC)
def readyz() -> Any:
    """200 only while database, Redis (both, where there are two), worker, cron and flusher are up; else 503, naming
    what is down."""
    down: list[str] = []
    try:
        database.execute_sql("SELECT 1")
    except peewee.PeeweeException:
        down.append("database")
    try:
        down += liveness.missing()
    except redis.exceptions.RedisError:
        down.append("redis")
    if "HEARTBEAT_REDIS_URL" in redis_clients.named(current_app.config["SETTINGS"]):
        try:
            redis_clients.beats().client.ping()
        except redis.exceptions.RedisError:
            down.append("heartbeat redis")
    return jsonify(status="down" if down else "ok", down=down), 503 if down else 200
