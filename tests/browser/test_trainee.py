"""A trainee in a browser: from the first login to the payment, with the sandbox's phone in the other hand."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from app.core.clock import utcnow
from app.policy import load as policy
from config.settings import ROOT
from ops.demo import load as demo
from ops.rosters import MadeUp
from ops.trainee import OWN_PASSWORD
from tests.browser.tabs import Watched, field, pleasant, press

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def people() -> list[MadeUp]:
    """Trainees that `make journey` leaves alone, with their first password."""
    policy.init(ROOT / "config" / "programmes")
    return demo.people(policy.in_force("yunnan", utcnow()))[:3]


def log_in(page: Page, number: str, password: str) -> None:
    field(page, "身份证号").fill(number)
    field(page, "密码").fill(password)
    press(page, "登录")


def test_a_trainee_gets_in_signs_up_and_pays(watched: Watched, people: list[MadeUp]) -> None:
    who = people[0]
    page, phone = watched.product(), watched.phone()
    pleasant(phone)
    pleasant(page)

    log_in(page, who.id_number, "12345678")
    expect(page.get_by_role("heading", name="第一次登录，先确认是您本人")).to_be_focused()
    pleasant(page)
    press(page, "获取验证码")
    expect(page.get_by_role("alert")).to_contain_text("验证码已发送")
    message = phone.locator("#sms li", has_text=who.phone).first
    code = re.search(r"验证码是(\d{6})", message.inner_text())
    assert code is not None
    field(page, "短信验证码（6 位数字）").fill(code[1])
    press(page, "确认")

    field(page, "新密码").fill("abc")
    press(page, "保存密码")
    expect(field(page, "新密码")).to_be_focused()
    expect(field(page, "新密码")).to_have_attribute("aria-invalid", "true")
    field(page, "新密码").fill(OWN_PASSWORD)
    pleasant(page)
    press(page, "保存密码")

    press(page, "下一步")
    expect(page.get_by_text("请先勾选同意用户协议，才能继续。")).to_be_visible()
    page.get_by_label("我已阅读，同意用户协议").check()
    page.get_by_label("同意使用我的人脸信息").check()
    pleasant(page)
    press(page, "下一步")

    expect(page.get_by_role("heading", level=1)).to_contain_text("*")
    expect(page.locator("main")).not_to_contain_text(who.id_number)
    pleasant(page)
    page.get_by_role("button", name=re.compile("报名继续教育$")).click()
    expect(page.get_by_role("alert")).to_contain_text("报名成功")
    press(page, "核对信息并缴费")

    field(page, "姓名").fill("别人")
    field(page, "身份证号").fill(who.id_number)
    press(page, "提交订单，去支付")
    expect(page.get_by_text("姓名与登记的不一致，请按身份证填写。")).to_be_visible()
    field(page, "姓名").fill(who.name)
    pleasant(page)
    press(page, "提交订单，去支付")

    expect(page.get_by_role("heading", name="微信扫码支付")).to_be_visible()
    assert page.locator("#qr").evaluate("image => image.complete && image.naturalWidth > 0")
    pleasant(page)
    press(page, "我已支付")
    expect(page.get_by_role("alert")).to_contain_text("还没有收到这笔款项")
    phone.get_by_role("button", name=re.compile("^付款 ¥")).first.click()
    expect(phone.locator("#toast")).to_have_text("付款成功")
    press(page, "我已支付")
    expect(page.get_by_role("alert")).to_contain_text("付款成功，已到账")
    expect(page.get_by_text("上传头像", exact=True)).to_be_visible()
    expect(page.get_by_role("progressbar", name="学习进度")).to_be_visible()
    pleasant(page)

    page.reload()
    expect(page.get_by_text("上传头像", exact=True)).to_be_visible()
    press(page, "退出登录")
    expect(page.get_by_role("heading", name="登录")).to_be_focused()
    assert page.evaluate("sessionStorage.getItem('token')") is None


def test_a_wrong_password_and_a_wrong_number_say_what_to_do(watched: Watched, people: list[MadeUp]) -> None:
    page = watched.product()
    press(page, "登录")
    expect(page.get_by_text("请填写身份证号。")).to_be_visible()
    expect(field(page, "身份证号")).to_be_focused()
    log_in(page, "123", "wrong-1")
    expect(page.get_by_text("身份证号应为 18 位")).to_be_visible()
    log_in(page, people[1].id_number, "wrong-1")
    expect(page.get_by_role("alert")).to_contain_text("身份证号或密码不正确，请核对后重试")
    assert page.get_by_text("请填写身份证号。").count() == 0
    pleasant(page)


def test_the_keyboard_alone_logs_in(watched: Watched, people: list[MadeUp]) -> None:
    page = watched.product()
    expect(page.get_by_role("heading", name="登录")).to_be_focused()
    page.keyboard.press("Tab")
    expect(field(page, "培训项目")).to_be_focused()  # of several that are open, the first is chosen
    page.keyboard.press("Tab")
    page.keyboard.type(people[2].id_number)
    page.keyboard.press("Tab")
    page.keyboard.type("12345678")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="第一次登录，先确认是您本人")).to_be_visible()
    page.keyboard.press("Tab")
    expect(field(page, "短信验证码（6 位数字）")).to_be_focused()


def test_a_forgotten_password_is_replaced_by_sms(watched: Watched, people: list[MadeUp]) -> None:
    who = people[1]
    page, phone = watched.product(), watched.phone()
    press(page, "忘记密码，用短信找回")
    field(page, "身份证号").fill(who.id_number)
    press(page, "获取验证码")
    message = phone.locator("#sms li", has_text=who.phone).filter(has_text="找回密码").first
    code = re.search(r"验证码是(\d{6})", message.inner_text())
    assert code is not None
    field(page, "短信验证码").fill(code[1])
    field(page, "新密码").fill(OWN_PASSWORD)
    pleasant(page)
    press(page, "保存新密码")
    expect(page.get_by_role("alert")).to_contain_text("请用新密码登录")
    log_in(page, who.id_number, OWN_PASSWORD)
    expect(page.get_by_role("heading", name="请阅读并同意")).to_be_visible()
