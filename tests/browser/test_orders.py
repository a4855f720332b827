"""Signing up and paying in a browser: a code on a computer, a bank's and Alipay's page and back, WeChat's own
browser, and a screen that cannot be paid on."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Request, expect

from ops import wallet
from ops.browser import DESK, PHONE
from ops.client import Client
from ops.stack import Stack
from ops.trainee import OWN_PASSWORD, Journey
from tests.browser.people import activated
from tests.browser.tabs import field, pleasant, press

pytestmark = pytest.mark.browser

ANDROID = "Mozilla/5.0 (Linux; Android 13) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0 Mobile Safari/537.36"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148"
WECHAT = " MicroMessenger/8.0.40"
# what WeChat puts into its pages: the one thing of it that is not real here
BRIDGE = """window.WeixinJSBridge = { invoke(name, call, back) {
    if (name !== 'getBrandWCPayRequest') throw new Error(name)
    window.thumb(call).then((end) => back({ err_msg: `get_brand_wcpay_request:${end}` }))
} }"""
Device = Callable[[str | None], Page]


@pytest.fixture
def payer(stack: Stack) -> Journey:
    """Somebody who may sign up and has not."""
    return activated(stack)


@pytest.fixture
def device(stack: Stack, browser: Browser, payer: Journey) -> Iterator[Device]:
    """`device(user_agent)`: a phone, or (None) a computer, on which the payer is signed in. No request leaves the
    product and its sandbox."""
    opened: list[BrowserContext] = []
    strangers: list[str] = []
    own = (f"{stack.base_url}/", f"{stack.sandbox_url}/", "data:", "blob:")

    def watch(request: Request) -> None:
        if not request.url.startswith(own):
            strangers.append(request.url)

    def open_one(user_agent: str | None) -> Page:
        size = PHONE if user_agent else DESK
        context = browser.new_context(locale="zh-CN", viewport=size, user_agent=user_agent)
        context.set_default_timeout(20_000)
        context.on("request", watch)
        opened.append(context)
        who = {"programme": "yunnan", "id_number": payer.who.id_number, "password": OWN_PASSWORD}
        channel = "phone_web" if user_agent else "web"
        token = Client(stack.base_url).post("/api/v1/login", who | {"channel": channel})["token"]
        context.add_init_script(f"localStorage.setItem('session.token', '{token}')")
        page = context.new_page()
        page.goto(f"{stack.base_url}/?programme=yunnan")
        return page

    yield open_one
    for context in opened:
        context.close()
    assert strangers == []


def confirm(page: Page, payer: Journey) -> None:
    """From the first screen to the order: sign up, and type the payer again."""
    press(page, "去报名")
    press(page, "报名，下一步缴费")
    field(page, "姓名").fill(payer.who.name)
    field(page, "身份证号").fill(payer.who.id_number)
    press(page, "提交订单，去付款")
    expect(page.get_by_role("timer")).to_be_visible()


def order(payer: Journey) -> str:
    """The payer's order, made over the API; gives its address on the web."""
    body = {"enrolment_ids": [payer.sign_up()], "payer_name": payer.who.name, "payer_number": payer.who.id_number}
    return f"/?order={payer.client.post('/api/v1/checkout', body)['order_id']}"


def leads_on(page: Page, payer: Journey) -> None:
    """The money was seen, and one button says what comes next, as the first screen has it."""
    expect(page.get_by_text("支付成功")).to_be_visible(timeout=30_000)

    def opened() -> str | None:
        step = payer.client.get("/api/v1/home")["trainings"][0]["next"]
        return None if step["code"] in ("pay", "wait_payment") else step["text"]

    step = payer.until("the training", opened)
    expect(page.get_by_role("main").get_by_role("button", name=step, exact=True)).to_be_visible()
    pleasant(page)


def test_on_a_computer_the_code_is_scanned_and_the_page_goes_on_by_itself(device: Device, payer: Journey) -> None:
    page = device(None)
    press(page, "去报名")
    expect(page.get_by_text("证书编号")).to_be_visible()
    pleasant(page)
    press(page, "报名，下一步缴费")
    expect(page.get_by_text("缴费成功后不退费")).to_be_visible()
    pleasant(page)
    press(page, "提交订单，去付款")
    expect(page.get_by_text("请填写姓名。")).to_be_visible()
    field(page, "姓名").fill("别人")
    field(page, "身份证号").fill(payer.who.id_number)
    press(page, "提交订单，去付款")
    expect(page.get_by_text("姓名与登记的不一致，请按身份证填写。")).to_be_visible()
    field(page, "姓名").fill(payer.who.name)
    press(page, "提交订单，去付款")
    expect(page.get_by_role("timer")).to_be_visible()
    pleasant(page)

    with page.expect_response("**/payments") as answer:
        page.get_by_role("button", name="显示微信付款码").click()
    expect(page.get_by_role("img", name="用手机微信“扫一扫”，扫码付款")).to_be_visible()
    press(page, "我已支付")
    expect(page.get_by_text("还没有查到付款")).to_be_visible()
    pleasant(page)
    wallet.pay(payer.sandbox, answer.value.json())
    leads_on(page, payer)
    press(page, "查看发票")
    expect(page.get_by_text("发票会自动开具")).to_be_visible()
    pleasant(page)
    page.goto(f"{page.url.split('#')[0]}#/pkg-orders/orders/orders")
    expect(page.get_by_text("已支付")).to_be_visible()
    pleasant(page)


