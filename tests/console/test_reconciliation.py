"""The bills beside our books at the desk of finance: thirty days, one day, its differences, its sheet."""

from __future__ import annotations

import io
from datetime import timedelta

import openpyxl
import pytest

from app.cases import service as cases
from app.console.reconciliation_views import DAYS, HEIGHT, columns
from app.core.audit import AuditEntry
from app.core.staff import EVERYWHERE, Right
from app.pay.reconciliation import queries
from app.pay.reconciliation.models import Difference
from tests.console.test_invoices import INLINE
from tests.pay.reconciliation.mornings import a_new_platform, day_of, paid, reconciled, wechat_bill_says
from tests.pay.reconciliation.test_differences import a_stranger
from tests.staffroom import Browser, a_member, at_desk
from tests.world import World


@pytest.fixture
def desk(world: World) -> Browser:
    """Somebody of finance, everywhere: money that nobody knows belongs to no programme."""
    a_new_platform(world)
    return at_desk(world, a_member((Right.FINANCE, EVERYWHERE)))


def test_thirty_days_are_a_picture_and_a_table_that_say_the_same(world: World, desk: Browser) -> None:
    sale, other = paid(world), paid(world)
    day = day_of(sale)
    reconciled(world, day)
    page = desk.get("/console/reconciliation").text
    assert page.count("<svg") == 1
    assert page.count('class="touch"') == DAYS
    assert not INLINE.search(page)
    shown = {column.day: column for column in columns(queries.days(day, DAYS), day)}
    column = shown[day.isoformat()]
    assert (column.paid_fen, column.ours_fen, column.lines, column.open) == (40000, 40000, 2, 0)
    assert sum(part.height for part in column.parts) == pytest.approx(HEIGHT, abs=0.5)
    assert other.order.status == "paid"


def test_a_day_shows_each_channel_with_both_sums_and_what_differs(
    world: World, desk: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    day = day_of(paid(world))
    wechat_bill_says(monkeypatch, a_stranger, day)
    reconciled(world, day)
    page = desk.get(f"/console/reconciliation/{day}").text
    for word in ("微信支付", "平台有、我方没有 1", "不是本系统发起的", "400.00", "200.00"):
        assert word in page, word
    assert not INLINE.search(page)
    assert "这一天没有账单" in desk.get(f"/console/reconciliation/{day - timedelta(days=400)}").text
    assert desk.get("/console/reconciliation/yesterday").status_code == 404


def test_a_difference_is_asked_about_or_explained_by_one_click_that_is_audited(
    world: World, desk: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    day = day_of(paid(world))
    wechat_bill_says(monkeypatch, a_stranger, day)
    reconciled(world, day)
    desk.get(f"/console/reconciliation/{day}")
    (case,) = cases.open_cases("pay.difference")
    path = f"/console/reconciliation/{day}/resolve"
    asked = desk.post(path, {"case": case.id, "decision": "ask"})
    assert (asked.status_code, "差异还在" in asked.text) == (200, True)
    refused = desk.post(path, {"case": case.id, "decision": "explain", "note": ""})
    assert (refused.status_code, Difference.get().status) == (422, "open")
    done = desk.post(path, {"case": case.id, "decision": "explain", "note": "商户后台误收，已在那里退回"})
    assert ("已办结" in done.text, Difference.get().status) == (True, "explained")
    assert "商户后台误收" in desk.get(f"/console/reconciliation/{day}").text
    acts = {line.action for line in AuditEntry.select() if line.actor.startswith("staff:")}
    assert {"difference.asked", "difference.explained"} <= acts


def test_what_is_of_no_programme_is_told_to_those_of_one_and_offered_to_those_of_all(
    world: World, desk: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    sale = paid(world)
    day = day_of(sale)
    wechat_bill_says(monkeypatch, a_stranger, day)
    reconciled(world, day)
    path = f"/console/reconciliation/{day}"
    one = at_desk(world, a_member((Right.FINANCE, sale.order.programme))).get(path).text
    assert "由负责全部项目的财务处理" in one
    assert "/resolve" not in one
    every = desk.get(path).text
    assert "由负责全部项目的财务处理" not in every
    assert "/resolve" in every


def test_the_days_sheet_is_given_for_a_reason_and_written_down(world: World, desk: Browser) -> None:
    sale = paid(world)
    day = day_of(sale)
    reconciled(world, day)
    desk.get(f"/console/reconciliation/{day}")
    path = f"/console/reconciliation/{day}/sheet"
    assert desk.post(path, {"reason": ""}).status_code == 422
    answer = desk.post(path, {"reason": "月度归档"})
    sheet = openpyxl.load_workbook(io.BytesIO(answer.data)).worksheets[0]
    assert sale.attempt.out_trade_no in {cell.value for cell in sheet["D"]}
    (line,) = AuditEntry.select().where(AuditEntry.action == "reconciliation.downloaded")
    assert "月度归档" in line.data


def test_finance_of_another_programme_sees_no_bill_of_this_merchant(world: World, desk: Browser) -> None:
    day = day_of(paid(world))
    reconciled(world, day)
    elsewhere = at_desk(world, a_member((Right.FINANCE, "henan")))
    assert "三十天内还没有账单" in elsewhere.get("/console/reconciliation").text
    assert "这一天没有账单" in elsewhere.get(f"/console/reconciliation/{day}").text
    assert elsewhere.post(f"/console/reconciliation/{day}/sheet", {"reason": "不是我的"}).status_code == 404
    assert desk.get(f"/console/reconciliation/{day}").text.count("微信支付") > 0
    reviewer = at_desk(world, a_member((Right.REVIEWER, EVERYWHERE)))
    assert reviewer.get("/console/reconciliation").status_code == 403
