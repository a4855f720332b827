"""Which ways to pay a screen offers, in which order, and why none is left; JSAPI is one payment an openid."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
import requests
from flask.testing import FlaskClient

from app.account.models import Person
from app.core.breaker import FAILURES
from app.core.clock import utcnow
from app.pay import channels, providers, service, settlement
from app.pay.audit import audit_payments
from app.pay.channels import CHANNELS, Device
from app.pay.models import Order, PaymentAttempt, Refund
from app.pay.providers.protocol import Redirect
from app.policy import load
from app.policy.schema import Programme
from app.wechat.models import PayerOpenid
from tests.factories import a_person, auth
from tests.pay.till import an_order, bind_wechat, code_of, in_background, platform_order, scan, start
from tests.world import World

IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15"
ANDROID = "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36"
IN_WECHAT = " MicroMessenger/8.0.50 NetType/WIFI Language/zh_CN"


@pytest.fixture
def person(world: World) -> Person:
    return a_person()


@pytest.fixture
def shown(client: FlaskClient, person: Person) -> Callable[..., Any]:
    """The order as a screen gets it."""
    order, headers = an_order(person), auth(person)

    def get(client_name: str, agent: str = "") -> Any:
        path = f"/api/v1/orders/{order.id}?client={client_name}"
        return client.get(path, headers={**headers, "User-Agent": agent}).get_json()

    return get


@pytest.mark.parametrize(
    ("client_name", "agent", "offered", "reason"),
    [
        ("web", "", ["wechat_native", "alipay_qr", "unionpay_b2c"], None),
        ("web", ANDROID + IN_WECHAT, ["wechat_native", "alipay_qr", "unionpay_b2c"], None),
        ("phone_web", ANDROID, ["alipay_wap"], None),
        ("phone_web", IPHONE, ["alipay_wap"], None),
        ("phone_web", ANDROID + IN_WECHAT, ["wechat_jsapi"], None),
        ("phone_web", IPHONE + IN_WECHAT, [], "not_in_wechat"),
        ("mini_program", ANDROID + IN_WECHAT, ["wechat_jsapi"], None),
        ("mini_program", IPHONE + IN_WECHAT, [], "not_on_iphone"),
        ("app", IPHONE, ["alipay_wap", "wechat_native", "alipay_qr"], None),
    ],
)
def test_a_screen_offers_what_can_be_paid_there_or_says_why_nothing_can(
    shown: Callable[..., Any], client_name: str, agent: str, offered: list[str], reason: str | None
) -> None:
    order = shown(client_name, agent)
    assert order["channels"] == offered
    assert (order["no_channel"] or {}).get("code") == reason
    assert reason is None or order["no_channel"]["detail"].endswith("。")


@pytest.mark.parametrize(
    ("client_name", "agent", "places"),
    [
        ("web", "", []),  # WeChat's code is on the screen
        ("phone_web", ANDROID, ["wechat", "mini_program", "computer"]),
        ("phone_web", IPHONE, ["computer"]),  # by this programme's rule nothing of WeChat's on an iPhone
        ("phone_web", ANDROID + IN_WECHAT, []),
        ("phone_web", IPHONE + IN_WECHAT, ["computer"]),
        ("mini_program", IPHONE + IN_WECHAT, ["computer"]),
        ("app", ANDROID, ["wechat", "mini_program", "computer"]),  # its code needs another phone
    ],
)
def test_who_has_wechat_only_is_told_where_that_pays(
    shown: Callable[..., Any], client_name: str, agent: str, places: list[str]
) -> None:
    assert shown(client_name, agent)["elsewhere"] == places


@pytest.mark.parametrize(
    ("channel", "client_name", "agent", "code"),
    [
        ("wechat_jsapi", "mini_program", IPHONE, "not_on_iphone"),
        ("alipay_wap", "phone_web", IPHONE + IN_WECHAT, "not_in_wechat"),
        ("wechat_jsapi", "web", "", "channel_not_offered"),
        ("wechat_jsapi", "phone_web", ANDROID, "channel_not_offered"),
        ("wechat_jsapi", "phone_web", IPHONE + IN_WECHAT, "not_in_wechat"),
        ("alipay_wap", "mini_program", ANDROID, "channel_not_offered"),
    ],
)
def test_a_channel_that_is_not_offered_cannot_be_begun(
    client: FlaskClient, person: Person, channel: str, client_name: str, agent: str, code: str
) -> None:
    body = {"channel": channel, "client": client_name}
    path = f"/api/v1/orders/{an_order(person).id}/payments"
    answer = client.post(path, json=body, headers={**auth(person), "User-Agent": agent})
    assert (answer.status_code, answer.get_json()["code"]) == (422, code)
    assert PaymentAttempt.select().count() == 0


def test_a_paid_order_offers_nothing_and_gives_no_reason(world: World, shown: Callable[..., Any]) -> None:
    Order.update(status="paid").execute()
    assert (shown("web")["channels"], shown("web")["no_channel"]) == ([], None)


def test_a_provider_that_does_not_answer_is_offered_last(world: World, shown: Callable[..., Any]) -> None:
    programme: Programme = load.programme("yunnan", "2021-02-01")
    provider = channels._provider(programme, CHANNELS["wechat_native"])
    world.sandbox.box.knobs.add("wechatpay", "query", "error", 500, times=None)
    for _ in range(FAILURES):
        with pytest.raises(Exception, match="500"):
            provider.query("NOSUCHORDER01")
    assert shown("web")["channels"] == ["alipay_qr", "unionpay_b2c", "wechat_native"]


def test_who_gets_no_answer_is_told_the_other_channels(world: World, client: FlaskClient, person: Person) -> None:
    world.sandbox.box.knobs.add("wechatpay", "native", "error", 500)
    path = f"/api/v1/orders/{an_order(person).id}/payments"
    answer = client.post(path, json={"channel": "wechat_native"}, headers=auth(person)).get_json()
    assert (answer["code"], answer["other_channels"]) == ("payment_unknown", ["alipay_qr", "unionpay_b2c"])


# --- JSAPI -------------------------------------------------------------------------------------------------------


def test_jsapi_wants_a_bound_wechat(person: Person) -> None:
    with pytest.raises(Exception, match="bind_wechat_first"):
        start(an_order(person), "wechat_jsapi")
    assert PaymentAttempt.select().count() == 0


def test_jsapi_gives_the_mini_program_its_arguments_and_names_the_payer(
    world: World, client: FlaskClient, person: Person
) -> None:
    openid = bind_wechat(world, person)
    order, body = an_order(person), {"channel": "wechat_jsapi", "client": "mini_program"}
    answer = client.post(f"/api/v1/orders/{order.id}/payments", json=body, headers=auth(person)).get_json()
    assert answer["kind"] == "jsapi"
    assert set(answer["jsapi"]) == {"appId", "timeStamp", "nonceStr", "package", "signType", "paySign"}
    assert (answer["code_url"], answer["qr_svg"], answer["redirect_url"]) == (None, None, None)
    record = platform_order(world, PaymentAttempt.get().out_trade_no)
    assert record is not None
    assert (record["openid"], record["trade_type"]) == (openid, "JSAPI")
    assert openid not in str(answer)
    again = client.post(f"/api/v1/orders/{order.id}/payments", json=body, headers=auth(person)).get_json()
    assert again["jsapi"] == answer["jsapi"]


def test_jsapi_in_wechats_browser_is_paid_with_the_openid_of_the_official_account(
    world: World, client: FlaskClient, person: Person
) -> None:
    bind_wechat(world, person)  # that of the mini-program is another one, and does not count here
    order, body = an_order(person), {"channel": "wechat_jsapi", "client": "phone_web"}
    path, headers = f"/api/v1/orders/{order.id}", {**auth(person), "User-Agent": ANDROID + IN_WECHAT}
    first = client.post(f"{path}/payments", json=body, headers=headers)
    assert (first.status_code, first.get_json()["code"]) == (409, "authorise_wechat_first")
    assert first.get_json()["programme"] == "yunnan"
    assert PaymentAttempt.select().count() == 0
    official = world.settings.secrets.get("yunnan.wechat_official.appid")
    PayerOpenid.create(key=f"{official}:{person.id}", openid="o-official", authorised_at=utcnow())
    answer = client.post(f"{path}/payments", json=body, headers=headers).get_json()
    assert answer["jsapi"]["appId"] == official
    record = platform_order(world, PaymentAttempt.get().out_trade_no)
    assert record is not None
    assert (record["openid"], record["appid"], record["trade_type"]) == ("o-official", official, "JSAPI")
    requests.post(
        f"{world.sandbox.url}/_control/wechatpay/pay", json={"out_trade_no": record["out_trade_no"]}, timeout=5
    )
    assert client.post(f"{path}/check", headers=headers).get_json()["status"] == "paid"


def test_a_merchant_without_an_official_account_is_not_offered_in_the_browser(
    world: World, shown: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(providers.provider("wechatpay", "yunnan.wechatpay"), "web_payer_app", None)
    assert shown("phone_web", ANDROID + IN_WECHAT)["channels"] == []
    assert shown("mini_program", ANDROID + IN_WECHAT)["channels"] == ["wechat_jsapi"]


def test_another_wechat_is_another_payment_and_only_one_is_kept(world: World, person: Person) -> None:
    order = an_order(person)
    codes = []
    for _ in range(2):
        bind_wechat(world, person)
        codes.append(code_of(start(order, "wechat_jsapi").pay_by))
    first, second = PaymentAttempt.select().order_by(PaymentAttempt.id)
    assert first.out_trade_no != second.out_trade_no
    for code in codes:
        scan(world, code)
    for attempt in (first, second):
        settlement.ask(attempt, now=utcnow())
    in_background()
    assert [refund.reason for refund in Refund.select()] == ["double"]
    assert audit_payments() == []


# --- Alipay's page -----------------------------------------------------------------------------------------------


def test_alipays_page_is_made_anew_for_every_click_and_is_one_payment(
    world: World, client: FlaskClient, person: Person
) -> None:
    order, body = an_order(person), {"channel": "alipay_wap", "client": "phone_web"}
    answers = [
        client.post(f"/api/v1/orders/{order.id}/payments", json=body, headers=auth(person)).get_json()
        for _ in range(2)
    ]
    assert {answer["kind"] for answer in answers} == {"redirect"}
    assert all(answer["redirect_url"].startswith(f"{world.sandbox.url}/gateway.do?") for answer in answers)
    (attempt,) = PaymentAttempt.select()
    assert (attempt.status, attempt.pay_by) == ("waiting", None)
    assert world.sandbox.box.journal.count("alipay") == 0
    number = code_of(Redirect(answers[1]["redirect_url"]))
    scan(world, number)
    settlement.ask(attempt, now=utcnow())
    assert Order.get_by_id(order.id).status == "paid"


def test_a_code_older_than_the_provider_keeps_it_is_made_anew(world: World, person: Person) -> None:
    order = an_order(person, minutes=300)
    now = utcnow()
    first = start(order, now=now).pay_by
    assert start(order, now=now + service.CODE_LIVES).pay_by == first
    assert start(order, now=now + service.CODE_LIVES * 1.01).pay_by != first
    assert PaymentAttempt.select().count() == 1


def test_the_device_is_what_the_browser_says() -> None:
    assert channels.device("web", "") == Device("web", ios=False, in_wechat=False)
    assert channels.device("phone_web", IPHONE + IN_WECHAT) == Device("phone_web", ios=True, in_wechat=True)


def test_a_payers_number_stays_the_same_whatever_key_is_in_force() -> None:
    number = service.trade_no("6afrxkcma9meej52", "wechat_jsapi", "oOpenid")
    assert re.fullmatch(r"[0-9A-Z]{6,32}", number)
    assert number == service.trade_no("6afrxkcma9meej52", "wechat_jsapi", "oOpenid")
    assert number != service.trade_no("6afrxkcma9meej52", "wechat_jsapi", "oOther")
