"""An administrator's working day in a browser: somebody new comes, gets roles, loses an authenticator, leaves; the
rules, the calendar, the figures, a list to take away, and what of it is written down."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from app.core.clock import utcnow
from app.core.staff import EVERYWHERE, Right
from app.reports import service as reports
from app.reports.models import Export
from app.staff.models import Member
from ops.browser import DESK, PHONE
from tests import factories
from tests.browser.tabs import NAMELESS, WIDE, field, press
from tests.browser.test_finance import look, signed_in
from tests.console.desks import a_photo_case
from tests.staffroom import PASSWORD, a_member, code_of
from tests.world import World

pytestmark = pytest.mark.browser


def seen(page: Page, name: str) -> None:
    """Nothing sticks out, on a phone either: administrators are called at home."""
    look(page, name)
    page.set_viewport_size(PHONE)
    assert page.evaluate(WIDE) == 0, name
    assert page.evaluate(NAMELESS) == [], name
    page.set_viewport_size(DESK)


def listened_to(context: BrowserContext, complaints: list[str]) -> BrowserContext:
    """What its pages complain of on the console, they say here."""
    context.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    context.on("weberror", lambda error: complaints.append(str(error.error)))
    return context


def new_account(page: Page, login: str, name: str, right: str) -> str:
    """Make it; gives the link that is shown once."""
    page.get_by_role("link", name="工作人员", exact=True).click()
    field(page, "登录账号").fill(login)
    field(page, "姓名").fill(name)
    page.get_by_label("权限").select_option(label=right)
    page.get_by_label("项目").select_option("yunnan")
    press(page, "新建")
    expect(page.get_by_role("heading", name=name)).to_be_visible()
    return page.locator("code.secret").inner_text()


def sign_in(page: Page, login: str) -> None:
    """By the password; the second factor is asked for next."""
    field(page, "账号").fill(login)
    field(page, "密码").fill(PASSWORD)
    press(page, "下一步")


def set_up(page: Page, login: str) -> None:
    """Scan the code with the authenticator, and keep what is for the day it is lost."""
    expect(page.get_by_role("img", name="验证器二维码")).to_be_visible()
    Member.update(totp_step=0).where(Member.login == login).execute()  # a code is good once: half a minute has passed
    field(page, "验证码").fill(code_of(Member.get(Member.login == login)))
    press(page, "绑定并登录")
    expect(page.get_by_role("heading", name="请保存恢复码")).to_be_visible()


def right(page: Page, button: str, title: str) -> None:
    """Give or take a right in yunnan."""
    if button == "授予":
        page.get_by_label("权限").select_option(label=title)
        page.get_by_label("项目").select_option("yunnan")
        press(page, button)
    else:
        page.get_by_role("row").filter(has_text=title).get_by_role("button", name=button).click()


def test_somebody_new_comes_gets_roles_loses_the_authenticator_and_leaves(world: World, browser: Browser) -> None:
    chief = a_member((Right.ADMINISTRATOR, EVERYWHERE), name="陈主任")
    context, page, complaints = signed_in(browser, world, chief)
    base = world.settings.public_url
    page.goto(f"{base}/console/")
    link = new_account(page, "fang.wang", "王方", "教务")
    seen(page, "a new account and its link")
    member = Member.get(Member.login == "fang.wang")

    # the newcomer comes in by the link
    theirs = listened_to(browser.new_context(locale="zh-CN", viewport=DESK), complaints)
    their = theirs.new_page()
    their.set_default_timeout(15_000)
    their.goto(link)
    for label in ("新密码", "再输入一次"):
        field(their, label).fill(PASSWORD)
    press(their, "保存并继续")
    seen(their, "the second factor is set up")
    set_up(their, "fang.wang")
    seen(their, "recovery codes")
    their.get_by_role("link", name="已经保存，进入工作台").click()
    menu = their.get_by_role("navigation", name="主导航")
    expect(menu.get_by_role("link", name="教务")).to_be_visible()
    expect(menu.get_by_role("link", name="发票")).to_have_count(0)

    # roles by programme: given and taken, from the next click on
    member_page = f"{base}/console/staff/{member.id}"
    page.goto(member_page)
    right(page, "授予", "财务")
    expect(page.get_by_role("row").filter(has_text="财务")).to_contain_text("云南")
    their.reload()
    expect(menu.get_by_role("link", name="发票")).to_be_visible()
    right(page, "收回", "财务")
    expect(page.get_by_role("row").filter(has_text="财务")).to_have_count(0)
    assert their.goto(f"{base}/console/invoices").status == 403  # type: ignore[union-attr]
    expect(their.get_by_role("heading", level=1)).to_be_visible()

    # a lost authenticator: two administrators
    field(page, "如何核实了本人").fill("当面核对了工作证")
    press(page, "申请重置")
    expect(page.get_by_role("status")).to_contain_text("等待另一位管理员同意")
    agrees(browser, world, base, complaints)
    their.goto(f"{base}/console/")
    sign_in(their, "fang.wang")
    set_up(their, "fang.wang")

    # gone: out at once, on every device
    second = another_device(browser, theirs, complaints)
    page.goto(member_page)
    seen(page, "an account")
    press(page, "停用账号")
    expect(page.get_by_role("heading", level=1)).to_contain_text("停用 ")
    seen(page, "who is disabled")
    press(page, "确认停用")
    expect(page.get_by_text("已停用，不能登录。")).to_be_visible()
    for open_ in (their, second):
        open_.goto(f"{base}/console/courses")
        expect(open_.get_by_role("heading", name="工作人员登录")).to_be_visible()
    sign_in(their, "fang.wang")
    expect(their.get_by_role("alert")).to_be_visible()
    press(page, "重新启用")
    expect(page.get_by_role("button", name="停用账号")).to_be_visible()

    # what of it is written down
    history = page.locator("section.history")
    for line in ("财务 · 云南省建筑施工从业人员继续教育", "当面核对了工作证"):
        expect(history).to_contain_text(line)
    assert [said for said in complaints if "status of 4" not in said] == []
    for one in (context, theirs):
        one.close()


def agrees(browser: Browser, world: World, base: str, complaints: list[str]) -> None:
    """A colleague looks at the request and agrees."""
    context, page, theirs = signed_in(browser, world, a_member((Right.ADMINISTRATOR, EVERYWHERE), name="吴主任"))
    page.goto(f"{base}/console/queues/staff.second_factor/next")
    expect(page.get_by_role("region", name="证据")).to_contain_text("当面核对了工作证")
    page.locator("#work:not([aria-busy])").wait_for()
    page.get_by_role("button", name="同意重置").click()
    expect(page.get_by_text("都处理完了")).to_be_visible()
    complaints += theirs
    context.close()


def another_device(browser: Browser, device: BrowserContext, complaints: list[str]) -> Page:
    """The same session in another window."""
    context = browser.new_context(locale="zh-CN", viewport=DESK, storage_state=device.storage_state())
    listened_to(context, complaints)
    page = context.new_page()
    page.set_default_timeout(15_000)
    return page


def test_rules_calendar_figures_and_a_list_to_take_away(world: World, browser: Browser, tmp_path: Path) -> None:
    person = factories.a_person(name="欧阳海燕")
    factories.an_enrolment(person)
    a_photo_case(person)
    reports.reckon(now=utcnow())
    chief = a_member((Right.ADMINISTRATOR, EVERYWHERE), name="陈主任")
    context, page, complaints = signed_in(browser, world, chief)
    base = world.settings.public_url
    page.goto(f"{base}/console/")
    menu = page.get_by_role("navigation", name="主导航")

    # a programme's rules, as sentences
    menu.get_by_role("link", name="教务").click()
    page.get_by_role("link", name="项目规则").click()
    seen(page, "programmes")
    card = page.locator("section.card").filter(has=page.get_by_role("heading", name="云南省建筑施工从业人员继续教育"))
    card.get_by_role("link", name="看规则").first.click()
    expect(page.locator(".chapter").first.get_by_role("listitem").first).to_contain_text("。")
    seen(page, "a programme")

    # a day that the state told late
    menu.get_by_role("link", name="基础数据").click()
    page.get_by_role("link", name="法定节假日与调休").click()
    page.get_by_role("link", name="录入").click()
    field(page, "日期").fill("2027-02-06")
    page.get_by_label("这一天").select_option(label="上班")
    field(page, "依据（例如通知的文号）").fill("国办发明电〔2026〕9 号")
    seen(page, "a day's form")
    press(page, "保存")
    expect(page.get_by_role("row").filter(has_text="2027-02-06")).to_contain_text("上班")
    seen(page, "the days")
    page.get_by_role("row").filter(has_text="2027-02-06").get_by_role("button", name="删除").click()
    expect(page.get_by_text("还没有录入")).to_be_visible()
    expect(page.locator("section.history")).to_contain_text("国办发明电〔2026〕9 号")

    # how it stands
    menu.get_by_role("link", name="看板").click()
    expect(page.get_by_role("heading", name="从报名到合格")).to_be_visible()
    seen(page, "figures")

    # a list: not without a reason, masked, written down
    menu.get_by_role("link", name="导出").click()
    page.get_by_label("内容").select_option(label="报名")
    page.get_by_label("格式").select_option("csv")
    field(page, "用途（至少 5 个字，会记入审计）").fill("给主管部门报送名单")
    seen(page, "exports")
    press(page, "生成文件")
    expect(page.get_by_role("row").filter(has_text="给主管部门报送名单")).to_be_visible()
    assert reports.make_export(Export.get().id, now=utcnow())
    with page.expect_download() as download:
        page.get_by_role("link", name="下载 csv").click()
    download.value.save_as(tmp_path / "list.csv")
    (row,) = list(csv.reader(io.StringIO((tmp_path / "list.csv").read_text("utf-8-sig"))))[1:]
    assert "欧**燕" in row
    assert person.id_number not in row
    assert complaints == []
    context.close()
