"""Pictures: the day's work, the queues' ages, how far people come, the day's money. Each is drawn of what its
reader's rights name, and stands beside a table that says the same."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from flask import Response, request

from app.cases import kinds
from app.cases import queries as cases
from app.console.pages import blueprint, page
from app.core.access import Role, access, request_now, staff
from app.core.clock import day_of
from app.core.staff import Right, Staff
from app.pay import queries as orders
from app.pay.queries import CHANNEL_TITLES
from app.policy.days import shanghai_day
from app.reports import service as reports

PERIODS = (7, 30, 90, 365)  # days
LONGEST = 731
FUNNEL = (Right.TEACHING, Right.FINANCE, Right.SUPPORT)  # who is shown how far people come
STEPS = (("signed_up", "报名"), ("paid", "缴费"), ("studying", "开始学习"), ("passed", "合格"))


@dataclass(frozen=True)
class Work:
    """A day's work of a kind, and by the hour of all kinds."""

    title: str
    filed: int
    decided: int
    open: int


def _day(text: str, otherwise: date) -> date:
    try:
        return day_of(text)
    except ValueError:
        return otherwise


def _period(today: date) -> tuple[date, date]:
    """From when to when, both included, and no longer than we count: what the address says, else thirty days."""
    days = min(max(request.args.get("days", 30, type=int), 1), LONGEST)
    until = min(_day(request.args.get("until", ""), today), today)
    since = _day(request.args.get("since", ""), until - timedelta(days=days - 1))
    return max(min(since, until), until - timedelta(days=LONGEST - 1)), until


def _chosen(mine: set[str]) -> set[str]:
    """The programme that the address names, if it is one of mine; else all of them."""
    return mine & {request.args["programme"]} if request.args.get("programme") in mine else mine


def _work(who: Staff, ages: list[cases.Ages], now: datetime) -> tuple[list[Work], list[tuple[int, int]]]:
    since, until = reports.ends_of(shanghai_day(now))
    by_kind: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    by_hour = [[0, 0] for _ in range(24)]
    for one in cases.hours(who, since=since, until=until):
        for place, count in enumerate((one.filed, one.decided)):
            by_kind[one.kind][place] += count
            by_hour[one.hour][place] += count
    for queue in ages:
        by_kind[queue.kind.name][2] = queue.count
    titles = {kind.name: kind.title for kind in kinds.every()}
    rows = [Work(titles.get(name, name), *counts) for name, counts in by_kind.items()]
    return sorted(rows, key=lambda row: (-row.filed - row.decided, row.title)), [(a, b) for a, b in by_hour]


@blueprint.get("/figures")
@access(Role.STAFF)
def figures() -> Response:
    """What happens today, and how far people have come."""
    who, now = staff().staff, request_now()
    today = shanghai_day(now)
    since, until = _period(today)
    day = min(_day(request.args.get("day", ""), today), today)
    funnel_of, money_of = reports.programmes_of(who, FUNNEL), reports.programmes_of(who, (Right.FINANCE,))
    ages = cases.ages(who, now=now)
    work, hours = _work(who, ages, now)
    found = reports.funnels(_chosen(funnel_of), since=since, until=until) if funnel_of else None
    begins, ends = reports.ends_of(day)
    money = orders.taken(_chosen(money_of), since=begins, until=ends) if money_of else None
    return page(
        "figures.html",
        today=today,
        work=work,
        hours=hours,
        ages=ages,
        funnels=found,
        total=[(title, sum(getattr(row, name) for row in found.rows)) for name, title in STEPS] if found else [],
        steps=STEPS,
        money=money,
        titles=CHANNEL_TITLES,
        day=day,
        since=since,
        until=until,
        periods=[(days, today - timedelta(days=days - 1)) for days in PERIODS],
        programmes=sorted(funnel_of | money_of),
        chosen=request.args.get("programme", ""),
    )
