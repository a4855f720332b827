"""One letter between a trainee's phone and support's desk, in a browser each: written with a photo, seen in the
queue, answered, read, asked on, and ended."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from ops.browser import DESK
from ops.trainee import OWN_PASSWORD, Journey
from sandbox.faces import make_face
from tests.browser.people import activated
from tests.browser.tabs import Watched, field, pleasant, press
from tests.browser.test_console import enter, orderly
from tests.browser.test_trainee import START, TICK

pytestmark = pytest.mark.browser
ASKED = "我昨天缴费了，还是不能学习。"
ANSWERED = "2 月 13 日已查：款已到账。\n请退出后重新登录。"


def on_the_phone(watched: Watched, trainee: Journey) -> Page:
    """Signed in, at the page from which one writes to support."""
    page = watched.device().new_page()
    page.goto(watched.stack.base_url + START)
    field(page, "身份证号").fill(trainee.who.id_number)
    field(page, "密码").fill(OWN_PASSWORD)
    page.get_by_label(TICK).check()
    press(page, "登录")
    expect(page.get_by_role("heading", name="我的培训", level=1)).to_be_visible()
    page.goto(f"{watched.stack.base_url}/#/pkg-account/contact/contact")
    press(page, "写给我们，看答复")
    expect(page.get_by_role("heading", name="写给我们", level=1)).to_be_visible()
    return page


def at_the_desk(watched: Watched) -> Page:
    """Somebody of support, who has signed in."""
    page = watched.device(DESK).new_page()
    page.goto(f"{watched.stack.base_url}/console/sign-in")
    return enter(watched, page, "kefu4")


def open_letter(desk: Page, watched: Watched) -> None:
    """From the queue, the latest: others' letters may wait too."""
    desk.goto(f"{watched.stack.base_url}/console/")
    desk.get_by_role("link", name="学员来信", exact=True).click()
    desk.locator("table.rows tbody tr").last.get_by_role("link").first.click()
    expect(desk.get_by_text("由您处理中")).to_be_visible()
    desk.locator("#work:not([aria-busy])").wait_for()


def decide(desk: Page, decision: str, text: str) -> None:
    """Choose it, write (digits too), send: all of it by the keyboard."""
    way = desk.locator("details.option").filter(has=desk.locator("summary", has_text=decision))
    desk.locator("#work:not([aria-busy])").wait_for()
    desk.keyboard.press(way.get_attribute("data-key") or "")
    expect(way.locator("[name=note]")).to_be_focused()
    desk.keyboard.type(text)
    expect(way.locator("[name=note]")).to_have_value(text)
    orderly(desk)
    desk.keyboard.press("Control+Enter" if way.locator("textarea").count() else "Enter")
    expect(desk.get_by_role("status").filter(has_text=f"已办结：{decision}")).to_be_visible()


def test_a_letter_with_a_photo_is_answered_and_asked_on(watched: Watched, tmp_path: Path) -> None:
    trainee = activated(watched.stack)
    phone, desk = on_the_phone(watched, trainee), at_the_desk(watched)
    photo = tmp_path / "screen.jpg"
    photo.write_bytes(make_face(7))

    # the trainee writes
    phone.get_by_role("radio", name="缴费与退款").click()
    field(phone, "您遇到了什么问题").fill(ASKED)
    with phone.expect_file_chooser() as opened:
        press(phone, "加照片（还可加 3 张）")
    opened.value.set_files(photo)
    expect(phone.get_by_role("button", name="去掉第 1 张照片")).to_be_visible()
    pleasant(phone)
    press(phone, "提交给客服")
    expect(phone.get_by_text("已经收到")).to_be_visible()
    pleasant(phone)

    # support sees it in the queue, with the photo and without the name, and answers
    open_letter(desk, watched)
    evidence = desk.get_by_role("region", name="证据")
    expect(evidence).to_contain_text(ASKED)
    assert trainee.who.name not in desk.content()
    assert trainee.who.id_number not in desk.content()
    picture = desk.get_by_role("img", name="学员的照片 1")
    expect(picture).to_be_visible()
    assert picture.evaluate("one => one.complete && one.naturalWidth > 0")
    decide(desk, "写答复", ANSWERED)

    # the trainee reads it in the app, and goes on
    phone.reload()
    expect(phone.get_by_text("新答复")).to_be_visible()
    phone.get_by_role("button", name="缴费与退款").first.click()
    said = phone.get_by_role("list", name="往来内容")
    expect(said).to_contain_text("请退出后重新登录。")
    expect(said.get_by_role("listitem")).to_have_count(2)
    expect(said.get_by_role("img", name="照片 1")).to_have_js_property("complete", True)
    pleasant(phone)
    field(phone, "补充说明").fill("重新登录后可以了，发票什么时候有？")
    press(phone, "发送")
    expect(said.get_by_role("listitem")).to_have_count(3)

    # it is in the queue again, and is ended
    open_letter(desk, watched)
    expect(evidence).to_contain_text("发票什么时候有")
    decide(desk, "不需要答复，结束", "已电话说明")
    phone.reload()
    expect(phone.get_by_text("这个问题已经结束")).to_be_visible()
    expect(phone.get_by_text("已电话说明")).to_have_count(0)
