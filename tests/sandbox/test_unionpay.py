"""UnionPay's stand-in refuses what the real gateway would, and keeps its promises about payments and refunds."""

from __future__ import annotations

import base64
from typing import Any
from urllib.parse import parse_qsl

import pytest
import requests
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization.pkcs12 import load_key_and_certificates

from sandbox import keys, server
from sandbox.unionpay_wire import beijing, digest
from tests.sandbox.conftest import Receiver

NOTIFY = "http://127.0.0.1:9/notify"


class Caller:
    """A merchant that signs by hand."""

    def __init__(self, sandbox: server.Running):
        self.sandbox = sandbox
        (self.merchant,) = sandbox.box.acquired.values()
        prefix = f"{self.merchant.authority}.unionpay."
        password = keys.secret(sandbox.box.data_dir, f"{prefix}sign_pfx_password")
        pfx = base64.b64decode(keys.secret(sandbox.box.data_dir, f"{prefix}sign_pfx"))
        key, _, _ = load_key_and_certificates(pfx, password.encode())
        self.key: Any = key

    def fields(self, number: str, **change: str) -> dict[str, str]:
        """A payment of 200.00 yuan."""
        now = self.sandbox.box.clock.now()
        return {
            "version": "5.1.0",
            "encoding": "UTF-8",
            "signMethod": "01",
            "certId": self.merchant.cert_id,
            "merId": self.merchant.mer_id,
            "orderId": number,
            "txnTime": "20261126080000",
            "txnType": "01",
            "txnAmt": "20000",
            "currencyCode": "156",
            "payTimeout": beijing(now + 1800),
            "frontUrl": NOTIFY,
            "backUrl": NOTIFY,
            **change,
        }

    def post(self, path: str, fields: dict[str, str], algorithm: Any = None) -> requests.Response:
        sign = self.key.sign(digest(fields), PKCS1v15(), algorithm or SHA256())
        signed = {**fields, "signature": base64.b64encode(sign).decode()}
        return requests.post(f"{self.sandbox.url}/gateway/api/{path}.do", data=signed, timeout=5)

    def pay(self, number: str, **how: str) -> requests.Response:
        url = f"{self.sandbox.url}/_control/unionpay/pay"
        return requests.post(url, json={"out_trade_no": number, **how}, timeout=5)


@pytest.fixture
def caller(sandbox: server.Running) -> Caller:
    return Caller(sandbox)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"merId": "000000000000000"}, "31"),
        ({"version": "5.0.0"}, "10"),
        ({"signMethod": "11"}, "10"),
        ({"encoding": "GBK"}, "10"),
        ({"certId": "1"}, "11"),
    ],
)
def test_a_request_that_is_not_signed_as_it_must_be_is_refused(
    caller: Caller, change: dict[str, str], code: str
) -> None:
    assert f"respCode={code}&" in caller.post("queryTrans", caller.fields("UP000001", **change)).text


def test_sha1_is_refused(caller: Caller) -> None:
    answer = caller.post("queryTrans", caller.fields("UP000001"), SHA1())
    assert "respCode=11&" in answer.text


@pytest.mark.parametrize(
    "change",
    [
        {"orderId": "SHORT"},
        {"orderId": "WITH_LINE1"},
        {"txnAmt": "0"},
        {"txnAmt": "200.00"},
        {"txnTime": "2026-11-26"},
        {"payTimeout": ""},
        {"currencyCode": "840"},
    ],
    ids=str,
)
def test_a_form_that_says_something_else_is_refused(caller: Caller, change: dict[str, str]) -> None:
    answer = caller.post("frontTransReq", caller.fields("UP000002", **change))
    assert answer.status_code == 409
    assert "报文格式错误" in answer.text


def test_the_same_form_again_is_the_same_payment_and_another_amount_is_not(caller: Caller) -> None:
    for _ in range(2):
        assert caller.post("frontTransReq", caller.fields("UP000003")).status_code == 200
    assert caller.post("frontTransReq", caller.fields("UP000003", txnAmt="1")).status_code == 409
    assert caller.pay("UP000003", code="64").json()["code"] == "64"
    assert caller.pay("UP000003").status_code == 200
    assert caller.pay("UP000003").status_code == 409
    assert caller.post("frontTransReq", caller.fields("UP000003")).status_code == 409
    assert caller.pay("UP999999").status_code == 404


def test_nothing_is_paid_after_its_time(sandbox: server.Running, caller: Caller) -> None:
    caller.post("frontTransReq", caller.fields("UP000004"))
    fields = caller.fields("UP000004")
    sandbox.box.clock.offset += 1801
    assert caller.pay("UP000004").status_code == 409
    assert caller.post("frontTransReq", fields).status_code == 409


def test_a_notification_comes_again_until_it_is_answered_with_200(caller: Caller, receiver: Receiver) -> None:
    receiver.statuses = [204, 500, 200]
    caller.post("frontTransReq", caller.fields("UP000005", backUrl=receiver.url))
    caller.pay("UP000005")
    letters = receiver.wait(3)
    assert len({body for _, body in letters}) == 1  # the same statement has the same signature
    told = dict(parse_qsl(letters[0][1].decode()))
    assert (told["orderId"], told["txnAmt"], told["respCode"]) == ("UP000005", "20000", "00")
    caller.merchant.platform_key.public_key().verify(
        base64.b64decode(told["signature"]), digest(told), PKCS1v15(), SHA256()
    )


def test_the_phone_lists_payments_whose_page_was_opened(sandbox: server.Running, caller: Caller) -> None:
    caller.post("frontTransReq", caller.fields("UP000006"))
    orders = requests.get(f"{sandbox.url}/_phone/state", timeout=5).json()["orders"]
    shown = {order["out_trade_no"]: order for order in orders}["UP000006"]
    assert (shown["provider"], shown["state"], shown["total"]) == ("unionpay", "NOTPAY", 20000)


def test_no_key_of_a_merchants_is_kept_at_the_platform(sandbox: server.Running) -> None:
    mine = {path.name for path in (sandbox.box.data_dir / "sandbox").glob("*unionpay*key")}
    assert not any("merchant" in name for name in mine)
