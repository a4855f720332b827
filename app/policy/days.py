"""Days and times of day in Shanghai, as the rules count them."""

from __future__ import annotations

import calendar
from datetime import UTC, date, datetime, time

from app.core.clock import SHANGHAI, shanghai


def shanghai_day(moment: datetime) -> date:
    """The day in Shanghai of an aware moment. Raises `ValueError` for one without a time zone."""
    return shanghai(utc(moment)).date()


def add_months(day: date, months: int) -> date:
    """The same day so many months later (or earlier), or that month's last day where it is shorter."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def end_of_day(day: date) -> datetime:
    """The last microsecond of the day in Shanghai, as UTC."""
    return on_clock(day, time.max)


def on_clock(day: date, clock: time) -> datetime:
    """That time of the day in Shanghai, as UTC."""
    return datetime.combine(day, clock, SHANGHAI).astimezone(UTC)


def last_opening(day_of_month: int, clock: time, closes: datetime) -> datetime:
    """The last time (UTC) that something which opens on that day of each month opened before it closes."""
    day = shanghai_day(closes).replace(day=day_of_month)
    opens = on_clock(day, clock)
    return opens if opens < closes else on_clock(add_months(day, -1), clock)


def utc(moment: datetime) -> datetime:
    """The same moment in UTC. Raises `ValueError` for one without a time zone."""
    if moment.tzinfo is None:
        raise ValueError("a moment without a time zone")
    return moment.astimezone(UTC)
