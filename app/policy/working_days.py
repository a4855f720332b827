"""Working days by the state's calendar, with the days that a programme adds, and those that administrators enter.

The state tells each autumn which days of the next year are free, and on which weekends is worked instead; the library
chinesecalendar holds that (2004 on). Of a year that nobody knows yet, Monday to Friday are taken for working days,
and the log says so once (ADR 21). Days are Shanghai's. Pure, but for that line of the log and the entered days.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import chinese_calendar
import structlog
from chinese_calendar import constants

from app.core.clock import SHANGHAI
from app.policy import told
from app.policy.days import shanghai_day
from app.policy.schema import Calendar, WorkingDays

log = structlog.get_logger(__name__)

FIRST_YEAR = min(constants.holidays).year
LAST_YEAR = max(constants.holidays).year
_told: set[int] = set()


def year_known(year: int, calendar: Calendar | None) -> bool:
    """Whether the holidays of `year` are known: to the library, to the programme, or entered."""
    days = (*calendar.holidays, *calendar.working_days) if calendar else ()
    return FIRST_YEAR <= year <= LAST_YEAR or any(day.year == year for day in days) or told.knows(year)


def is_working_day(day: date, calendar: Calendar | None) -> bool:
    """Whether `day` is one; what the programme says comes first, then what administrators have entered."""
    if calendar and day in calendar.working_days:
        return True
    if calendar and day in calendar.holidays:
        return False
    entered = told.working(day)
    if entered is not None:
        return entered
    if FIRST_YEAR <= day.year <= LAST_YEAR:
        working: bool = chinese_calendar.is_workday(day)
        return working
    if not year_known(day.year, calendar) and day.year not in _told:
        _told.add(day.year)
        log.warning("calendar_year_unknown", year=day.year)
    return day.weekday() < 5


def add(day: date, count: int, calendar: Calendar | None) -> date:
    """The `count`-th working day after `day` (0: `day` itself, whatever it is)."""
    while count:
        day += timedelta(days=1)
        count -= is_working_day(day, calendar)
    return day


def window(moment: datetime, rule: WorkingDays, calendar: Calendar | None) -> tuple[datetime, datetime]:
    """From the first second of the `at_least`-th working day after the day of `moment` to the last microsecond of the
    `at_most`-th (UTC), for example 3 to 5 working days after a payment (yunnan manual, step 2 (三) 3). The day of
    `moment` is not counted; the window never begins before `moment`."""
    first = add(shanghai_day(moment), rule.at_least, calendar)
    last = add(shanghai_day(moment), rule.at_most, calendar)
    opens = datetime.combine(first, time.min, SHANGHAI).astimezone(UTC)
    return max(opens, moment.astimezone(UTC)), datetime.combine(last, time.max, SHANGHAI).astimezone(UTC)
