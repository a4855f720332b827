"""Paying by bank transfer in a browser: from the choice over finance's statement to the paid order, and thinking
better of it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest
from playwright.sync_api import Browser, Page, expect

from app.core.clock import utcnow
from app.core.money import yuan
from app.policy import load as policy
from ops import invented
from ops.browser import DESK, PHONE
from ops.client import Client
from ops.journey import importing
from ops.stack import Stack
from ops.trainee import OWN_PASSWORD, Journey
from tests.browser import people
from tests.browser.tabs import field, pleasant, press
from tests.browser.test_orders import ANDROID, confirm, leads_on

pytestmark = pytest.mark.browser


@pytest.fixture
def payer(invented_stack: Stack) -> Journey:
    """Somebody of the invented programme who may sign up and has not; finance imports what they transfer."""
    folder = invented_stack.directory.parent / "programmes"
    policy.init(folder)
    programme = policy.in_force(invented.KEY, utcnow())
    journey = Journey(Client(invented_stack.base_url), Client(invented_stack.sandbox_url), programme, print)
    journey.log_in()
    people.agreed(journey)
    journey.bank = importing(invented_stack, programme, PROGRAMMES_DIR=str(folder))
    return journey


@pytest.fixture
def page(invented_stack: Stack, browser: Browser, payer: Journey) -> Iterator[Page]:
    """A computer on which the payer is signed in, with a clipboard."""
    context = browser.new_context(locale="zh-CN", viewport=DESK)
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    context.set_default_timeout(20_000)
    opened = open_page(context.new_page(), invented_stack, payer, "web")
    yield opened
    context.close()


def open_page(page: Page, stack: Stack, payer: Journey, channel: str, path: str = "") -> Page:
    who = {"programme": invented.KEY, "id_number": payer.who.id_number, "password": OWN_PASSWORD}
    token = Client(stack.base_url).post("/api/v1/login", who | {"channel": channel})["token"]
    page.add_init_script(f"localStorage.setItem('session.token', '{token}')")
    page.goto(f"{stack.base_url}/?programme={invented.KEY}{path}")
    return page


def choose(page: Page, payer: Journey) -> str:
    """From the first screen to what is to be written on the transfer; gives the order's id."""
    confirm(page, payer)
    page.get_by_role("radio", name="对公转账").click()
    page.get_by_role("button", name="对公转账 ¥").click()
    expect(page.get_by_text("请填写付款账户的户名。")).to_be_visible()
    field(page, "付款账户的户名").fill(payer.who.name)
    pleasant(page)
    page.get_by_role("button", name="对公转账 ¥").click()
    expect(page.get_by_text("等您转账")).to_be_visible()
    return page.url.rpartition("order_id=")[2]


def test_from_the_choice_of_a_transfer_over_finances_statement_to_the_paid_order(page: Page, payer: Journey) -> None:
    path = f"/api/v1/orders/{choose(page, payer)}"
    told = payer.client.get(path)["transfer"]
    main = page.get_by_role("main")
    for shown in (told["code_shown"], told["account_name"], told["bank"], yuan(told["missing_fen"])):
        expect(main).to_contain_text(shown)
    for name, copied in (("附言码", told["code"]), ("收款账号", invented.ACCOUNT), ("转账金额", "200.00")):
        page.get_by_role("button", name=f"复制{name}").click()
        assert page.evaluate("navigator.clipboard.readText()") == copied
    page.get_by_role("button", name="复制全部").click()
    everything = page.evaluate("navigator.clipboard.readText()")
    assert all(part in everything for part in (told["code"], told["account_name"], told["bank"]))
    pleasant(page)

    payer.transfer(told | {"amount_fen": 5000})
    press(page, "刷新，看看到账没有")
    expect(page.get_by_text("已到账 ¥50.00，还差 ¥150.00")).to_be_visible()
    expect(page.get_by_role("button", name="还没有转账？")).to_have_count(0)
    pleasant(page)
    payer.transfer(told | {"amount_fen": 15000})
    press(page, "刷新，看看到账没有")
    leads_on(page, payer)


