"""Figures that are kept by the day, so that a page about a year reads some thousand small rows.

They are cohorts: of those who signed up on a day, how many have come how far until now. So an old day changes still,
seldomer and seldomer, and is counted anew as seldom."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

import peewee

from app.core.budget import Budget
from app.core.db import insert_once, transaction
from app.enrol import queries as enrolments
from app.policy.days import on_clock, shanghai_day
from app.reports.models import DayFigure, ReckonedDay
from app.study import queries as study

ONE_DAY = timedelta(days=1)
# a day that is at most so old is counted anew after this time
FRESH = ((2, timedelta(minutes=1)), (90, timedelta(minutes=20)), (400, timedelta(days=1)))
STALE = timedelta(days=30)


@dataclass(frozen=True)
class Funnel:
    """Who signed up in a period for a programme, and how far they have come."""

    programme: str
    signed_up: int
    paid: int
    studying: int
    passed: int


@dataclass(frozen=True)
class Funnels:
    """One of each programme; `at`: when one of the days was counted last, None if none was."""

    rows: list[Funnel]
    at: datetime | None


def ends_of(day: date) -> tuple[datetime, datetime]:
    """The beginning of a day in Shanghai and of the next one, as UTC."""
    return on_clock(day, time.min), on_clock(day + ONE_DAY, time.min)


def funnels(programmes: Collection[str], *, since: date, until: date) -> Funnels:
    """Of the sign-ups from one day to another, both included, in these programmes."""
    period = (DayFigure.day >= since.isoformat()) & (DayFigure.day <= until.isoformat())
    total = peewee.fn.SUM
    query = DayFigure.select(
        DayFigure.programme,
        total(DayFigure.signed_up),
        total(DayFigure.paid),
        total(DayFigure.studying),
        total(DayFigure.passed),
    ).where(period, DayFigure.programme.in_(sorted(programmes)))
    rows = [Funnel(row[0], *map(int, row[1:])) for row in query.group_by(DayFigure.programme).tuples()]
    days = (ReckonedDay.day >= since.isoformat()) & (ReckonedDay.day <= until.isoformat())
    latest = ReckonedDay.select(peewee.fn.MAX(ReckonedDay.at)).where(days).scalar()
    return Funnels(sorted(rows, key=lambda row: -row.signed_up), ReckonedDay.at.python_value(latest))


def reckon(*, now: datetime) -> int:
    """Count what is due, as far as the time of one run goes, the latest days first; gives how many days."""
    budget, counted = Budget(), 0
    today = shanghai_day(now)
    known = dict(ReckonedDay.select(ReckonedDay.day, ReckonedDay.due_at).tuples())
    first = enrolments.first_sign_up()
    day, last = today, shanghai_day(first) if first is not None else today
    while day >= last and not budget.spent():
        due = known.get(day.isoformat())
        if due is None or due <= now:
            count(day, now=now)
            counted += 1
        day -= ONE_DAY
    return counted


def count(day: date, *, now: datetime) -> None:
    """Count one day; whoever counts it at the same time finds the same."""
    since, until = ends_of(day)
    begun = study.begun(since=since, until=until)
    age = (shanghai_day(now) - day).days
    due_at = now + next((after for days, after in FRESH if age < days), STALE)
    text = day.isoformat()
    with transaction():
        if not insert_once(ReckonedDay, day=text, at=now, due_at=due_at):
            ReckonedDay.update(at=now, due_at=due_at).where(ReckonedDay.day == text).execute()
        for one in enrolments.cohorts(since=since, until=until):
            values = {
                "signed_up": one.signed_up,
                "paid": one.paid,
                "studying": begun.get(one.programme, 0),
                "passed": one.passed,
            }
            if not insert_once(DayFigure, day=text, programme=one.programme, **values):
                mine = (DayFigure.day == text) & (DayFigure.programme == one.programme)
                DayFigure.update(values).where(mine).execute()
