"""Writing to support in a browser: what cannot be sent is said while it is written or chosen, and that the network is
away is said once."""

from __future__ import annotations

import pytest
from playwright.sync_api import FilePayload, Page, expect

from ops.stack import Stack
from sandbox.faces import make_face
from tests.browser.people import activated
from tests.browser.tabs import Watched, field, pleasant, press
from tests.browser.test_trainee import START, log_in

pytestmark = pytest.mark.browser

WORDS = "您遇到了什么问题"
PICTURE: FilePayload = {"name": "1.jpg", "mimeType": "image/jpeg", "buffer": make_face(7)}
NO_PICTURE: FilePayload = {"name": "2.jpg", "mimeType": "image/jpeg", "buffer": b"words, and no picture"}
LARGE: FilePayload = {"name": "3.jpg", "mimeType": "image/jpeg", "buffer": make_face(7) + bytes(5 * 1024 * 1024)}


@pytest.fixture(scope="module")
def somebody(stack: Stack) -> str:
    """The ID number of somebody who may write."""
    return activated(stack).who.id_number


def writing(watched: Watched, number: str) -> Page:
    page = watched.product(START)
    log_in(page, number)
    expect(page.get_by_role("heading", name="我的培训")).to_be_visible()
    page.goto(f"{watched.stack.base_url}/#/pkg-account/help/help")
    expect(field(page, WORDS)).to_be_visible()
    return page


def choose(page: Page, file: FilePayload) -> None:
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="加照片").click()
    chooser.value.set_files([file])


def test_a_picture_that_cannot_be_sent_is_said_as_it_is_chosen(watched: Watched, somebody: str) -> None:
    page = writing(watched, somebody)
    pictures = page.get_by_role("img", name="张照片")
    choose(page, LARGE)
    expect(page.get_by_role("alert")).to_contain_text("超过 5 MB")
    choose(page, NO_PICTURE)
    expect(page.get_by_role("alert")).to_contain_text("不是照片")
    expect(pictures).to_have_count(0)
    for number in range(3):
        choose(page, PICTURE)
        expect(pictures).to_have_count(number + 1)
    expect(page.get_by_role("alert")).to_have_count(0)
    expect(page.get_by_role("button", name="加照片")).to_have_count(0)
    pleasant(page)
    page.get_by_role("radio").first.click()
    field(page, WORDS).fill("缴费后不能学习，截图在这里")
    press(page, "提交给客服")
    expect(page.get_by_text("已经收到")).to_be_visible()


def test_the_limit_is_said_before_it_is_reached(watched: Watched, somebody: str) -> None:
    page = writing(watched, somebody)
    field(page, WORDS).fill("字" * 799)
    expect(page.get_by_text("还可以写")).to_have_count(0)
    field(page, WORDS).press_sequentially("字字")
    expect(page.get_by_text("还可以写 199 个字")).to_be_visible()
    field(page, WORDS).fill("字" * 999)
    field(page, WORDS).press_sequentially("多出来")
    expect(page.get_by_text("已经写满 1000 个字")).to_be_visible()
    assert len(field(page, WORDS).input_value()) == 1000
    pleasant(page)


def test_without_a_network_one_thing_is_said_and_it_goes_on_by_itself(watched: Watched, somebody: str) -> None:
    page = writing(watched, somebody)
    there_and_back(page)
    page.context.set_offline(True)
    there_and_back(page)
    expect(page.get_by_text("没有刷新成功")).to_be_visible()
    expect(page.get_by_text("网络不通").locator("visible=true")).to_have_count(1)
    expect(page.get_by_text("会自动继续").locator("visible=true")).to_have_count(0)
    watched.complaints.clear()  # the browser's own, of requests without a network
    page.context.set_offline(False)
    expect(page.get_by_text("没有刷新成功")).to_have_count(0)


def there_and_back(page: Page) -> None:
    """Another page, and this one again, which asks anew."""
    press(page, "着急？打客服电话")
    expect(page.get_by_role("heading", name="联系客服")).to_be_visible()
    page.get_by_role("button", name="返回").locator("visible=true").click()
    expect(field(page, WORDS)).to_be_visible()
