"""Redis clients, one a process and purpose: queues (RQ, liveness) and heartbeats, each by its own URL."""

from __future__ import annotations

import redis

from config.settings import Settings

_clients: dict[str, redis.Redis] = {}


def init(settings: Settings) -> None:
    """Make the clients; nothing connects before the first command. Timeouts in seconds."""
    for name, url in (("queue", settings.redis_url), ("heartbeat", settings.heartbeat_redis_url)):
        _clients[name] = redis.Redis.from_url(
            url, socket_timeout=5, socket_connect_timeout=2, health_check_interval=30, max_connections=64
        )


def queue() -> redis.Redis:
    """The Redis of RQ's queues and of liveness marks."""
    return _clients["queue"]


def heartbeat() -> redis.Redis:
    """The Redis of leases and heartbeats."""
    return _clients["heartbeat"]
