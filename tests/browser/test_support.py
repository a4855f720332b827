"""A support person's working day: somebody calls, is found, and is helped; a colleague looks at what needs two."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from ops.browser import DESK, PHONE
from ops.client import Client
from ops.trainee import OWN_PASSWORD
from tests.browser.people import paid
from tests.browser.tabs import NAMELESS, WIDE, Watched, field, press
from tests.browser.test_console import enter, orderly, sign_in

pytestmark = pytest.mark.browser
NEW_PHONE = "13955557777"


def look_for(page: Page, text: str) -> None:
    """Somebody on the telephone says who they are."""
    page.get_by_role("link", name="查学员").first.click()
    page.locator("#text").fill(text)
    press(page, "查找")


def unfold(page: Page, label: str) -> None:
    """Open one of the things that can be done."""
    page.locator("details.option > summary").filter(has_text=label).click()


def on_a_phone(page: Page) -> None:
    """Somebody of support on the way home: nothing sticks out."""
    page.set_viewport_size(PHONE)
    assert page.evaluate(WIDE) == 0
    assert page.evaluate(NAMELESS) == []
    page.set_viewport_size(DESK)


def test_a_working_day_of_support(watched: Watched) -> None:
    trainee = paid(watched.stack)
    page = sign_in(watched, "kefu2")

    look_for(page, "530102199901010000")
    expect(page.get_by_text("没有找到")).to_be_visible()
    look_for(page, trainee.who.id_number)
    expect(page.get_by_role("heading", name="可以办的事")).to_be_visible()
    assert trainee.who.id_number not in page.content()
    expect(page.get_by_text("缴费成功，开通学习")).to_be_visible()
    orderly(page)
    on_a_phone(page)

    page.get_by_text("查看完整信息").click()
    field(page, "为什么需要（至少 5 个字，会记入审计）").fill("来电核对本人身份")
    press(page, "查看")
    expect(page.get_by_text(trainee.who.id_number)).to_be_visible()

    unfold(page, "允许重新上传照片")
    page.get_by_text("照片戴帽子或遮挡面部。").click()
    expect(page.get_by_text("您的照片审核结果：同意更换")).to_be_visible()
    page.locator("details[open]").get_by_role("button", name="允许重新上传照片").click()
    expect(page.get_by_role("status")).to_contain_text("已允许重新上传")
    expect(page.locator(".timeline")).to_contain_text("照片戴帽子或遮挡面部")
    orderly(page)

    unfold(page, "更换手机号")
    field(page, "新手机号").fill(NEW_PHONE)
    field(page, "如何核实了本人（会记入审计）").locator("visible=true").fill("电话核对了姓名和报名")
    press(page, "提交复核")
    expect(page.get_by_role("status")).to_contain_text("等待另一位同事核对后生效")
    orderly(page)
    on_a_phone(page)

    other = watched.device(DESK).new_page()
    other.goto(f"{watched.stack.base_url}/console/sign-in")
    colleague = enter(watched, other, "kefu3")
    colleague.get_by_role("link", name="更换手机号复核", exact=True).click()
    colleague.get_by_role("link", name="从最早一件开始").click()
    expect(colleague.get_by_text("电话核对了姓名和报名")).to_be_visible()
    orderly(colleague)
    colleague.get_by_role("button", name="已核对本人，同意更换").click()
    expect(colleague.get_by_text("都处理完了")).to_be_visible()

    page.reload()
    expect(page.get_by_role("heading", level=1)).to_contain_text("139****7777")
    expect(page.locator(".timeline")).to_contain_text("客服更换手机号")
    said = {"programme": "yunnan", "id_number": trainee.who.id_number, "password": OWN_PASSWORD, "channel": "web"}
    again = Client(watched.stack.base_url)
    again.token = again.post("/api/v1/login", said)["token"]
    assert again.get("/api/v1/me")["phone"] == "139****7777", "the trainee's next step: signed in, with the new phone"
