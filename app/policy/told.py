"""Days that administrators enter, because the state has told them and the calendar's release does not hold them yet
(docs/decisions/0068). Each process reads the few rows anew after a minute, and at once after its own change."""

from __future__ import annotations

import time
from datetime import date, datetime
from threading import Lock

from app.core import audit
from app.core.db import after_commit, connection, transaction
from app.core.errors import NOT_FOUND, problem
from app.core.staff import EVERYWHERE, Right, Staff
from app.policy.models import CalendarDay

SUBJECT = "reference:calendar_day"  # in the audit log
FRESH = 60.0  # seconds
DAY_INVALID = problem("calendar_day_invalid", 422, "填写的日期有误，请按提示修改后再保存。")
_days: dict[date, bool] = {}
_state: dict[str, float] = {}  # 'read': when, on the monotonic clock; empty in a process without a database
_lock = Lock()


def init() -> None:
    """There is a database from now on; called once at the start of each process."""
    _state["read"] = float("-inf")


def forget() -> None:
    """Read them anew at the next question."""
    if _state:
        _state["read"] = float("-inf")


def _all() -> dict[date, bool]:
    global _days
    if _state and time.monotonic() - _state["read"] > FRESH:
        with _lock, connection():
            rows = dict(CalendarDay.select(CalendarDay.day, CalendarDay.working).tuples())
            _days = rows  # whole: another thread may be reading the one before
            _state["read"] = time.monotonic()
    return _days


def working(day: date) -> bool | None:
    """Whether it was entered that this day is worked; None: nothing was."""
    return _all().get(day)


def knows(year: int) -> bool:
    """Whether any day of the year was entered."""
    return any(day.year == year for day in _all())


def entered() -> list[CalendarDay]:
    """All entered days, the latest first."""
    return list(CalendarDay.select().order_by(CalendarDay.day.desc()))


def one(day_id: str) -> CalendarDay | None:
    """An entered day."""
    return CalendarDay.get_or_none(CalendarDay.id == day_id)


def put(
    staff: Staff, day: date, working_: bool, note: str, *, now: datetime, day_id: str | None = None
) -> CalendarDay:
    """Enter a day, or correct the entry `day_id`. Raises `forbidden`, `calendar_day_invalid`, `not_found`."""
    staff.require(Right.ADMINISTRATOR, EVERYWHERE)
    note = " ".join(note.split())
    if not 1 <= len(note) <= 64:
        raise DAY_INVALID("请写明依据，例如通知的文号，不超过 64 个字。")
    if not 2004 <= day.year <= 2100:
        raise DAY_INVALID("日期不在 2004 至 2100 年之间，请核对。")
    with transaction():
        other = CalendarDay.get_or_none(CalendarDay.day == day)
        if other is not None and other.id != day_id:
            raise DAY_INVALID("这一天已经录入过，请直接修改那一条。")
        values = {"day": day, "working": working_, "note": note}
        if day_id is None:
            row = CalendarDay.create(**values)
        elif CalendarDay.update(values).where(CalendarDay.id == day_id).execute():
            row = CalendarDay.get_by_id(day_id)
        else:
            raise NOT_FOUND()
        action = "calendar_day.entered" if day_id is None else "calendar_day.changed"
        audit.record(staff.actor, action, SUBJECT, now=now, day=day.isoformat(), working=working_, note=note)
        after_commit(forget)
    return row  # type: ignore[no-any-return]


def remove(staff: Staff, day_id: str, *, now: datetime) -> None:
    """Take an entry back. Raises `forbidden`, `not_found`."""
    staff.require(Right.ADMINISTRATOR, EVERYWHERE)
    with transaction():
        row = CalendarDay.get_or_none(CalendarDay.id == day_id)
        if row is None or not CalendarDay.delete().where(CalendarDay.id == day_id).execute():
            raise NOT_FOUND()
        said = {"day": row.day.isoformat(), "working": row.working, "note": row.note}
        audit.record(staff.actor, "calendar_day.removed", SUBJECT, now=now, **said)
        after_commit(forget)
