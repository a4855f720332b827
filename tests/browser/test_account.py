"""The first login in a browser: activation, own password, consents, photo and face check; the camera sees a film."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from ops.demo import load as demo
from ops.stack import Stack
from ops.trainee import OWN_PASSWORD, Journey
from sandbox.faces import make_face, person_of
from tests.browser import people
from tests.browser.film import film
from tests.browser.tabs import Watched, field, pleasant, press
from tests.browser.test_trainee import START, TICK

pytestmark = pytest.mark.browser

AGREE = "我已阅读，同意"


@pytest.fixture
def newcomer(stack: Stack) -> Journey:
    """Somebody of the roster who has never been here."""
    return people.newcomer(stack)


@pytest.fixture
def face(newcomer: Journey) -> bytes:
    """What the camera sees: the person themselves."""
    return make_face(person_of(newcomer.who.id_number), size=(590, 826))


@pytest.fixture
def filmed(watched: Watched, camera: Path, face: bytes) -> Watched:
    """Tabs of a browser whose camera sees `face`."""
    film(face, camera)
    return watched


def log_in_first(tabs: Watched, newcomer: Journey) -> Page:
    page = tabs.product(START)
    field(page, "身份证号").fill(newcomer.who.id_number)
    field(page, "密码").fill(demo.password_of(newcomer.programme, newcomer.who))
    page.get_by_label(TICK).check()
    press(page, "登录")
    expect(page.get_by_role("heading", name="激活账号")).to_be_visible()
    return page


def test_a_newcomer_gets_in_takes_a_photo_and_passes_the_face_check(filmed: Watched, newcomer: Journey) -> None:
    page = log_in_first(filmed, newcomer)
    press(page, "获取验证码")
    expect(page.get_by_text("验证码已发送")).to_be_visible()
    pleasant(page)
    field(page, "短信验证码").fill(newcomer.until("the SMS", newcomer.sms_codes)[0])
    press(page, "验证并继续")

    expect(page.get_by_role("heading", name="设置密码", level=1)).to_be_visible()
    field(page, "新密码").fill(OWN_PASSWORD)
    field(page, "再填一次新密码").fill("another-1")
    press(page, "保存并继续")
    expect(page.get_by_text("两次填写的密码不一样。")).to_be_visible()
    pleasant(page)
    field(page, "再填一次新密码").fill(OWN_PASSWORD)
    press(page, "保存并继续")

    expect(page.get_by_text("请阅读《用户协议》")).to_be_visible()
    pleasant(page)
    press(page, "不同意")
    expect(page.get_by_role("dialog")).to_contain_text("打客服电话")
    press(page, "再看看")
    press(page, AGREE)
    expect(page.get_by_text("请阅读《人脸信息说明》")).to_be_visible()
    press(page, AGREE)
    expect(page.get_by_role("heading", name="我的培训")).to_be_visible()

    page.goto(f"{filmed.stack.base_url}/#/pkg-account/photo/photo")
    expect(page.get_by_role("list", name="拍摄要求")).to_contain_text("安全帽")
    pleasant(page)
    press(page, "拍一张")
    expect(page.get_by_text("很好，看着镜头，可以拍了")).to_be_visible()
    press(page, "拍照")
    press(page, "用这张照片")
    expect(page.get_by_text("人脸核验通过后就确认")).to_be_visible()
    pleasant(page)

    page.goto(f"{filmed.stack.base_url}/#/pkg-account/face/face?purpose=login")
    pleasant(page)
    press(page, "开始核验")
    expect(page.get_by_text("请慢慢眨一下眼睛")).to_be_visible()
    expect(page.get_by_text("核验通过")).to_be_visible(timeout=30_000)

    page.goto(f"{filmed.stack.base_url}/#/pkg-account/settings/settings")
    expect(page.get_by_role("button", name="本人照片")).to_contain_text("已确认")
    pleasant(page)
    # a slow phone: what the passed check would do by itself is still to come, and must not take this page away
    page.context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": 6})
    page.get_by_role("button", name="本人照片").click()
    press(page, "照片有错，申请更换")
    press(page, "提交申请")
    expect(page.get_by_text("请写一下照片哪里有错。")).to_be_visible()
    expect(field(page, "照片哪里有错")).to_be_focused()
    pleasant(page)
    field(page, "照片哪里有错").fill("照片太旧，现在戴眼镜了")
    press(page, "提交申请")
    expect(page.get_by_text("更换申请已提交")).to_be_visible()
    expect(page.get_by_role("button", name="照片有错，申请更换")).to_have_count(0)
    pleasant(page)


@pytest.mark.parametrize("face", [make_face(4095, size=(590, 826))], ids=["a stranger"])
def test_a_strangers_face_does_not_activate_and_the_providers_page_leads_back(
    filmed: Watched, newcomer: Journey
) -> None:
    page = log_in_first(filmed, newcomer)
    press(page, "这个手机号不用了？改用人脸核验")
    press(page, "开始核验")
    press(page, AGREE)  # the use of the face is asked for on its own, before the camera opens
    press(page, "开始核验")
    expect(page.get_by_text("这次没有通过")).to_be_visible(timeout=30_000)
    expect(page.get_by_text("今天还可以试")).to_contain_text("4")
    pleasant(page)
    press(page, "摄像头用不了？换核验页面")
    expect(page.get_by_role("heading", name="人脸实名认证")).to_be_visible()
    press(page, "通过")
    expect(page.get_by_role("heading", name="设置密码", level=1)).to_be_visible(timeout=30_000)


def test_a_forgotten_password_is_set_anew_by_a_code(watched: Watched, newcomer: Journey) -> None:
    page = watched.product(START)
    press(page, "忘记密码")
    press(page, "获取验证码")
    expect(page.get_by_text("请填写身份证号。")).to_be_visible()
    field(page, "身份证号").fill(newcomer.who.id_number)
    press(page, "获取验证码")
    field(page, "短信验证码").fill(newcomer.until("the SMS", newcomer.sms_codes, seconds=30)[0])
    field(page, "新密码").fill(OWN_PASSWORD)
    field(page, "再填一次新密码").fill(OWN_PASSWORD)
    pleasant(page)
    press(page, "设为新密码")
    press(page, "去登录")
    field(page, "身份证号").fill(newcomer.who.id_number)
    field(page, "密码").fill(OWN_PASSWORD)
    page.get_by_label(TICK).check()
    press(page, "登录")
    expect(page.get_by_text("请阅读《用户协议》")).to_be_visible()


@pytest.mark.parametrize("path", ["contact/contact", "about/about", "download/download", "texts/texts?kind=privacy"])
def test_what_anybody_may_open_is_pleasant(watched: Watched, path: str) -> None:
    page = watched.product(START)
    page.goto(f"{watched.stack.base_url}/#/pkg-account/{path}")
    expect(page.get_by_role("main")).to_be_visible()
    page.wait_for_load_state("networkidle")
    pleasant(page)