def test_an_enterprise_pays_under_its_own_name_and_number(device: Device, payer: Journey) -> None:
    page = device(None)
    press(page, "去报名")
    press(page, "报名，下一步缴费")
    page.get_by_role("button", name="修改").click()
    page.get_by_role("radio", name="单位付款").click()
    pleasant(page)
    field(page, "单位名称").fill("云南建工第四建设有限公司")
    field(page, "纳税人识别号").fill("123")
    press(page, "保存")
    expect(page.get_by_text("纳税人识别号不对")).to_be_visible()
    field(page, "纳税人识别号").fill("91530000216520010W")
    press(page, "保存")
    expect(page.get_by_text("单位付款，纳税人识别号")).to_be_visible()
    field(page, "单位名称").fill("云南建工第四建设有限公司")
    field(page, "纳税人识别号").fill("91530000216520010w")
    press(page, "提交订单，去付款")
    expect(page.get_by_role("timer")).to_be_visible()


def test_a_bank_card_leads_over_a_page_of_ours_to_unionpay_and_back(device: Device, payer: Journey) -> None:
    page = device(None)
    confirm(page, payer)
    page.get_by_role("radio", name="银行卡（银联）").click()
    page.get_by_role("button", name="去银联付款").click()
    page.get_by_role("button", name="用银行卡付款").click()
    page.get_by_role("button", name="返回商户").click()
    leads_on(page, payer)


def test_alipays_page_on_a_phone_leads_back_to_the_order(device: Device, payer: Journey) -> None:
    page = device(ANDROID)
    confirm(page, payer)
    page.get_by_role("button", name="去支付宝付款").click()
    page.get_by_role("button", name="确认付款").click()
    leads_on(page, payer)
    assert "?" not in page.url.partition("#")[0]  # a reload does not land again


def test_in_wechat_the_payer_is_asked_of_wechat_once_and_pays_in_its_window(device: Device, payer: Journey) -> None:
    address = order(payer)
    page = device(ANDROID + WECHAT)
    ends = ["cancel", "ok"]
    asked: list[dict[str, str]] = []

    def thumb(call: dict[str, str]) -> str:
        asked.append(call)
        end = ends.pop(0)
        if end == "ok":
            wallet.pay(payer.sandbox, {"kind": "jsapi", "code_url": None, "channel": "wechat_jsapi", "jsapi": call})
        return end

    page.context.expose_function("thumb", thumb)
    page.context.add_init_script(BRIDGE)
    page.goto(page.url.split("/#")[0].split("/?")[0] + address)
    page.get_by_role("button", name="微信支付").click()  # to WeChat's page and back, and the window opens by itself
    expect(page.get_by_text("还没有付款")).to_be_visible()
    page.get_by_role("button", name="微信支付").click()
    leads_on(page, payer)
    assert len(asked) == 2
    assert asked[0].keys() == {"appId", "timeStamp", "nonceStr", "package", "signType", "paySign"}


def test_where_nothing_can_be_paid_by_the_page_says_where_to_go_on(device: Device, payer: Journey) -> None:
    page = device(IPHONE + WECHAT)
    page.goto(page.url.split("/#")[0].split("/?")[0] + order(payer))
    expect(page.get_by_text("选择在浏览器中打开")).to_be_visible()
    expect(page.get_by_role("button", name="复制网址")).to_be_visible()
    expect(page.get_by_role("button", name="去支付宝付款")).to_have_count(0)
    pleasant(page)


def test_on_a_phone_outside_of_wechat_who_has_wechat_only_reads_where_it_pays(device: Device, payer: Journey) -> None:
    page = device(ANDROID)
    page.goto(page.url.split("/#")[0].split("/?")[0] + order(payer))
    expect(page.get_by_role("button", name="去支付宝付款")).to_be_visible()
    press(page, "只有微信？看看怎么付")
    expect(page.get_by_text("发给微信的“文件传输助手”")).to_be_visible()
    expect(page.get_by_text("用手机微信扫屏幕上的付款码")).to_be_visible()
    expect(page.get_by_role("button", name="复制网址")).to_be_visible()
    pleasant(page)


def test_a_company_reads_everything_that_is_wrong_at_once_and_starts_with_the_first(device: Device) -> None:
    page = device(ANDROID)
    page.goto(f"{page.url.partition('#')[0]}#/pkg-orders/payer/payer")
    page.get_by_text("单位付款").click()
    field(page, "纳税人识别号").fill("1")
    field(page, "邮箱（可不填）").fill("nobody")
    press(page, "保存")
    for name in ("单位名称", "纳税人识别号", "邮箱（可不填）"):
        expect(field(page, name)).to_have_attribute("aria-invalid", "true")
    expect(field(page, "单位名称")).to_be_focused()
    pleasant(page)
