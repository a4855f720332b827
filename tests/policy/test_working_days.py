"""Working days: the state's shifted ones, a programme's own, years nobody knows yet, to the second in Shanghai."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from app.core.clock import SHANGHAI
from app.policy import load, working_days
from app.policy.schema import Calendar, WorkingDays

THREE_TO_FIVE = WorkingDays(at_least=3, at_most=5)
UNKNOWN = working_days.LAST_YEAR + 1
days = st.dates(date(2004, 1, 1), date(UNKNOWN + 2, 12, 31))
calendars = st.none() | st.builds(
    lambda free, worked: Calendar(holidays=tuple(free), working_days=tuple(worked - free)),
    st.sets(days, max_size=5),
    st.sets(days, max_size=5),
)


def at(text: str) -> datetime:
    """'2021-01-02 03:04:05' on a Shanghai clock, as UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI).astimezone(UTC)


@pytest.mark.parametrize(
    ("day", "working"),
    [
        ("2021-10-01", False),  # National Day, a Friday
        ("2021-10-07", False),  # a Thursday
        ("2021-10-09", True),  # a Saturday worked instead
        ("2021-09-26", True),  # a Sunday worked instead
        ("2021-10-10", False),
        ("2024-02-29", True),
        ("2026-01-01", False),
    ],
)
def test_the_states_shifted_days_count(day: str, working: bool) -> None:
    assert working_days.is_working_day(date.fromisoformat(day), None) is working


@pytest.mark.parametrize(
    ("paid", "opens", "closes"),
    [
        # a plain week: Monday → Thursday, and Monday
        ("2021-03-01 10:00:00", "2021-03-04 00:00:00", "2021-03-08 23:59:59.999999"),
        ("2021-03-01 23:59:59", "2021-03-04 00:00:00", "2021-03-08 23:59:59.999999"),
        ("2021-03-02 00:00:00", "2021-03-05 00:00:00", "2021-03-09 23:59:59.999999"),
        # the last second before National Day: 8th, the Saturday, 11th, 12th, 13th
        ("2021-09-30 23:59:59", "2021-10-11 00:00:00", "2021-10-13 23:59:59.999999"),
        # within it
        ("2021-10-03 12:00:00", "2021-10-11 00:00:00", "2021-10-13 23:59:59.999999"),
        # over the year's end: 2025-12-31 is worked, 1 to 3 January are free, Sunday the 4th is worked
        ("2025-12-30 18:00:00", "2026-01-05 00:00:00", "2026-01-07 23:59:59.999999"),
        # a leap day
        ("2024-02-27 08:00:00", "2024-03-01 00:00:00", "2024-03-05 23:59:59.999999"),
    ],
)
def test_a_window_counts_working_days_after_the_day_of_the_payment(paid: str, opens: str, closes: str) -> None:
    assert working_days.window(at(paid), THREE_TO_FIVE, None) == (at(opens), at(closes))


def test_a_window_of_no_days_begins_with_its_moment() -> None:
    rule = WorkingDays(at_least=0, at_most=0)
    opens, closes = working_days.window(at("2021-03-06 10:00:00"), rule, None)
    assert (opens, closes) == (at("2021-03-06 10:00:00"), at("2021-03-06 23:59:59.999999"))


def test_a_programmes_own_days_come_before_the_states() -> None:
    own = Calendar(holidays=(date(2021, 3, 2),), working_days=(date(2021, 3, 6),))
    opens, closes = working_days.window(at("2021-03-01 10:00:00"), THREE_TO_FIVE, own)
    assert (opens, closes) == (at("2021-03-05 00:00:00"), at("2021-03-08 23:59:59.999999"))


def test_of_a_year_that_nobody_knows_weekends_are_free_and_the_log_says_so_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(working_days, "_told", set())
    monday = date(UNKNOWN, 1, 4) + timedelta(days=-date(UNKNOWN, 1, 4).weekday() % 7)
    with capture_logs() as logs:
        assert [working_days.is_working_day(monday + timedelta(days=n), None) for n in range(7)] == [True] * 5 + [
            False
        ] * 2
    assert [(entry["event"], entry["year"]) for entry in logs] == [("calendar_year_unknown", UNKNOWN)]


def test_a_year_is_known_once_the_programme_names_a_day_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(working_days, "_told", set())
    own = Calendar(holidays=(date(UNKNOWN, 1, 1),), working_days=())
    assert not working_days.year_known(UNKNOWN, None)
    assert working_days.year_known(UNKNOWN, own)
    with capture_logs() as logs:
        assert not working_days.is_working_day(date(UNKNOWN, 1, 1), own)
        working_days.is_working_day(date(UNKNOWN, 1, 2), own)
    assert logs == []


@given(day=days, count=st.integers(0, 15), calendar=calendars)
def test_the_nth_working_day_is_one_with_just_so_many_since(day: date, count: int, calendar: Calendar | None) -> None:
    found = working_days.add(day, count, calendar)
    between = [day + timedelta(days=n) for n in range(1, (found - day).days + 1)]
    assert sum(working_days.is_working_day(one, calendar) for one in between) == count
    assert count == 0 or working_days.is_working_day(found, calendar)


@given(
    first=st.builds(datetime.combine, days, st.times(), st.just(UTC)),
    later=st.timedeltas(timedelta(0), timedelta(days=40)),
    calendar=calendars,
)
def test_who_pays_later_never_has_an_earlier_window(
    first: datetime, later: timedelta, calendar: Calendar | None
) -> None:
    opens, closes = working_days.window(first, THREE_TO_FIVE, calendar)
    assert first <= opens <= closes
    second = working_days.window(first + later, THREE_TO_FIVE, calendar)
    assert opens <= second[0]
    assert closes <= second[1]


def test_a_programme_may_name_days_and_no_day_twice(
    document: dict[str, Any], edit: Callable[[str, str], None]
) -> None:
    own = {"holidays": [date(2027, 1, 1)], "working_days": [date(2027, 1, 3)]}
    assert load.parse(document | {"calendar": own}, "x").calendar == Calendar(
        holidays=(date(2027, 1, 1),), working_days=(date(2027, 1, 3),)
    )
    own = {"holidays": [date(2027, 1, 1)], "working_days": [date(2027, 1, 1)]}
    with pytest.raises(load.ProgrammeError, match="calendar: 2027-01-01 is a holiday and a working day"):
        load.parse(document | {"calendar": own}, "x")
