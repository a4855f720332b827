"""WeChat's mini-program API, spoken to by wechatpy."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests
from wechatpy import WeChatClient
from wechatpy.exceptions import WeChatClientException

from sandbox import server
from tests.sandbox.test_wechatpay import Control

Secret = Callable[[str], str]


def stable_token(sandbox: server.Running, get: Secret, **change: Any) -> dict[str, Any]:
    asked = {
        "grant_type": "client_credential",
        "appid": get("wechat.appid"),
        "secret": get("wechat.secret"),
        "force_refresh": False,
    } | change
    return requests.post(sandbox.url + "/cgi-bin/stable_token", json=asked, timeout=5).json()


@pytest.fixture
def wechat(sandbox: server.Running, secret: Secret) -> Any:
    """The SDK, its hosts exchanged, with a token of the stable kind."""
    token = stable_token(sandbox, secret)["access_token"]
    client = WeChatClient(secret("wechat.appid"), secret("wechat.secret"), access_token=token, auto_retry=False)
    client.expires_at = 2**40
    client.API_BASE_URL = sandbox.url + "/cgi-bin/"
    client.wxa.API_BASE_URL = sandbox.url + "/"
    return client


def refused(work: Callable[[], Any]) -> int:
    with pytest.raises(WeChatClientException) as error:
        work()
    return error.value.errcode


def test_a_login_code_opens_once(wechat: Any, control: Control) -> None:
    made = control("/_control/wechat/login_code").json()
    session = wechat.wxa.code_to_session(made["code"])
    assert session["openid"] == made["openid"]
    assert session["session_key"]
    assert refused(lambda: wechat.wxa.code_to_session(made["code"])) == 40163
    assert refused(lambda: wechat.wxa.code_to_session("never-made")) == 40029


def test_of_fifty_at_once_one_opens(sandbox: server.Running, secret: Secret, control: Control) -> None:
    code = control("/_control/wechat/login_code", openid="o-one").json()["code"]
    query = {
        "appid": secret("wechat.appid"),
        "secret": secret("wechat.secret"),
        "js_code": code,
        "grant_type": "authorization_code",
    }

    def use(_: int) -> dict[str, Any]:
        return requests.get(sandbox.url + "/sns/jscode2session", params=query, timeout=10).json()

    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(use, range(50)))
    assert sum("openid" in answer for answer in answers) == 1


def test_a_login_code_lives_five_minutes(wechat: Any, control: Control) -> None:
    code = control("/_control/wechat/login_code").json()["code"]
    control("/_control/clock", offset=301)
    assert refused(lambda: wechat.wxa.code_to_session(code)) == 40029


def test_the_stable_token_stays_until_it_is_forced_or_old(
    sandbox: server.Running, secret: Secret, wechat: Any, control: Control
) -> None:
    first = stable_token(sandbox, secret)
    assert first["expires_in"] <= 7200
    assert stable_token(sandbox, secret)["access_token"] == first["access_token"]
    forced = stable_token(sandbox, secret, force_refresh=True)
    assert forced["access_token"] != first["access_token"]
    assert refused(lambda: wechat.wxa.get_wxa_code_unlimited("a=1")) == 40001
    control("/_control/clock", offset=7200 - 200)
    fresh = stable_token(sandbox, secret)
    assert fresh["access_token"] != forced["access_token"]
    client = wechat
    client.session.set(client.access_token_key, forced["access_token"])
    assert client.wxa.get_wxa_code_unlimited("a=1").status_code == 200  # both live while the new one spreads
    assert stable_token(sandbox, secret, secret="wrong")["errcode"] == 40125
    assert stable_token(sandbox, secret, appid="wx0")["errcode"] == 40013


def test_a_phone_code_gives_the_number_once(wechat: Any, control: Control) -> None:
    code = control("/_control/wechat/phone_code", phone="13800138000").json()["code"]

    def ask() -> Any:
        return wechat.post(
            "wxa/business/getuserphonenumber", api_base_url=wechat.wxa.API_BASE_URL, data={"code": code}
        )

    assert ask()["phone_info"]["purePhoneNumber"] == "13800138000"
    assert refused(ask) == 40029


def test_a_mini_program_code_is_a_picture_and_a_long_scene_is_refused(wechat: Any) -> None:
    picture = wechat.wxa.get_wxa_code_unlimited("t=abc", page="pages/scan/index")
    assert picture.content.startswith(b"\x89PNG")
    assert refused(lambda: wechat.wxa.get_wxa_code_unlimited("x" * 33)) == 40169
    assert refused(lambda: wechat.wxa.get_wxa_code_unlimited("a=1", page="/pages/scan")) == 41030


def test_a_subscribe_message_needs_a_subscription_for_each_sending(wechat: Any, control: Control) -> None:
    openid = control("/_control/wechat/login_code").json()["openid"]
    data = {"thing1": {"value": "学习提醒"}}

    def send() -> Any:
        return wechat.wxa.send_subscribe_message(openid, "template-1", data, page="pages/home")

    assert refused(send) == 43101
    control("/_control/wechat/subscribe", openid=openid, template_id="template-1")
    assert send()["errcode"] == 0
    assert refused(send) == 43101
    assert refused(lambda: wechat.wxa.send_subscribe_message("o-stranger", "template-1", data)) == 40003


def test_knobs_speak_wechats_error_codes(sandbox: server.Running, wechat: Any) -> None:
    sandbox.box.knobs.add("wechat", "qrcode", "error", "45009")
    assert refused(lambda: wechat.wxa.get_wxa_code_unlimited("a=1")) == 45009
    sandbox.box.knobs.add("wechat", "qrcode", "error", 503)
    with pytest.raises(WeChatClientException):
        wechat.wxa.get_wxa_code_unlimited("a=1")
    assert wechat.wxa.get_wxa_code_unlimited("a=1").status_code == 200
