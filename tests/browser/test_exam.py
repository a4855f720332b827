"""The exam in a browser, as somebody sits it who has studied to the end: twice, and then the proof."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from ops.browser import DESK
from ops.trainee import OWN_PASSWORD, Journey, right_texts
from tests.browser.tabs import Watched, field, pleasant, press

pytestmark = pytest.mark.browser


def to_the_notice(page: Page, journey: Journey) -> None:
    field(page, "身份证号").fill(journey.who.id_number)
    field(page, "密码").fill(OWN_PASSWORD)
    page.get_by_label("我已阅读并同意用户协议和隐私政策").check()
    press(page, "登录")
    page.get_by_role("button", name=re.compile("^去考试")).click()
    expect(page.get_by_text("50 题", exact=True)).to_be_visible()


def begin(page: Page) -> None:
    press(page, "开始考试")
    expect(page.get_by_role("dialog")).to_contain_text("本次计 0 分")
    page.get_by_role("dialog").get_by_role("button", name="开始考试").click()
    expect(page.get_by_role("timer")).to_be_visible()


def stem(page: Page) -> str:
    return page.locator(".question-stem").inner_text()


def saved(page: Page, seconds: float = 5) -> None:
    """The question that is open says that its answer is saved."""
    expect(page.locator(".question-saved")).to_have_text("✓ 已保存", timeout=seconds * 1000)


def option(page: Page, letter: str) -> None:
    """Choose, and see it saved."""
    one = page.locator(".question-option").filter(has_text=f"{letter}：")
    one.click()
    expect(one).to_have_attribute("aria-checked", "true")
    saved(page)


def answer_rightly(page: Page) -> None:
    """Tick the right answers of the question that is open, and take away what is ticked wrongly."""
    options = page.locator(".question-option")
    texts = [text.partition("：")[2].strip() for text in options.all_text_contents()]
    right = right_texts(stem(page), texts)
    for place, text in enumerate(texts):
        one = options.nth(place)
        single = one.get_attribute("role") == "radio"
        ticked = one.get_attribute("aria-checked") == "true"
        if ticked != (text in right) and (text in right or not single):
            one.click()
    saved(page)


def test_an_exam_goes_through_a_reload_a_lost_network_and_a_second_tab_and_is_handed_in(
    watched: Watched, student: Journey
) -> None:
    page = watched.product("/?programme=yunnan")
    to_the_notice(page, student)
    pleasant(page)
    begin(page)
    option(page, "A")
    press(page, "标记本题")
    press(page, "下一题")
    option(page, "B")
    pleasant(page)

    for _ in range(2):  # a slip of the finger, and another one
        page.go_back()
        asked = page.get_by_role("dialog")
        expect(asked).to_contain_text(re.compile(r"\d\d:\d\d 自动交卷"))
        expect(asked).to_contain_text(re.compile(r"\d\d:\d\d 前回来接着答，不算退出"))
        expect(asked).to_contain_text("消耗一次机会，本次计 0 分")
        pleasant(page)
        press(page, "继续考试")
        expect(page.get_by_text("第 2 / 50 题")).to_be_visible()
    page.go_back()
    press(page, "先离开一下")
    expect(page.get_by_text("这场考试还没有交卷，计时没有停")).to_be_visible()
    press(page, "继续考试")
    expect(page.get_by_text("第 2 / 50 题")).to_be_visible()

    page.on("dialog", lambda dialog: dialog.accept())  # the browser asks before a paper is left
    page.reload()
    expect(page.get_by_text("已答 2 / 50")).to_be_visible()
    expect(page.get_by_text("第 2 / 50 题")).to_be_visible()

    page.context.set_offline(True)
    page.locator(".question-option").first.click()
    expect(page.get_by_text("1 题存在本机，连上网自动提交")).to_be_visible()
    expect(page.get_by_text("还没保存到系统，已存在本机")).to_be_visible()
    page.context.set_offline(False)
    saved(page, 30)
    watched.complaints.clear()  # the browser's own, of requests without a network

    other = watched.same_session(page)
    expect(other.get_by_text("第 2 / 50 题")).to_be_visible()
    option(other, "B")
    page.locator(".question-option").filter(has_text="C：").click()
    expect(page.get_by_text("刚刚在另一个页面改过")).to_be_visible()
    bar = page.locator(".exam-bar").bounding_box()
    for name in ("改成 C", "就用 B"):
        button = page.get_by_role("button", name=name, exact=True).bounding_box()
        assert bar is not None
        assert button is not None
        assert button["y"] + button["height"] <= bar["y"], f"{name} lies under the bar"
    press(page, "就用 B")
    expect(page.locator(".question-option[aria-checked=true]")).to_contain_text("B：")

    press(page, "答题卡")
    expect(page.get_by_role("button", name="第 1 题，已答 A，有标记", exact=True)).to_be_visible()
    pleasant(page)
    press(page, "检查并交卷")
    expect(page.get_by_role("dialog")).to_contain_text("48 题没有答")
    expect(page.get_by_role("dialog")).to_contain_text("1 题有标记：第 1 题")
    press(page, "确定交卷")
    expect(page.get_by_role("img", name="未合格")).to_be_visible()
    pleasant(page)
    page.reload()
    expect(page.get_by_text("这个科目还有 4 次机会")).to_be_visible()
    expect(other.get_by_role("img", name="未合格")).to_be_visible(timeout=45_000)  # the other tab hears of it


def test_leaving_says_what_it_costs_and_the_right_answers_lead_to_the_proof(
    watched: Watched, student: Journey
) -> None:
    page = watched.product("/?programme=yunnan", DESK)
    to_the_notice(page, student)
    begin(page)
    press(page, "中途退出")
    expect(page.get_by_role("dialog")).to_contain_text("消耗一次机会，本次计 0 分")
    press(page, "继续考试")
    for number in range(1, 51):
        expect(page.get_by_text(f"第 {number} / 50 题")).to_be_visible()
        answer_rightly(page)
        if number < 50:
            press(page, "下一题")
    pleasant(page)
    press(page, "交卷")
    expect(page.get_by_role("dialog")).to_contain_text("50 题全部答完")
    press(page, "确定交卷")
    expect(page.get_by_role("img", name="合格", exact=True)).to_be_visible()
    page.go_back()  # the paper is not there any more: nothing holds anybody
    expect(page.get_by_role("heading", name="考试须知")).to_be_visible()
    page.go_forward()
    expect(page.get_by_role("img", name="合格", exact=True)).to_be_visible()
    expect(page.get_by_role("img", name=re.compile("本次成绩 100 分"))).to_be_visible()
    press(page, "查看资格证明")
    expect(page.get_by_text("有效", exact=True)).to_be_visible()
    expect(page.get_by_role("img", name=re.compile("核验二维码"))).to_be_visible()
    pleasant(page)
    with page.expect_popup() as opened:
        press(page, "打开并保存证明（PDF）")
    assert ".pdf?ticket=" in opened.value.url or opened.value.url.startswith("about:")
