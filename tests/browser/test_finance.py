"""Finance's day in a browser: the bills of yesterday, an invoice that is held, one corrected by two, a ZIP."""

from __future__ import annotations

import zipfile
from datetime import timedelta
from pathlib import Path

import openpyxl
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from app.core.clock import utcnow
from app.core.staff import EVERYWHERE, Right
from app.invoice.finance import bundles
from app.invoice.models import Invoice
from app.invoice.status import Status
from app.pay.reconciliation.models import Bill, Difference
from app.staff import sessions
from app.staff.models import Member
from ops.browser import DESK
from tests.browser.tabs import NAMELESS, WIDE
from tests.invoice.desk import a_paid_sale, at_once, the_invoice, work
from tests.invoice.reds import go_on
from tests.pay.reconciliation.mornings import a_new_platform, day_of, reconciled, wechat_bill_says
from tests.pay.reconciliation.test_differences import a_stranger
from tests.pay.till import lose_letters
from tests.staffroom import a_member
from tests.world import World

pytestmark = pytest.mark.browser
SMALL_DESK = {"width": 1024, "height": 768}


def signed_in(browser: Browser, world: World, member: Member) -> tuple[BrowserContext, Page, list[str]]:
    """A member's own browser, in which they have signed in; and what its console complains about."""
    context = browser.new_context(locale="zh-CN", viewport=DESK, accept_downloads=True)
    cookie = sessions.open_session(member, "full", now=utcnow())
    context.add_cookies([{"name": "staff", "value": cookie, "url": world.settings.public_url}])
    complaints: list[str] = []
    context.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    page = context.new_page()
    page.set_default_timeout(15_000)
    return context, page, complaints


def look(page: Page, name: str) -> None:
    """Nothing sticks out, everything has a name, on a small desk too. `name`: of the screen, for whoever reads the
    failure."""
    for size in (SMALL_DESK, DESK):
        page.set_viewport_size(size)  # type: ignore[arg-type]
        assert page.evaluate(WIDE) == 0, name
    assert page.evaluate(NAMELESS) == [], name


def test_the_day_of_finance(world: World, browser: Browser, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    at_once(world)
    lose_letters(world)
    a_new_platform(world)
    ready = a_paid_sale(world)
    row = work(ready)
    waiting = a_paid_sale(world)
    day = day_of(ready)
    wechat_bill_says(monkeypatch, a_stranger, day)
    reconciled(world, day)
    world.sandbox.box.clock.offset = 0.0
    first = a_member((Right.FINANCE, EVERYWHERE), name="赵会计")
    context, page, complaints = signed_in(browser, world, first)
    base = world.settings.public_url

    # the bills of yesterday, and of the days before
    for back in range(1, 20):
        for kind, fen in (("wechatpay", 400_00), ("alipay", 200_00 * (back % 4)), ("unionpay", 200_00 * (back % 2))):
            paid = {"paid_fen": fen, "our_paid_fen": fen, "lines": fen // 200_00}
            name = (day - timedelta(days=back)).isoformat()
            Bill.create(kind=kind, merchant=f"yunnan.{kind}", day=name, status="balanced", **paid)
    page.goto(f"{base}/console/reconciliation")
    look(page, "thirty days")
    page.goto(f"{base}/console/reconciliation/{day}")
    look(page, "one day")
    page.get_by_role("button", name="再查询一次").click()
    expect(page.get_by_role("alert").filter(has_text="再次查询")).to_contain_text("差异还在")
    page.get_by_text("已查明，说明原因").click()
    page.get_by_placeholder("原因和处理结果").fill("商户后台误收，已在那里退回")
    page.get_by_role("button", name="结案").click()
    expect(page.get_by_role("status")).to_contain_text("已办结")
    assert Difference.get().status == "explained"
    page.get_by_placeholder("下载原因").fill("月度归档")
    with page.expect_download() as download:
        page.get_by_role("button", name="下载明细").click()
    download.value.save_as(tmp_path / "day.xlsx")
    assert openpyxl.load_workbook(tmp_path / "day.xlsx").worksheets[0].max_row == 4

    # an invoice is held, and goes on
    page.get_by_role("link", name="发票", exact=True).click()
    look(page, "invoices")
    page.goto(f"{base}/console/invoices/{the_invoice(waiting).id}")
    look(page, "an invoice that waits")
    page.get_by_label("暂缓原因").fill("核对付款人")
    page.get_by_role("button", name="暂缓开票").click()
    expect(page.get_by_role("status")).to_contain_text("已暂缓")
    page.get_by_label("放行原因").fill("核对无误")
    page.get_by_role("button", name="放行开票").click()
    expect(page.get_by_role("status")).to_contain_text("已放行")
    assert the_invoice(waiting).hold is None

    # one is corrected: put forward, decided, confirmed by a colleague
    page.goto(f"{base}/console/invoices/{row.id}")
    page.get_by_label("更正原因").fill("商品名称开错")
    page.get_by_role("button", name="申请更正").click()
    page.get_by_role("link", name="打开申请").click()
    expect(page.get_by_text("由您处理中")).to_be_visible()
    look(page, "the case of a correction")
    page.locator("#work:not([aria-busy])").wait_for()
    page.get_by_role("button", name="同意：红冲并重开").click()
    expect(page.get_by_text("等待另一位同事复核")).to_be_visible()
    theirs, other, _ = signed_in(browser, world, a_member((Right.FINANCE, EVERYWHERE), name="孙会计"))
    other.goto(f"{base}/console/queues/invoice.correction/next")
    expect(other.get_by_text("赵会计 提出")).to_be_visible()
    other.locator("#work:not([aria-busy])").wait_for()
    other.get_by_role("button", name="同意，执行").click()
    expect(other.get_by_text("已复核并执行")).to_be_visible()
    go_on()
    assert Invoice.get_by_id(row.id).status == Status.REVERSED
    new = work(ready)
    assert new.status == Status.READY
    page.goto(f"{base}/console/invoices/{row.id}")
    expect(page.get_by_text("红字发票已开")).to_have_count(2)
    look(page, "an invoice that was taken back")

    # many in one file
    page.goto(f"{base}/console/invoices")
    page.get_by_text("把符合条件的已开发票打包下载").click()
    page.get_by_placeholder("打包原因").fill("三月归档")
    page.get_by_role("button", name="打包", exact=True).click()
    expect(page.get_by_text("等待打包")).to_be_visible()
    bundles.work(now=utcnow())
    expect(page.get_by_text("可以下载")).to_be_visible()
    look(page, "bundles")
    with page.expect_download() as download:
        page.get_by_role("link", name="三月归档").click()
    download.value.save_as(tmp_path / "all.zip")
    with zipfile.ZipFile(tmp_path / "all.zip") as archive:
        issued = {f"{one.number}.pdf" for one in Invoice.select().where(Invoice.status == Status.READY)}
        assert f"{new.number}.pdf" in issued  # the one that was held and went on is there too
        assert set(archive.namelist()) == issued | {"目录.xlsx"}
    assert complaints == []
    context.close()
    theirs.close()
