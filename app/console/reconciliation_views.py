"""The providers' bills beside our books, for finance: thirty days in a picture, one day by channel, its
differences."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from flask import Response, request

from app.cases import service as cases
from app.cases.queries import seen_by
from app.console.pages import blueprint, page
from app.core import audit
from app.core.access import Role, access, request_now, staff
from app.core.clock import day_of
from app.core.errors import NOT_FOUND, Problem
from app.core.staff import EVERYWHERE, Right
from app.invoice.finance.service import reason_of
from app.pay.reconciliation import day_sheet, queries
from app.pay.reconciliation.differences import CASE
from app.pay.reconciliation.models import Bill, Difference
from app.pay.reconciliation.queries import Day
from app.pay.reconciliation.sentences import CHANNELS, DECIDED, FINDINGS, KINDS, SUGGESTIONS
from app.policy import load as policy
from app.policy.days import shanghai_day
from app.staff import service as staff_service

FINANCE = (Right.FINANCE, Right.ADMINISTRATOR)
DAYS = 30
HEIGHT, WIDTH = 150, 28  # of the picture's columns, in its own units
STATES = {
    "waiting": "待取账单",
    "fetched": "核对中",
    "open": "有差异",
    "balanced": "已平",
    "explained": "已说明",
}
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@dataclass(frozen=True)
class Part:
    """One channel's piece of a column."""

    kind: str
    y: float
    height: float


@dataclass(frozen=True)
class Column:
    """One day of the picture: what came in by channel, in one sum, and how it stands."""

    day: str
    state: str
    paid_fen: int
    ours_fen: int
    back_fen: int
    lines: int
    open: int
    explained: int
    parts: tuple[Part, ...]


def _mine(kind: str, merchant: str) -> bool:
    """Whether a merchant is of a programme whose money this person looks after."""
    where = staff().staff.programmes(Right.FINANCE)
    return EVERYWHERE in where or any(
        one.key in where and getattr(one.authority.secrets, kind, None) == merchant for one in policy.all_programmes()
    )


def columns(found: list[Day], until: date) -> list[Column]:
    """The days up to `until`, those without a bill too."""
    by_day: dict[str, list[Day]] = {}
    for day in found:
        by_day.setdefault(day.day, []).append(day)
    most = max((sum(day.their_paid_fen for day in days) for days in by_day.values()), default=0) or 1
    names = [(until - timedelta(days=back)).isoformat() for back in reversed(range(DAYS))]
    return [_column(name, by_day.get(name, []), most) for name in names]


def _column(name: str, days: list[Day], most: int) -> Column:
    parts, top = [], float(HEIGHT)
    for day in days:
        height = round(HEIGHT * day.their_paid_fen / most, 1)
        top -= height
        parts.append(Part(day.kind, round(top, 1), height))
    states = {day.status for day in days}
    state = next((one for one in ("open", "fetched", "waiting", "explained", "balanced") if one in states), "none")
    return Column(
        name,
        state,
        sum(day.their_paid_fen for day in days),
        sum(day.our_paid_fen for day in days),
        sum(day.their_back_fen for day in days),
        sum(day.lines for day in days),
        sum(day.open_differences for day in days),
        sum(day.explained for day in days),
        tuple(parts),
    )


@blueprint.get("/reconciliation")
@access(Role.STAFF, rights=FINANCE)
def reconciliation_page() -> Response:
    """Thirty days: a picture, and the same as a table."""
    until = shanghai_day(request_now()) - timedelta(days=1)
    found = [day for day in queries.days(until, DAYS) if _mine(day.kind, day.merchant)]
    shown = columns(found, until)
    kinds = sorted({part.kind for column in shown for part in column.parts})
    return page(
        "reconciliation.html",
        columns=shown,
        kinds=[(kind, CHANNELS.get(kind, kind)) for kind in kinds],
        states=STATES,
        height=HEIGHT,
        width=WIDTH,
        open=sum(column.open for column in shown),
        balanced=sum(column.state in ("balanced", "explained") for column in shown),
        days=sum(column.state != "none" for column in shown),
    )


def _date(text: str) -> date:
    try:
        return day_of(text)
    except ValueError:
        raise NOT_FOUND() from None


def _bills(day: date) -> list[Bill]:
    return [bill for bill in queries.bills_of(day) if _mine(bill.kind, bill.merchant)]


@blueprint.get("/reconciliation/<day>")
@access(Role.STAFF, rights=FINANCE)
def day_page(day: str) -> Response:
    """One day, channel by channel: lines, sums of both sides, differences with what is advised."""
    return _day(_date(day))


def _day(day: date, *, status: int = 200, text: str = "", tone: str = "good") -> Response:
    bills = _bills(day)
    counted = queries.findings(bills)
    rows: list[tuple[Bill, Difference]] = [(bill, row) for bill in bills for row in queries.differences(bill)]
    open_ = cases.open_about(CASE, [f"difference:{row.id}" for _, row in rows])
    seen = seen_by(staff().staff, open_.values())
    names = staff_service.names({row.decided_by or "" for _, row in rows})
    return page(
        "reconciliation_day.html",
        status,
        day=day,
        before=day - timedelta(days=1),
        after=day + timedelta(days=1),
        bills=[(bill, counted[bill.id]) for bill in bills],
        rows=[(bill, row, open_.get(f"difference:{row.id}")) for bill, row in rows],
        seen=seen,
        names=names,
        channels=CHANNELS,
        findings=FINDINGS,
        kinds=KINDS,
        suggestions=SUGGESTIONS,
        decided=DECIDED,
        states=STATES,
        text=text,
        tone=tone,
    )


@blueprint.post("/reconciliation/<day>/resolve")
@access(Role.STAFF, rights=FINANCE)
def resolve(day: str) -> Response:
    """What is advised about a difference, by one click; the page of the case is beside it for those who want to
    read."""
    form, when = request.form, _date(day)
    try:
        outcome = cases.decide_by_staff(
            staff().staff,
            form.get("case", ""),
            form.get("decision", ""),
            note=form.get("note", ""),
            now=request_now(),
        )
    except Problem as problem:
        if problem.kind.status == 404:
            raise
        return _day(when, status=problem.kind.status, text=problem.detail, tone="bad")
    said = "已办结，两边一致或已说明。" if outcome == "decided" else "已再次查询，平台的回答与之前相同，差异还在。"
    return _day(when, text=said, tone="good" if outcome == "decided" else "bad")


@blueprint.post("/reconciliation/<day>/sheet")
@access(Role.STAFF, rights=FINANCE)
def sheet(day: str) -> Response:
    """The day as an xlsx file, for a reason."""
    when = _date(day)
    bills = _bills(when)
    if not bills:
        raise NOT_FOUND()
    try:
        reason = reason_of(request.form.get("reason", ""))
    except Problem as problem:
        return _day(when, status=problem.kind.status, text=problem.detail, tone="bad")
    with tempfile.TemporaryDirectory(prefix="day-") as folder:
        path = Path(folder) / "day.xlsx"
        lines = day_sheet.write(path, when, [bill.id for bill in bills])
        data = path.read_bytes()
    audit.record(
        staff().staff.actor,
        "reconciliation.downloaded",
        f"day:{when}",
        now=request_now(),
        reason=reason,
        lines=lines,
    )
    name = f'attachment; filename="duizhang-{when}.xlsx"'
    return Response(data, content_type=XLSX, headers={"Content-Disposition": name})
