"""A trainee in a browser: the login and the first screen of the front end that `make front` built."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, Page, ViewportSize, expect

from ops.browser import DESK, PHONE
from ops.stack import Stack
from ops.trainee import OWN_PASSWORD
from tests.browser.people import activated
from tests.browser.tabs import Watched, field, pleasant, press

pytestmark = pytest.mark.browser

START = "/?programme=yunnan"
TICK = "我已阅读并同意用户协议和隐私政策"


@pytest.fixture(scope="module")
def unpaid(stack: Stack) -> str:
    """The ID number of somebody who has signed up and not paid."""
    journey = activated(stack)
    journey.sign_up()
    return journey.who.id_number


def log_in(page: Page, number: str, password: str = OWN_PASSWORD) -> None:
    field(page, "身份证号").fill(number)
    field(page, "密码").fill(password)
    page.get_by_label(TICK).check()
    press(page, "登录")


@pytest.mark.parametrize("size", [PHONE, DESK])
def test_somebody_signs_in_sees_the_next_step_and_is_still_there_after_a_reload(
    watched: Watched, unpaid: str, size: ViewportSize
) -> None:
    page = watched.product(START, size)
    expect(field(page, "密码")).to_be_visible()
    pleasant(page)
    log_in(page, unpaid.lower())
    expect(page.get_by_role("heading", name="我的培训")).to_be_visible()
    expect(page.get_by_text("待缴费")).to_be_visible()
    expect(page.get_by_role("button", name="核对信息并缴费")).to_be_visible()
    expect(page.get_by_role("listitem").filter(has_text="缴费")).to_have_attribute("aria-current", "step")
    expect(page.get_by_role("main")).not_to_contain_text(unpaid)
    pleasant(page)
    page.reload()
    expect(page.get_by_text("待缴费")).to_be_visible()


def test_what_is_missing_or_wrong_is_said_at_its_field(watched: Watched) -> None:
    page = watched.product(START)
    press(page, "登录")
    expect(page.get_by_text("请填写身份证号。")).to_be_visible()
    expect(page.get_by_text("请先阅读并勾选，才能登录。")).to_be_visible()
    expect(field(page, "身份证号")).to_have_attribute("aria-invalid", "true")
    log_in(page, "123", "wrong-1")
    expect(page.get_by_text("身份证号应为 18 位").first).to_be_visible()
    log_in(page, "530102197102160026", "wrong-1")
    expect(page.get_by_role("alert")).to_contain_text("身份证号或密码不正确，请核对后重试")
    press(page, "显示密码")
    expect(field(page, "密码")).to_have_attribute("type", "text")
    pleasant(page)


def test_the_keyboard_alone_logs_in(watched: Watched, unpaid: str) -> None:
    page = watched.product(START)
    field(page, "身份证号").focus()
    page.keyboard.type(unpaid)
    page.keyboard.press("Tab")
    page.keyboard.type(OWN_PASSWORD)
    for _ in range(2):  # past "show the password"
        page.keyboard.press("Tab")
    page.keyboard.press("Space")
    field(page, "密码").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("待缴费")).to_be_visible()


def height(what: Locator) -> float:
    box = what.bounding_box()
    assert box is not None
    return box["height"]


def test_big_text_is_larger_has_larger_targets_and_is_remembered(watched: Watched) -> None:
    page = watched.product(START)
    button = page.get_by_role("button", name="登录", exact=True)
    button.wait_for()
    assert height(button) >= 48
    press(page, "字大一点")
    page.reload()
    button.wait_for()
    assert height(button) >= 60
    assert page.evaluate("parseFloat(getComputedStyle(document.querySelector('.z-page')).fontSize)") >= 20
    pleasant(page)


def test_without_a_network_the_first_screen_opens_as_it_was_and_is_gone_after_the_sign_out(
    watched: Watched, unpaid: str
) -> None:
    page = watched.product(START)
    log_in(page, unpaid)
    expect(page.get_by_text("待缴费")).to_be_visible()
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    page.context.set_offline(True)
    page.reload()
    expect(page.get_by_text("没有刷新成功")).to_be_visible(timeout=30_000)
    expect(page.get_by_text("待缴费")).to_be_visible()
    expect(page.get_by_text("没有网络，连上网后会自动继续")).to_be_visible()
    watched.complaints.clear()  # the browser's own, of requests without a network
    page.context.set_offline(False)
    expect(page.get_by_text("没有刷新成功")).to_be_hidden(timeout=30_000)
    press(page, "设置")
    press(page, "退出登录")
    press(page, "退出这台设备")
    expect(page.get_by_role("heading", name="登录", exact=True)).to_be_visible()
    assert page.evaluate("Object.keys(localStorage).filter(key => /home|token/.test(key))") == []


# whether the service worker has every file that it names
ALL_KEPT = """async () => {
    const worker = await (await fetch('/service-worker.js')).text()
    const named = new Set(worker.match(/\\/assets\\/[^"]+/g))
    const kept = await (await caches.open((await caches.keys())[0])).keys()
    kept.forEach(one => named.delete(new URL(one.url).pathname))
    return named.size === 0
}"""


def test_every_screen_opens_without_a_network_also_one_that_was_not_looked_at(watched: Watched) -> None:
    page = watched.product(START)
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    page.reload()  # what is left is fetched while the page is there
    for _ in range(90):
        if page.evaluate(ALL_KEPT):
            break
        page.wait_for_timeout(1_000)
    else:
        pytest.fail("the service worker has not fetched every file")
    page.context.set_offline(True)
    page.goto(f"{watched.stack.base_url}/#/pkg-account/download/download")
    expect(page.get_by_role("heading", name="手机上使用", level=1)).to_be_visible()
    watched.complaints.clear()
    page.context.set_offline(False)


def test_an_address_from_outside_leads_to_the_login_first(watched: Watched) -> None:
    page = watched.product("/?order=6avdc0000000000")
    expect(page.get_by_role("heading", name="登录", exact=True)).to_be_visible()
    assert "order=" not in page.url.partition("#")[0]


def test_who_guessed_too_often_reads_how_long_to_wait_and_another_account_waits_for_nothing(watched: Watched) -> None:
    page = watched.product(START)
    waits = page.get_by_role("button", name="后再试")
    for _ in range(6):
        if waits.count():
            break
        log_in(page, "530102197102160026", "wrong-1")
        expect(page.get_by_role("alert")).to_contain_text("密码")
        expect(page.locator("[aria-busy]")).to_have_count(0)
    expect(waits).to_be_disabled()
    expect(page.get_by_role("alert")).to_contain_text("请在")
    pleasant(page)
    field(page, "身份证号").fill("530102199001011234")
    expect(page.get_by_role("button", name="登录", exact=True)).to_be_enabled()


def test_whose_new_password_got_no_answer_is_led_to_trying_it(watched: Watched) -> None:
    page = watched.product("/?programme=yunnan#/pkg-account/forgotten/forgotten")
    field(page, "身份证号").fill("530102197102160026")
    field(page, "短信验证码").fill("123456")
    field(page, "新密码").fill("better-2026")
    field(page, "再填一次新密码").fill("better-2026")
    page.route("**/api/v1/password-reset", lambda route: route.abort())
    press(page, "设为新密码")
    expect(page.get_by_text("密码可能已经改好")).to_be_visible()
    watched.complaints.clear()
    press(page, "用新密码登录试试")
    expect(page.get_by_role("heading", name="登录", level=1)).to_be_visible()


def test_the_keyboards_fit_what_is_typed(watched: Watched) -> None:
    page = watched.product("/?programme=yunnan#/pkg-account/forgotten/forgotten")
    number, code = field(page, "身份证号"), field(page, "短信验证码")
    expect(number).to_have_attribute("autocapitalize", "characters")  # it may end in X
    expect(number).to_have_attribute("inputmode", "text")
    expect(code).to_have_attribute("inputmode", "numeric")
    expect(code).to_have_attribute("autocomplete", "one-time-code")
