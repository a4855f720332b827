"""The pages that anybody may open, and what somebody with a proof sees."""

from __future__ import annotations

from typing import Any

import pytest
import requests
from playwright.sync_api import expect

from ops.browser import DESK, PHONE
from ops.client import Client
from ops.stack import Stack
from ops.trainee import OWN_PASSWORD
from tests.browser.tabs import WIDE, Watched, field, pleasant, press

pytestmark = pytest.mark.browser


def proof_of(stack: Stack, graduate: dict[str, Any]) -> dict[str, Any]:
    client = Client(stack.base_url)
    body = {"programme": "yunnan", "id_number": graduate["id_number"], "password": OWN_PASSWORD, "channel": "web"}
    client.token = client.post("/api/v1/login", body)["token"]
    proof: dict[str, Any] = client.get(f"/api/v1/enrolments/{graduate['enrolment_id']}/proof")
    return proof


def test_who_has_a_proof_sees_it_and_anybody_can_check_it(
    watched: Watched, stack: Stack, graduate: dict[str, Any]
) -> None:
    page = watched.product("/?programme=yunnan")
    field(page, "身份证号").fill(graduate["id_number"])
    field(page, "密码").fill(OWN_PASSWORD)
    page.get_by_label("我已阅读并同意用户协议和隐私政策").check()
    press(page, "登录")
    expect(page.get_by_text("已完成", exact=True)).to_be_visible()
    expect(page.get_by_role("button", name="查看资格证明")).to_be_visible()
    pleasant(page)

    url = proof_of(stack, graduate)["verify_url"].removeprefix(stack.base_url)
    for size in (PHONE, DESK):
        checked = watched.product(url, size)
        expect(checked.get_by_role("heading", name="证明有效")).to_be_visible()
        expect(checked.get_by_text(graduate["proof"])).to_be_visible()
        assert graduate["id_number"] not in checked.content()
        pleasant(checked)

    forged = url[:-1] + ("a" if url[-1] != "a" else "b")
    page = watched.product(forged)
    expect(page.get_by_role("heading", name="没有查到这份证明")).to_be_visible()
    expect(page.get_by_text("查不到的证明无效")).to_be_visible()
    assert graduate["proof"] not in page.content()
    pleasant(page)


def test_an_address_that_nobody_knows_leads_home(watched: Watched) -> None:
    page = watched.product("/xuexi")
    expect(page.get_by_role("heading", level=1)).to_contain_text("没有找到")
    pleasant(page)
    page.get_by_role("link", name="回到首页").click()
    expect(page.get_by_role("heading", name="登录", exact=True)).to_be_visible()


@pytest.mark.parametrize("path", ["/verify/not-a-token", "/face/return", "/face/return?check=x&nonce=y&outcome=done"])
def test_a_wrong_link_says_what_to_do(watched: Watched, path: str) -> None:
    page = watched.product(path)
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page.locator("main")).to_contain_text("请")
    pleasant(page)


def test_a_stale_face_page_of_the_sandbox_says_what_to_do(watched: Watched) -> None:
    page = watched.phone("/face/print/?token=nothing")
    expect(page.get_by_text("请回到原页面重新发起认证")).to_be_visible()
    pleasant(page)


def test_the_api_is_described_without_another_host(watched: Watched) -> None:
    page = watched.product("/api/docs", DESK)
    page.locator("summary", has_text="/api/v1/login").first.click()
    expect(page.get_by_text("初始密码登录后只能激活账号").first).to_be_visible()
    page.goto(f"{watched.stack.base_url}/api/docs#payer_mismatch")
    expect(page.locator("#payer_mismatch")).to_be_in_viewport()
    page.set_viewport_size(PHONE)
    assert page.evaluate(WIDE) == 0


@pytest.mark.parametrize("path", ["/", "/api/docs", "/verify/x", "/face/return"])
def test_pages_allow_nothing_inline_and_nothing_from_elsewhere(stack: Stack, path: str) -> None:
    policy = requests.get(stack.base_url + path, timeout=10).headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy
