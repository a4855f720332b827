"""Time: aware UTC inside, Asia/Shanghai on the screen. The phone's clock decides nothing."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")
FIRST, LAST = date(2000, 1, 1), date(2100, 12, 31)  # days that anybody may mean


def utcnow() -> datetime:
    """This moment, aware UTC. A request takes it once (`core.access.request_now`) and passes it down."""
    return datetime.now(UTC)


def shanghai(moment: datetime) -> datetime:
    """The same moment on a Shanghai clock."""
    return moment.astimezone(SHANGHAI)


def iso(moment: datetime) -> str:
    """RFC 3339 with Shanghai's offset, to the second: what the API hands out."""
    return shanghai(moment).isoformat(timespec="seconds")


def day_of(text: str) -> date:
    """The day that somebody has typed, as '2026-11-25'. Raises `ValueError` for anything else, and for days before
    2000 or after 2100: reckoning with those leaves what Python and the databases can count."""
    day = date.fromisoformat(text)
    if not FIRST <= day <= LAST:
        raise ValueError(f"no day that is meant: {day}")
    return day
