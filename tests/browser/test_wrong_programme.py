"""Whoever is in another programme than the chosen one: at the sign-in, and where telephones are shown."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser import people
from tests.browser.tabs import Watched, field, pleasant, press
from tests.browser.test_trainee import START, TICK, log_in

pytestmark = pytest.mark.browser

OLDER = "yunnan-legacy"


def test_a_wrong_programme_is_told_and_one_tap_leads_to_ones_own_whose_telephones_stay(watched: Watched) -> None:
    person = people.activated(watched.stack, OLDER)
    title = person.programme.title
    number = person.programme.authority.contacts.login
    page = watched.product(START)
    log_in(page, person.who.id_number, "wrong-1")
    expect(page.get_by_role("alert")).to_contain_text("身份证号或密码不正确")
    expect(page.get_by_text(title)).to_have_count(0)
    log_in(page, person.who.id_number)
    expect(page.get_by_role("alert")).to_contain_text("密码正确")
    pleasant(page)
    press(page, f"换到“{title}”登录")
    expect(page.get_by_role("heading", name="我的培训")).to_be_visible()

    page.goto(f"{watched.stack.base_url}/#/pkg-orders/sign-up/sign-up")
    press(page, "更换培训项目")
    page.get_by_role("radio").filter(has_not_text=title).first.click()
    expect(page.get_by_role("button", name="更换培训项目")).to_be_visible()
    page.goto(f"{watched.stack.base_url}/#/pkg-account/contact/contact")
    expect(page.get_by_text(number).first).to_be_visible()
    expect(page.get_by_text(title)).to_be_visible()
    expect(page.get_by_role("button", name="更换培训项目")).to_have_count(0)
    pleasant(page)
    page.reload()
    expect(page.get_by_text(title)).to_be_visible()

    page.goto(f"{watched.stack.base_url}/#/pkg-account/settings/settings")
    press(page, "退出登录")
    press(page, "退出这台设备")
    expect(page.get_by_label(TICK)).to_be_visible()
    press(page, "联系客服")
    expect(page.get_by_role("button", name="更换培训项目")).to_be_visible()
    expect(page.get_by_text(title)).to_have_count(0)
    assert field(page, "密码").count() == 0
