"""What is Alipay's own: signatures over exact bytes, a word that ends a notification, a trade that begins at the
scan, refunds that are told at the payment's address."""

from __future__ import annotations

import base64
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from flask.testing import FlaskClient

from app.account.models import Person
from app.core import inbox
from app.core.clock import SHANGHAI, utcnow
from app.pay import janitor, refunds, settlement
from app.pay.audit import audit_payments
from app.pay.channels import provider_of
from app.pay.models import Order, PaymentAttempt, Refund
from app.pay.providers.alipay import AlipayProvider
from app.pay.providers.protocol import PaymentRequest, Redirect, Refused, Unknown
from config.settings import Secrets, Settings
from sandbox import keys
from tests.factories import a_person
from tests.pay import alipay_side
from tests.pay.till import (
    ALIPAY_CALLBACK,
    an_order,
    code_of,
    in_background,
    post,
    refund_letter,
    scan,
    start,
    trouble,
)
from tests.world import World


@pytest.fixture
def person(world: World) -> Person:
    return a_person()


@pytest.fixture
def provider(settings: Settings, world: World) -> AlipayProvider:
    return AlipayProvider("yunnan.alipay", settings.secrets, world.sandbox.url)


def a_request(**values: Any) -> PaymentRequest:
    request: dict[str, Any] = {
        "way": "qr",
        "out_trade_no": "TESTORDER0001",
        "title": "继续教育",
        "amount_fen": 20000,
        "expires_at": utcnow() + timedelta(minutes=30),
        "notify_url": "http://127.0.0.1:9/n",
        "return_url": "http://127.0.0.1:9/?a=1&b=二",
    }
    return PaymentRequest(**(request | values))


def test_the_last_moment_to_pay_is_the_orders_own(world: World, person: Person) -> None:
    order = an_order(person)
    for channel in ("alipay_qr", "alipay_wap"):
        code = code_of(start(order, channel).pay_by)
        requests.post(f"{world.sandbox.url}/_control/alipay/scan", json={"code": code}, timeout=5)
    for attempt in PaymentAttempt.select():
        record = alipay_side.trade(world, attempt.out_trade_no)
        assert record is not None
        assert abs(record["deadline"] - order.expires_at.timestamp()) <= 1
        assert record["total_amount"] == "200.00"


def test_a_code_that_nobody_scanned_is_no_trade_and_its_order_closes(world: World, person: Person) -> None:
    order = an_order(person)
    start(order, "alipay_qr")
    assert janitor.expire_orders(now=utcnow() + timedelta(minutes=31)) == 1
    assert PaymentAttempt.get().status == "closed"
    assert alipay_side.trade(world, PaymentAttempt.get().out_trade_no) is None
    assert audit_payments() == []


@pytest.mark.parametrize("sub_code", ["SYSTEM_ERROR", "ACQ.SYSTEM_ERROR", "aop.ACQ.SYSTEM_ERROR", "isp.unknow-error"])
def test_a_busy_gateway_is_no_answer(world: World, provider: AlipayProvider, sub_code: str) -> None:
    trouble(world, "query", "error", sub_code, provider="alipay")
    with pytest.raises(Unknown):
        provider.query("TESTORDER0001")


def test_another_refusal_has_its_code(world: World, provider: AlipayProvider) -> None:
    trouble(world, "precreate", "error", "ACQ.ACCESS_FORBIDDEN", provider="alipay")
    with pytest.raises(Refused, match="ACCESS_FORBIDDEN"):
        provider.create(a_request())


@pytest.mark.parametrize("kind", ["sha1", "forged", "unsigned"])
def test_an_answer_is_believed_only_with_sha256_and_alipays_key(
    world: World, provider: AlipayProvider, kind: str
) -> None:
    trouble(world, "query", kind, provider="alipay")
    with pytest.raises(Unknown, match="signature"):
        provider.query("TESTORDER0001")


def test_a_good_answer_to_another_question_is_none(world: World, provider: AlipayProvider) -> None:
    code = provider.create(a_request(out_trade_no="TESTORDER0002"))
    scan(world, code_of(code))
    trouble(world, "query", "alter", {"out_trade_no": "TESTORDER0003"}, provider="alipay")
    with pytest.raises(Unknown, match="another question"):
        provider.query("TESTORDER0002")


def test_a_key_comes_as_pem_or_as_the_bare_base64_of_alipays_own_tool(world: World, provider: AlipayProvider) -> None:
    pem = keys.secret(world.data_dir, "yunnan.alipay.app_private_key")
    key = load_pem_private_key(pem.encode(), None)
    for shape in (PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL):
        bare = base64.b64encode(key.private_bytes(Encoding.DER, shape, NoEncryption())).decode()
        public = "".join(keys.secret(world.data_dir, "yunnan.alipay.alipay_public_key").splitlines()[1:-1])
        environ = {
            "X_APP_ID": provider.app_id,
            "X_SELLER_ID": provider.seller_id,
            "X_APP_PRIVATE_KEY": bare,
            "X_ALIPAY_PUBLIC_KEY": public,
        }
        assert AlipayProvider("x", Secrets(None, environ), world.sandbox.url).query("NONE1").state == "absent"


