"""Finance at its desk: invoices found, held, put forward, packed; the bills of a day, and what does not match."""

from __future__ import annotations

import io
import re
import zipfile

import openpyxl
import pytest

from app.cases import service as cases
from app.core import outbox
from app.core.audit import AuditEntry
from app.core.clock import utcnow
from app.core.staff import Right
from app.invoice import issuing
from app.invoice.finance import bundles
from app.invoice.models import Bundle, Invoice
from app.invoice.status import Status
from tests.invoice.desk import a_paid_sale, at_once, due, the_invoice, work
from tests.pay.till import lose_letters
from tests.staffroom import Browser, a_member, at_desk
from tests.world import World

INLINE = re.compile(r"<(?:script(?![^>]*\bsrc=)|style)\b|\sstyle=|\son[a-z]+=")


@pytest.fixture
def desk(world: World) -> Browser:
    """Somebody of yunnan's finance; the vendor is quick."""
    at_once(world)
    lose_letters(world)
    return at_desk(world, a_member((Right.FINANCE, "yunnan")))


def acts() -> list[str]:
    """What staff did, in order."""
    return [line.action for line in AuditEntry.select().order_by(AuditEntry.id) if line.actor.startswith("staff:")]


def test_an_invoice_is_found_by_its_payer_and_the_name_is_masked(world: World, desk: Browser) -> None:
    sale, other = a_paid_sale(world), a_paid_sale(world)
    first, second = the_invoice(sale), the_invoice(other)
    page = desk.get("/console/invoices").text
    assert (first.id in page, second.id in page, sale.person.name in page) == (True, True, False)
    page = desk.post("/console/invoices", {"payer": sale.order_id}).text
    assert (first.id in page, second.id in page) == (True, False)
    wrong = desk.post("/console/invoices", {"state": "ready", "since": "x"})
    assert wrong.status_code == 422
    assert "请用日历选择日期" in wrong.text
    page = desk.post("/console/invoices", {"state": "ready"}).text
    assert "没有符合条件的发票" in page
    assert not INLINE.search(page)


def test_one_is_held_and_released_with_a_reason_and_it_is_audited(world: World, desk: Browser) -> None:
    row = the_invoice(sale := a_paid_sale(world))
    desk.get(f"/console/invoices/{row.id}")
    refused = desk.post(f"/console/invoices/{row.id}/hold", {"reason": " "})
    assert (refused.status_code, the_invoice(sale).hold) == (422, None)
    assert "已暂缓" in desk.post(f"/console/invoices/{row.id}/hold", {"reason": "核对付款人"}).text
    issuing.work(now=due(sale))
    assert (the_invoice(sale).status, the_invoice(sale).hold) == (Status.WAITING, "finance")
    assert "已放行" in desk.post(f"/console/invoices/{row.id}/release", {"reason": "核对无误"}).text
    assert work(sale).status == Status.READY
    late = desk.post(f"/console/invoices/{row.id}/hold", {"reason": "太晚了"})
    assert (late.status_code, "已经送去开具" in late.text) == (409, True)
    assert acts() == ["invoice.held", "invoice.released"]


def test_a_programme_that_is_held_sends_none_and_the_payer_reads_why(world: World, desk: Browser) -> None:
    sale = a_paid_sale(world)
    desk.get("/console/invoices")
    assert desk.post("/console/invoices/programmes/yunnan/hold", {"reason": "月末核账"}).status_code == 303
    issuing.work(now=due(sale))
    assert the_invoice(sale).status == Status.WAITING
    page = desk.get("/console/invoices").text
    assert ("月末核账" in page, "恢复开票" in page) == (True, True)
    assert the_invoice(sale).id in desk.post("/console/invoices", {"state": "held"}).text
    assert desk.post("/console/invoices/programmes/henan/hold", {"reason": "不是我的"}).status_code == 404
    assert desk.post("/console/invoices/programmes/yunnan/release", {"reason": "核完了"}).status_code == 303
    assert work(sale).status == Status.READY
    assert acts() == ["invoices.held", "invoices.released"]


def test_a_correction_that_finance_wants_is_decided_by_two(world: World, desk: Browser) -> None:
    row = work(sale := a_paid_sale(world))
    desk.get(f"/console/invoices/{row.id}")
    assert "已提交" in desk.post(f"/console/invoices/{row.id}/correct", {"reason": "税率开错"}).text
    (case,) = cases.open_cases("invoice.correction")
    page = desk.get(f"/console/cases/{case.id}").text
    assert ("税率开错" in page, "需复核" in page, sale.person.name in page) == (True, True, False)
    desk.post(f"/console/cases/{case.id}/decide", {"decision": "correct"})
    assert the_invoice(sale).status == Status.READY
    desk.post(f"/console/cases/{case.id}/confirm")
    assert cases.open_cases("invoice.correction")[0].status == "second_look", "not by the same person"
    other = at_desk(world, a_member((Right.FINANCE, "yunnan"), name="李明"))
    other.get(f"/console/cases/{case.id}")
    other.post(f"/console/cases/{case.id}/confirm")
    assert cases.open_cases("invoice.correction") == []
    assert "红冲中" in desk.get("/console/invoices").text


def test_the_file_itself_is_seen_by_finance_and_written_down(world: World, desk: Browser) -> None:
    row = work(a_paid_sale(world))
    answer = desk.get(f"/console/invoices/{row.id}/pdf")
    assert (answer.data[:5], acts()) == (b"%PDF-", ["invoice.viewed"])


def test_many_are_packed_by_a_job_and_taken_away(world: World, desk: Browser) -> None:
    row = work(a_paid_sale(world))
    desk.get("/console/invoices")
    assert desk.post("/console/invoices/bundles", {"reason": ""}).status_code == 422
    assert desk.post("/console/invoices/bundles", {"reason": "三月归档", "programme": "yunnan"}).status_code == 303
    page = desk.get("/console/invoices/bundles").text
    assert ("等待打包" in page, 'hx-trigger="load delay:2s"' in page) == (True, True)
    bundles.work(now=utcnow())
    page = desk.get("/console/invoices/bundles").text
    assert ("1 / 1" in page, "hx-trigger" in page) == (True, False)
    bundle = Bundle.get()
    with zipfile.ZipFile(io.BytesIO(desk.get(f"/console/invoices/bundles/{bundle.id}/file").data)) as archive:
        assert set(archive.namelist()) == {f"{row.number}.pdf", "目录.xlsx"}
        sheet = openpyxl.load_workbook(io.BytesIO(archive.read("目录.xlsx"))).worksheets[0]
        assert sheet.cell(2, 1).value == row.number
    other = at_desk(world, a_member((Right.FINANCE, "yunnan"), name="李明"))
    assert other.get(f"/console/invoices/bundles/{bundle.id}/file").status_code == 404


def test_of_another_programme_finance_sees_nothing(world: World, desk: Browser) -> None:
    row = work(a_paid_sale(world))
    elsewhere = at_desk(world, a_member((Right.FINANCE, "henan")))
    assert row.id not in elsewhere.get("/console/invoices").text
    for path in ("", "/pdf"):
        assert elsewhere.get(f"/console/invoices/{row.id}{path}").status_code == 404
    elsewhere.get("/console/invoices")
    assert elsewhere.post(f"/console/invoices/{row.id}/hold", {"reason": "不是我的"}).status_code == 404
    assert Invoice.get_by_id(row.id).hold is None
    outbox.sweep(now=utcnow())
