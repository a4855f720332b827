"""Staff at their desks: a reviewer decides by keyboard, two administrators, what a hostile page cannot do."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from playwright.sync_api import Page, expect

from config.settings import ROOT
from ops.browser import DESK
from ops.demo.staff import PASSWORD
from ops.stack import Stack
from tests.browser.tabs import NAMELESS, WIDE, Watched, field, press

pytestmark = pytest.mark.browser
SMALL_DESK = {"width": 1024, "height": 768}
PHONE = {"width": 390, "height": 844}


def code_of(stack: Stack, login: str) -> str:
    """What the authenticator of one of the demonstration's staff shows."""
    names = ("PATH", "HOME", "LANG")
    environment = {name: os.environ[name] for name in names if name in os.environ}
    environment |= {"DATA_DIR": str(stack.directory), "PORT": str(stack.port), "LOG_LEVEL": "ERROR"}
    shown = subprocess.run(
        [sys.executable, "-m", "ops.demo.staff"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return next(line.split()[-1] for line in shown.stdout.splitlines() if line.split()[:1] == [login])


def sign_in(watched: Watched, login: str) -> Page:
    """At the desk, by password and second factor."""
    return enter(watched, watched.product("/console/sign-in", DESK), login)


def enter(watched: Watched, page: Page, login: str) -> Page:
    """Sign in on the page that asks for it."""
    field(page, "账号").fill(login)
    field(page, "密码").fill(PASSWORD)
    press(page, "下一步")
    field(page, "验证码").fill(code_of(watched.stack, login))
    press(page, "登录")
    expect(page.get_by_role("heading", name="我的队列")).to_be_visible()
    return page


def orderly(page: Page) -> None:
    """Everything has a name for a screen reader, and nothing sticks out, on a small desk and on a phone too."""
    for size in (PHONE, SMALL_DESK, DESK):
        page.set_viewport_size(size)  # type: ignore[arg-type]
        assert page.evaluate(WIDE) == 0
    assert page.evaluate(NAMELESS) == []


def case_of(page: Page) -> str:
    """Which case lies on the desk."""
    return str(page.locator("#work").get_attribute("data-case"))


def decide(page: Page, key: str) -> None:
    """Press a key of the case, once there was time for a glance at it."""
    page.locator("#work:not([aria-busy])").wait_for()
    page.keyboard.press(key)


def test_a_reviewer_decides_by_keyboard(watched: Watched) -> None:
    page = sign_in(watched, "shenhe")
    orderly(page)
    page.get_by_role("link", name="开始处理").first.click()
    expect(page.get_by_text("由您处理中")).to_be_visible()
    expect(page.get_by_role("img", name="上传的照片")).to_be_visible()
    orderly(page)
    first = case_of(page)

    page.keyboard.press("j")
    expect(page.locator(f'#work[data-case="{first}"]')).to_have_count(0)
    page.keyboard.press("k")
    expect(page.locator(f'#work[data-case="{first}"]')).to_have_count(1)

    decide(page, "1")
    expect(page.get_by_text("已办结：确认")).to_be_visible()
    second = case_of(page)
    assert second != first
    assert page.url.endswith(second), "the address names the case that is shown"

    page.keyboard.press("2")
    expect(page.get_by_text("选择原因")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_text("选择原因")).to_be_hidden()
    page.keyboard.press("2")
    page.keyboard.press("3")
    expect(page.get_by_text("您的照片审核结果：退回。照片中戴有帽子")).to_be_visible()
    decide(page, "Enter")
    expect(page.get_by_text("已办结：退回")).to_be_visible()

    page.goto(f"{watched.stack.base_url}/console/done")
    expect(page.get_by_text("退回：照片中戴有帽子")).to_be_visible()
    orderly(page)


# a worn key: pressed once, it says so three times, and the page hears it when it comes to it
BOUNCING = """async () => {
    const key = () => new KeyboardEvent("keydown", { key: "1", bubbles: true, cancelable: true });
    for (const one of [key(), key(), key()]) {
        document.body.dispatchEvent(one);
        await new Promise((done) => setTimeout(done, 200));
    }
}"""


def test_cases_are_decided_by_a_key_each_and_a_key_that_bounces_is_one_decision(watched: Watched) -> None:
    page = sign_in(watched, "guanli2")  # a code is good once: somebody who has not used this one
    page.get_by_role("link", name="开始处理").first.click()
    expect(page.get_by_text("由您处理中")).to_be_visible()
    loads: list[str] = []
    page.on("framenavigated", lambda frame: loads.append(frame.url))
    page.wait_for_load_state("networkidle")
    count = 5
    for _ in range(count):
        before = case_of(page)
        page.locator("#work:not([aria-busy])").wait_for()
        page.evaluate(BOUNCING)
        page.locator(f'#work:not([data-case="{before}"])').wait_for()
        page.get_by_role("img", name="上传的照片").wait_for()
    expect(page.get_by_text("由您处理中")).to_be_visible()
    assert all("/console/cases/" in url for url in loads), "no other page is loaded in between"
    page.goto(f"{watched.stack.base_url}/console/done")
    expect(page.get_by_role("row").filter(has_text="照片审核")).to_have_count(count)


def test_an_administrator_makes_an_account(watched: Watched) -> None:
    page = sign_in(watched, "guanli")
    page.get_by_role("link", name="工作人员").click()
    orderly(page)
    field(page, "登录账号").fill("fang.wang")
    field(page, "姓名").fill("<svg onload=alert(1)>")
    field(page, "权限").select_option("reviewer")
    field(page, "项目").select_option("yunnan")
    press(page, "新建")
    link = page.locator("code.secret").inner_text()
    expect(page.get_by_role("heading", name="<svg onload=alert(1)>")).to_be_visible()
    page.locator("code.secret").evaluate(
        "(code, link) => { code.textContent = link.replace(/[^a-z0-9]/gi, 'x') }", link
    )
    orderly(page)  # whatever the secret is: a link without a hyphen to break at, too
    theirs = watched.product(link.removeprefix(watched.stack.base_url), DESK)
    for label in ("新密码", "再输入一次"):
        field(theirs, label).fill("vier pferde im wald")
    press(theirs, "保存并继续")
    expect(theirs.get_by_role("img", name="验证器二维码")).to_be_visible()
    orderly(theirs)
