"""Studying in a browser, beside the whole path: the player that cannot be wound, mobile data, and a computer that is
signed in by a phone."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from ops.browser import DESK, PHONE
from ops.client import Client
from ops.stack import Stack
from ops.trainee import OWN_PASSWORD, Journey
from tests.browser.people import paid
from tests.browser.tabs import pleasant, press

pytestmark = pytest.mark.browser

ANDROID = "Mozilla/5.0 (Linux; Android 13) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0 Mobile Safari/537.36"
PLAYED = "(document.querySelector('video')?.currentTime ?? 0)"
CELLULAR = (
    "Object.defineProperty(navigator, 'connection',"
    " { value: Object.assign(new EventTarget(), { type: 'cellular' }) })"
)
Device = Callable[[bool], Page]


@pytest.fixture
def learner(stack: Stack) -> Journey:
    """Somebody who has paid and has not studied yet."""
    return paid(stack)


@pytest.fixture
def devices(stack: Stack, browser: Browser, learner: Journey) -> Iterator[Device]:
    """`devices(computer)`: the first screen of the learner, who is signed in on a phone or a computer of its own."""
    opened: list[BrowserContext] = []

    def open_one(computer: bool) -> Page:
        context = browser.new_context(
            locale="zh-CN", viewport=DESK if computer else PHONE, user_agent=None if computer else ANDROID
        )
        context.set_default_timeout(15_000)
        opened.append(context)
        channel = "web" if computer else "phone_web"
        who: dict[str, Any] = {"programme": "yunnan", "id_number": learner.who.id_number, "password": OWN_PASSWORD}
        token = Client(stack.base_url).post("/api/v1/login", who | {"channel": channel})["token"]
        context.add_init_script(f"localStorage.setItem('session.token', '{token}')")
        page = context.new_page()
        page.goto(stack.base_url)
        return page

    yield open_one
    for context in opened:
        context.close()


def lessons(page: Page, learner: Journey) -> None:
    """Open the training's lessons."""
    page.goto(
        f"{page.url.split('#')[0]}#/pkg-study/training/training?enrolment_id={learner.evidence['enrolment_id']}"
    )
    expect(page.get_by_role("heading", name="课程目录")).to_be_visible()


def begin(page: Page, learner: Journey) -> None:
    """Begin or go on with the first lesson that is not done."""
    lessons(page, learner)
    page.get_by_role("button", name=re.compile("^(开始|继续)学习，第")).click()


def until(page: Page, true: str) -> None:
    """Wait until this sentence of JavaScript is true (`wait_for_function` is refused by the page's policy)."""
    for _ in range(150):
        if page.evaluate(true):
            return
        page.wait_for_timeout(200)
    raise AssertionError(f"{true}: {page.inner_text('body')}")


def running(page: Page, beyond: float) -> None:
    """The film gets beyond this second."""
    until(page, f"{PLAYED} > {beyond}")


def test_the_player_cannot_be_wound(devices: Device, learner: Journey) -> None:
    learner.face_check("study", learner.evidence["enrolment_id"])
    page = devices(False)
    begin(page, learner)
    running(page, 3)
    page.evaluate(
        "document.querySelector('video').currentTime = 25; document.querySelector('video').playbackRate = 8"
    )
    until(page, "document.querySelector('video').playbackRate === 1")
    until(page, f"{PLAYED} < 6")
    pleasant(page)


def test_over_mobile_data_the_size_is_told_before_anything_is_loaded(devices: Device, learner: Journey) -> None:
    learner.face_check("study", learner.evidence["enrolment_id"])
    page = devices(False)
    page.context.add_init_script(CELLULAR)
    page.reload()
    films: list[str] = []
    page.on("request", lambda request: films.append(request.url) if "/video/" in request.url else None)
    begin(page, learner)
    expect(page.get_by_text(re.compile(r"这一课约 [\d.]+ MB"))).to_be_visible()
    assert films == []
    press(page, "用流量继续看")
    running(page, 1)


def test_a_phone_signs_a_computer_in_or_says_that_it_was_somebody_else(
    devices: Device, learner: Journey, browser: Browser
) -> None:
    phone = devices(False)
    learner.face_check("login")
    context = browser.new_context(locale="zh-CN", viewport=DESK)
    computer = context.new_page()
    computer.goto(f"{learner.client.base_url}/?programme=yunnan")
    with computer.expect_response("**/scan-tickets/login") as first:
        press(computer, "手机扫码登录")
    phone.goto(f"{learner.client.base_url}/?scan={first.value.json()['id']}")
    press(phone, "不是我")
    expect(phone.get_by_role("heading", name="已拒绝")).to_be_visible()
    expect(computer.get_by_text("手机上点了“不是我”")).to_be_visible()
    with computer.expect_response("**/scan-tickets/login") as second:
        press(computer, "换一个二维码")
    phone.goto(f"{learner.client.base_url}/?scan={second.value.json()['id']}")
    press(phone, "是我本人，确认")
    expect(computer.get_by_role("heading", name="我的培训")).to_be_visible()
    context.close()
