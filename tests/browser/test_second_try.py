"""A screen that did not open at first, and is tried again, is as if it had opened at once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from ops.browser import PHONE
from ops.client import Client
from ops.stack import Stack
from ops.trainee import OWN_PASSWORD, Journey
from tests.browser.people import activated
from tests.browser.tabs import field, pleasant, press

pytestmark = pytest.mark.browser

FIRM = {"kind": "enterprise", "title": "云南建工第四建设有限公司", "taxpayer_number": "91530000216520010W"}


@pytest.fixture
def payer(stack: Stack) -> Journey:
    """Somebody who may sign up and has not; an enterprise pays for them."""
    journey = activated(stack)
    journey.client.put("/api/v1/payer", FIRM)
    return journey


@pytest.fixture
def page(stack: Stack, browser: Browser, payer: Journey) -> Iterator[Page]:
    """Their phone."""
    context = browser.new_context(locale="zh-CN", viewport=PHONE)
    context.set_default_timeout(20_000)
    who = {"programme": "yunnan", "id_number": payer.who.id_number, "password": OWN_PASSWORD, "channel": "web"}
    token = Client(stack.base_url).post("/api/v1/login", who)["token"]
    context.add_init_script(f"localStorage.setItem('session.token', '{token}')")
    context.add_init_script("localStorage.setItem('settings.programme', 'yunnan')")
    yield context.new_page()
    context.close()


def open_at_the_second_try(page: Page, stack: Stack, path: str, calls: str) -> None:
    """Open the screen at `path` while no call of `calls` gets through; then the network is back, and the person tries
    again."""
    page.route(calls, lambda route: route.abort())
    page.goto(f"{stack.base_url}/#/{path}")
    expect(page.get_by_text("没有连上网络").first).to_be_visible()
    page.unroute(calls)
    page.get_by_role("button", name="重试").first.click()


def test_the_payers_form_is_filled_so_that_saving_takes_nothing_away(
    stack: Stack, page: Page, payer: Journey
) -> None:
    open_at_the_second_try(page, stack, "pkg-orders/payer/payer", "**/api/v1/payer")
    expect(field(page, "单位名称")).to_have_value(FIRM["title"])
    expect(field(page, "纳税人识别号")).to_have_value(FIRM["taxpayer_number"])
    pleasant(page)


def test_what_can_be_signed_up_for_is_asked_once_the_programmes_are_there(
    stack: Stack, page: Page, payer: Journey
) -> None:
    open_at_the_second_try(page, stack, "pkg-orders/sign-up/sign-up", "**/api/v1/programmes")
    press(page, "报名，下一步缴费")
    expect(page.get_by_text("提交订单，去付款")).to_be_visible()


def test_at_the_checkout_what_was_signed_up_for_is_ticked(stack: Stack, page: Page, payer: Journey) -> None:
    enrolment_id = payer.sign_up()
    open_at_the_second_try(
        page, stack, f"pkg-orders/checkout/checkout?enrolment_id={enrolment_id}", "**/api/v1/checkout?*"
    )
    expect(page.get_by_text("合计").first).to_contain_text("1 项")
    expect(page.get_by_role("button", name="提交订单，去付款")).to_be_enabled()
