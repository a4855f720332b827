"""Of which days a statement tells: an order that nobody paid is closed by it, and nobody is sent back who paid in
time."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from app.cases import service as cases
from app.core.clock import utcnow
from app.core.errors import Problem
from app.pay import janitor
from app.pay.audit import audit_payments
from app.pay.transfers import decisions, queries
from app.pay.transfers import service as transfers
from app.pay.transfers.bank import covered, newly_told
from app.pay.transfers.models import Statement, StatementLine
from app.policy.days import shanghai_day
from ops import statements
from ops.invented import ACCOUNT
from tests.pay.till import in_background
from tests.pay.transfers.bank import Purchase, a_line, account, line_of, take_in, upload
from tests.world import World

DAY = timedelta(days=1)


def days(row: Statement) -> tuple[date, date]:
    return date.fromisoformat(row.first_day), date.fromisoformat(row.last_day)


def test_half_of_a_last_day_does_not_close_an_order_and_who_pays_that_evening_is_in_time(
    world: World, tmp_path: Path
) -> None:
    now = utcnow()
    bought = Purchase(now=now)
    last = shanghai_day(bought.order.expires_at)
    over = now + 9 * DAY
    noon = a_line(5, "x", day=last - DAY)
    row = take_in(tmp_path, [noon], first=shanghai_day(now), last=last, over=False, now=over)
    decisions.set_aside(line_of(noon).id, reason="rent", actor="staff:fin", now=over)
    assert days(row) == (shanghai_day(now), last - DAY)
    in_background(now=over)
    assert bought.order.status == "closing"
    take_in(tmp_path, [a_line(20000, bought.code, day=last)], now=over)
    assert (bought.order.status, audit_payments(over)) == ("paid", [])


def test_of_a_last_day_that_was_over_it_tells(world: World, tmp_path: Path) -> None:
    now = utcnow()
    bought = Purchase(now=now)
    last = shanghai_day(bought.order.expires_at)
    line = a_line(5, "x", day=last - DAY)
    take_in(tmp_path, [line], first=shanghai_day(now), last=last, now=now + 9 * DAY)
    decisions.set_aside(line_of(line).id, reason="rent", actor="staff:fin", now=now + 9 * DAY)
    in_background(now=now + 9 * DAY)
    assert bought.order.status == "closed"


def test_the_rest_of_a_last_day_is_missed_by_the_next_statement(world: World, tmp_path: Path) -> None:
    now, today = utcnow(), shanghai_day(utcnow())
    take_in(tmp_path, [a_line(5, "x", day=today)], over=False, now=now + DAY)
    draft = upload(tmp_path, [a_line(6, "x", day=today + DAY)], now=now + 2 * DAY)
    assert queries.days_missing(draft) == (today, today)
    take_in(tmp_path, [a_line(7, "x", day=today)], now=now + DAY)
    assert queries.days_missing(draft) is None


@pytest.fixture
def quiet(world: World, tmp_path: Path) -> Path:
    """The file of an account to which nothing has come since today: the same bytes every day."""
    path = tmp_path / "quiet.csv"
    statements.write(path, ACCOUNT, [a_line(5, "rent", day=shanghai_day(utcnow()))])
    return path


def shown(path: Path, now: datetime) -> Statement:
    return transfers.show(path, account(), actor="staff:fin", now=now)


def test_the_file_of_a_quiet_account_tells_of_more_days_on_a_later_one(world: World, quiet: Path) -> None:
    now, today = utcnow(), shanghai_day(utcnow())
    bought = Purchase(now=now)
    last = shanghai_day(bought.order.expires_at)
    expires: datetime = bought.order.expires_at
    over = expires + timedelta(minutes=1)
    janitor.expire_orders(now=over)
    for later in (over - DAY, over + DAY):
        row = shown(quiet, later)
        assert row.status == "draft"
        until = min(last, shanghai_day(later))
        transfers.confirm(row.id, today, until, last_day_over=True, actor="staff:fin", now=later)
    assert covered(ACCOUNT, today, last)
    assert sorted(line.status for line in StatementLine.select()) == ["open", "repeated"]
    decisions.set_aside(StatementLine.get(status="open").id, reason="rent", actor="staff:fin", now=over + DAY)
    in_background(now=over + DAY)
    transfers.look_after(now=over + DAY)
    assert (bought.order.status, cases.open_cases(), audit_payments(over + DAY)) == ("closed", [], [])


def test_the_same_file_on_the_same_day_is_the_same_statement_unless_a_day_can_still_be_told(
    world: World, quiet: Path
) -> None:
    today, later = shanghai_day(utcnow()), utcnow() + 2 * DAY
    half = shown(quiet, later)
    transfers.confirm(half.id, today, today + DAY, actor="staff:fin", now=later)
    whole = shown(quiet, later)
    assert (whole.id != half.id, whole.status) == (True, "draft")
    transfers.confirm(whole.id, today, today + DAY, last_day_over=True, actor="staff:fin", now=later)
    assert shown(quiet, later).id == whole.id
    assert shown(quiet, later + DAY).status == "draft"
    assert covered(ACCOUNT, today, today + DAY)


@pytest.mark.parametrize(("earlier", "code"), [(31, None), (32, "statement_span"), (365, "statement_span")])
def test_a_statement_begins_at_most_a_month_before_its_first_line(
    world: World, tmp_path: Path, earlier: int, code: str | None
) -> None:
    day = shanghai_day(utcnow()) - DAY
    row = upload(tmp_path, [a_line(5, "x", day=day)])
    first = day - earlier * DAY
    if code is None:
        transfers.confirm(row.id, first, day, last_day_over=True, actor="staff:fin", now=utcnow())
    else:
        with pytest.raises(Problem) as problem:
            transfers.confirm(row.id, first, day, last_day_over=True, actor="staff:fin", now=utcnow())
        assert problem.value.code == code
        assert Statement.get_by_id(row.id).status == "draft"
    assert covered(ACCOUNT, first, day) == (code is None)


@pytest.mark.parametrize(("span", "taken"), [(366, True), (367, False)])
def test_a_statement_tells_of_a_year_at_most(world: World, tmp_path: Path, span: int, taken: bool) -> None:
    last = shanghai_day(utcnow()) - DAY
    first = last - span * DAY
    row = upload(tmp_path, [a_line(5, "x", day=first), a_line(6, "y", day=last)])
    if taken:
        transfers.confirm(row.id, first, last, actor="staff:fin", now=utcnow())
    else:
        with pytest.raises(Problem) as problem:
            transfers.confirm(row.id, first, last, actor="staff:fin", now=utcnow())
        assert problem.value.code == "statement_span"
    assert (Statement.get_by_id(row.id).status == "taken") == taken


def test_what_is_told_already_or_is_not_over_is_not_newly_told(world: World, tmp_path: Path) -> None:
    today = shanghai_day(utcnow())
    take_in(tmp_path, [a_line(5, "x", day=today - 4 * DAY)])
    draft = upload(tmp_path, [a_line(6, "y", day=today - 2 * DAY)])
    assert newly_told(draft, today - 5 * DAY, today) == [today - number * DAY for number in (5, 3, 2, 1)]
    transfers.confirm(draft.id, today - 5 * DAY, today, actor="staff:fin", now=utcnow())
    assert newly_told(upload(tmp_path, [a_line(7, "z")]), today - 5 * DAY, today) == []
