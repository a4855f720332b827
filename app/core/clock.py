"""Time: aware UTC inside, Asia/Shanghai on the screen. The phone's clock decides nothing."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")


def utcnow() -> datetime:
    """This moment, aware UTC. A request takes it once (`core.access.request_now`) and passes it down."""
    return datetime.now(UTC)


def shanghai(moment: datetime) -> datetime:
    """The same moment on a Shanghai clock."""
    return moment.astimezone(SHANGHAI)


def iso(moment: datetime) -> str:
    """RFC 3339 with Shanghai's offset, to the second: what the API hands out."""
    return shanghai(moment).isoformat(timespec="seconds")