def test_the_requests_time_is_beijings_whatever_the_machines_zone(provider: AlipayProvider) -> None:
    page = provider.create(a_request(way="wap"))
    assert isinstance(page, Redirect)
    sent = dict(parse_qsl(urlsplit(page.url).query))["timestamp"]
    moment = datetime.strptime(sent, "%Y-%m-%d %H:%M:%S").replace(tzinfo=SHANGHAI)
    assert abs((moment - utcnow()).total_seconds()) < 5


def test_the_page_takes_the_money_and_leads_back(world: World, provider: AlipayProvider) -> None:
    page = provider.create(a_request(way="wap", out_trade_no="TESTORDER0004"))
    assert isinstance(page, Redirect)
    assert "确认付款" in requests.get(page.url, timeout=5).text
    paid = requests.post(
        f"{world.sandbox.url}/_control/alipay/pay",
        data={"out_trade_no": "TESTORDER0004"},
        timeout=5,
        allow_redirects=False,
    )
    assert (paid.status_code, urlsplit(paid.headers["Location"]).path) == (303, "/")
    assert provider.query("TESTORDER0004").state == "paid"


# --- notifications -----------------------------------------------------------------------------------------------


def a_paid_attempt(world: World, person: Person) -> PaymentAttempt:
    started = start(an_order(person), "alipay_qr")
    scan(world, code_of(started.pay_by))
    return started.attempt


def test_the_answer_to_a_notification_is_exactly_the_word(world: World, client: FlaskClient, person: Person) -> None:
    headers, body = alipay_side.letter(world, a_paid_attempt(world, person).out_trade_no)
    for _ in range(2):  # the second time it is known
        answer = client.post(ALIPAY_CALLBACK, data=body, headers=headers)
        assert (answer.status_code, answer.data) == (200, b"success")
    inbox.sweep(now=utcnow())
    assert Order.get().status == "paid"


@pytest.mark.parametrize("status", ["TRADE_CLOSED", "WAIT_BUYER_PAY", "TRADE_FINISHED", "SOMETHING_NEW"])
def test_a_notification_is_only_a_trigger(world: World, person: Person, status: str) -> None:
    attempt = a_paid_attempt(world, person)
    assert post(world, alipay_side.letter(world, attempt.out_trade_no, change={"trade_status": status})) == 204
    inbox.sweep(now=utcnow())
    assert Order.get().status == "paid"  # as Alipay itself says, when it is asked


def test_the_notification_that_arrives_of_itself_pays(world: World, person: Person) -> None:
    world.sandbox.reset()  # letters are not lost here
    attempt = a_paid_attempt(world, person)
    for _ in range(100):
        if inbox.InboxMessage.select().count():
            break
        world.sandbox.box.pause(0.05)
    inbox.sweep(now=utcnow())
    assert PaymentAttempt.get_by_id(attempt.id).status == "paid"


@pytest.mark.parametrize(("status", "returned"), [("TRADE_SUCCESS", False), ("TRADE_CLOSED", True)])
def test_a_payment_that_went_back_whole_is_told_as_that(
    world: World, person: Person, status: str, returned: bool
) -> None:
    attempt = a_paid_attempt(world, person)
    world.sandbox.box.knobs.add("alipay", "query", "alter", {"trade_status": status})
    truth = provider_of(attempt).query(attempt.out_trade_no)
    assert (truth.state, truth.returned) == ("paid", returned)


# --- refunds -----------------------------------------------------------------------------------------------------


def test_a_refund_is_told_at_the_payments_address_and_asked_for(world: World, person: Person) -> None:
    first = a_paid_attempt(world, person)
    order = Order.get_by_id(first.order_id)
    second = start(order, "wechat_native").attempt
    scan(world, second.out_trade_no)
    settlement.ask(second, now=utcnow())
    settlement.ask(first, now=utcnow())
    trouble(world, "refund", "reset_after", provider="alipay")
    (refund,) = Refund.select()
    refunds.settle(refund.id, now=utcnow())
    assert Refund.get().status == "requested"  # made there, and we did not hear of it
    sent = refund_letter(world, refund.out_refund_no)
    assert sent is not None
    assert post(world, sent) == 204
    inbox.sweep(now=utcnow())
    assert Refund.get().status == "succeeded"
    assert len(alipay_side.refunds(world, first.out_trade_no)) == 1
    assert audit_payments() == []


def test_a_seller_without_money_is_a_case_and_the_refund_waits(world: World, person: Person) -> None:
    first = a_paid_attempt(world, person)
    janitor.expire_orders(now=utcnow() + timedelta(minutes=31))
    assert Order.get_by_id(first.order_id).status == "paid"
    second = start_late(world, person)
    trouble(world, "refund", "abnormal", provider="alipay")
    in_background(now=utcnow() + timedelta(hours=2))
    assert Refund.get(Refund.attempt_id == second.id).status == "requested"
    in_background(now=utcnow() + timedelta(hours=4))
    assert Refund.get(Refund.attempt_id == second.id).status == "succeeded"


def start_late(world: World, person: Person) -> PaymentAttempt:
    """A payment whose order was closed before it was scanned."""
    started = start(an_order(person, "thing:late"), "alipay_qr")
    janitor.expire_orders(now=utcnow() + timedelta(minutes=31))
    scan(world, code_of(started.pay_by))
    return started.attempt