def test_within_the_first_minutes_another_way_is_a_tap_away_and_so_is_the_way_back(
    page: Page, payer: Journey
) -> None:
    choose(page, payer)
    press(page, "还没有转账？换一种支付方式")
    expect(page.get_by_role("radio", name="对公转账")).to_have_count(0)
    expect(page.get_by_role("button", name="显示微信付款码")).to_be_visible()
    pleasant(page)
    press(page, "还是用对公转账")
    expect(page.get_by_role("button", name="复制附言码")).to_be_visible()


def test_who_has_not_sent_a_transfer_gives_it_up_and_goes_on_with_a_new_order(
    invented_stack: Stack, page: Page, payer: Journey
) -> None:
    order_id = choose(page, payer)
    minutes_pass(invented_stack)
    page.get_by_role("button", name="刷新，看看到账没有").click()
    press(page, "还没有转账？换一种支付方式")
    dialog = page.get_by_role("dialog", name="确实还没有转账吗？")
    pleasant(page)
    dialog.get_by_role("button", name="已经转了，再等等").click()
    expect(page.get_by_role("button", name="复制附言码")).to_be_visible()
    press(page, "还没有转账？换一种支付方式")
    dialog.get_by_role("button", name="没有转账，换一种方式").click()
    expect(page.get_by_role("timer")).to_be_visible()  # another order, without typing anything again
    expect(page.get_by_role("radio", name="微信扫码")).to_be_visible()
    assert page.url.rpartition("order_id=")[2] != order_id
    assert payer.client.get(f"/api/v1/orders/{order_id}")["status"] == "closed"


def minutes_pass(stack: Stack) -> None:
    """The first minutes are over, in which the order may be paid by any way."""
    with closing(sqlite3.connect(stack.directory / "app.db", timeout=30)) as database, database:
        database.execute("UPDATE pay_transfer SET others_until = '2026-01-01 00:00:00.000000'")


def test_on_a_phone_which_offers_no_transfer_itself_a_transfer_is_read(
    invented_stack: Stack, browser: Browser, payer: Journey
) -> None:
    body = {"enrolment_ids": [payer.sign_up()], "payer_name": payer.who.name, "payer_number": payer.who.id_number}
    order_id = payer.client.post("/api/v1/checkout", body)["order_id"]
    asked = {"channel": "bank_transfer", "client": "web", "payer_name": payer.who.name}
    told = payer.client.post(f"/api/v1/orders/{order_id}/payments", asked)["transfer"]
    context = browser.new_context(locale="zh-CN", viewport=PHONE, user_agent=ANDROID)
    page = open_page(context.new_page(), invented_stack, payer, "phone_web", f"&order={order_id}")
    expect(page.get_by_role("main")).to_contain_text(told["code_shown"])
    pleasant(page)
    press(page, "还没有转账？换一种支付方式")
    expect(page.get_by_role("button", name="去支付宝付款")).to_be_visible()
    pleasant(page)
    context.close()


def test_a_code_on_the_phone_itself_says_that_another_phone_scans_it_and_where_one_phone_is_enough(
    invented_stack: Stack, browser: Browser, payer: Journey
) -> None:
    body = {"enrolment_ids": [payer.sign_up()], "payer_name": payer.who.name, "payer_number": payer.who.id_number}
    order_id = payer.client.post("/api/v1/checkout", body)["order_id"]
    context = browser.new_context(locale="zh-CN", viewport=PHONE, user_agent=ANDROID)
    page = open_page(context.new_page(), invented_stack, payer, "phone_web", f"&order={order_id}")
    expect(page.get_by_role("button", name="去支付宝付款")).to_be_visible()  # what this phone can do comes first
    page.get_by_role("radio", name="微信扫码").click()
    expect(page.get_by_text("付款码要用另一部手机来扫。")).to_be_visible()
    page.get_by_role("button", name="显示微信付款码").click()
    expect(page.get_by_role("img", name="用另一部手机的微信“扫一扫”，扫这个码付款")).to_be_visible()
    press(page, "只有这一部手机？看看怎么付")
    expect(page.get_by_text("用手机微信扫屏幕上的付款码")).to_be_visible()
    expect(page.get_by_role("button", name="换一种支付方式")).to_be_visible()
    pleasant(page)
    context.close()
