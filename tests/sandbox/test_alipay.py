"""Alipay's stand-in refuses what the real gateway would, and keeps its promises about trades, codes and refunds."""

from __future__ import annotations

import base64
import json
import time
from typing import Any

import pytest
import requests
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from sandbox import keys, server
from sandbox.alipay_wire import beijing, content

NOTIFY = "http://127.0.0.1:9/notify"


class Caller:
    """An application that signs by hand."""

    def __init__(self, sandbox: server.Running):
        self.url = sandbox.url
        (self.seller,) = sandbox.box.sellers.values()
        pem = keys.secret(sandbox.box.data_dir, f"{self.seller.authority}.alipay.app_private_key")
        self.key: Any = load_pem_private_key(pem.encode(), None)

    def fields(self, method: str, biz: dict[str, Any], **change: str) -> dict[str, str]:
        fields = {
            "app_id": self.seller.app_id,
            "method": f"alipay.trade.{method}",
            "charset": "utf-8",
            "sign_type": "RSA2",
            "timestamp": beijing(time.time()),
            "version": "1.0",
            "notify_url": NOTIFY,
            "biz_content": json.dumps(biz),
            **change,
        }
        sign = self.key.sign(content(fields), PKCS1v15(), SHA256())
        return {**fields, "sign": base64.b64encode(sign).decode()}

    def post(self, fields: dict[str, str]) -> dict[str, Any]:
        answer: dict[str, Any] = requests.post(f"{self.url}/gateway.do", data=fields, timeout=5).json()
        return answer

    def ask(self, method: str, biz: dict[str, Any], **change: str) -> dict[str, Any]:
        answer = self.post(self.fields(method, biz, **change))
        said: dict[str, Any] = (
            answer.get(f"alipay_trade_{method.replace('.', '_')}_response") or answer["error_response"]
        )
        return said

    def precreate(self, number: str, **change: Any) -> dict[str, Any]:
        biz = {
            "out_trade_no": number,
            "total_amount": "200.00",
            "subject": "继续教育",
            "time_expire": beijing(time.time() + 1800),
        }
        return self.ask("precreate", biz | change)


@pytest.fixture
def caller(sandbox: server.Running) -> Caller:
    return Caller(sandbox)


def control(sandbox: server.Running, what: str, **body: Any) -> requests.Response:
    return requests.post(f"{sandbox.url}/_control/alipay/{what}", json=body, timeout=5)


def on_the_phone(sandbox: server.Running) -> dict[str, Any]:
    orders = requests.get(f"{sandbox.url}/_phone/state", timeout=5).json()["orders"]
    return {row["out_trade_no"]: row for row in orders}


@pytest.mark.parametrize(
    ("change", "sub_code"),
    [
        ({"app_id": "2021000000000001"}, "isv.invalid-app-id"),
        ({"sign_type": "RSA"}, "isv.invalid-signature-type"),
        ({"charset": "gbk"}, "isv.invalid-signature-type"),
        ({"timestamp": "2020-01-01 00:00:00"}, "isv.invalid-timestamp"),
        ({"timestamp": "soon"}, "isv.invalid-timestamp"),
    ],
)
def test_a_request_that_is_not_from_this_moment_and_this_application_is_refused(
    caller: Caller, change: dict[str, str], sub_code: str
) -> None:
    answer = caller.ask("query", {"out_trade_no": "A1"}, **change)
    assert (answer["code"], answer["sub_code"]) == ("40002", sub_code)


def test_a_changed_field_a_foreign_key_and_sha1_are_refused(caller: Caller) -> None:
    good = caller.fields("query", {"out_trade_no": "A1"})
    unsigned = {name: value for name, value in good.items() if name != "sign"}
    foreign = caller.seller.foreign_key.sign(content(unsigned), PKCS1v15(), SHA256())
    weak = caller.key.sign(content(unsigned), PKCS1v15(), SHA1())
    for bad in (
        good | {"biz_content": '{"out_trade_no": "A2"}'},
        good | {"sign": base64.b64encode(foreign).decode()},
        good | {"sign": base64.b64encode(weak).decode()},
        good | {"sign": "%%%"},
        unsigned,
    ):
        assert caller.post(bad)["error_response"]["sub_code"] == "isv.invalid-signature"
    assert caller.post(good)["alipay_trade_query_response"]["sub_code"] == "ACQ.TRADE_NOT_EXIST"


@pytest.mark.parametrize(
    "change",
    [
        {"total_amount": "0.001"},
        {"total_amount": "0.00"},
        {"total_amount": 200},
        {"total_amount": "NaN"},
        {"out_trade_no": "with-a-dash"},
        {"subject": "a/b"},
        {"subject": ""},
        {"time_expire": "tomorrow"},
        {"time_expire": "2020-01-01 00:00:00"},
        {"seller_id": "2088000000000001"},
    ],
    ids=str,
)
def test_a_payment_that_alipay_would_not_take_is_refused(caller: Caller, change: dict[str, Any]) -> None:
    assert caller.precreate("A1", **change)["code"] == "40004"


def test_a_code_makes_no_trade_until_it_is_scanned(sandbox: server.Running, caller: Caller) -> None:
    code = caller.precreate("B1")["qr_code"]
    assert caller.ask("query", {"out_trade_no": "B1"})["sub_code"] == "ACQ.TRADE_NOT_EXIST"
    assert caller.ask("close", {"out_trade_no": "B1"})["sub_code"] == "ACQ.TRADE_NOT_EXIST"
    assert control(sandbox, "scan", code=code).status_code == 200
    assert caller.ask("query", {"out_trade_no": "B1"})["trade_status"] == "WAIT_BUYER_PAY"


def test_a_trade_that_nobody_pays_in_time_is_closed(sandbox: server.Running, caller: Caller) -> None:
    code = caller.precreate("C1")["qr_code"]
    control(sandbox, "scan", code=code)
    sandbox.box.clock.offset = 1801.0
    assert control(sandbox, "pay", code=code).status_code == 409
    said = caller.ask("query", {"out_trade_no": "C1"})
    assert said["trade_status"] == "TRADE_CLOSED"
    assert "send_pay_date" not in said


def test_the_same_refund_moves_money_once_and_a_whole_one_closes_the_trade(
    sandbox: server.Running, caller: Caller
) -> None:
    control(sandbox, "pay", code=caller.precreate("D1")["qr_code"])
    part = {"out_trade_no": "D1", "refund_amount": "50.00", "out_request_no": "R1"}
    assert [caller.ask("refund", part)["fund_change"] for _ in range(2)] == ["Y", "N"]
    assert caller.ask("query", {"out_trade_no": "D1"})["trade_status"] == "TRADE_SUCCESS"
    assert caller.ask("refund", part | {"refund_amount": "51.00"})["sub_code"] == "ACQ.DISCORDANT_REPEAT_REQUEST"
    rest = {"out_trade_no": "D1", "refund_amount": "150.01", "out_request_no": "R2"}
    assert caller.ask("refund", rest)["sub_code"] == "ACQ.REFUND_AMT_NOT_EQUAL_TOTAL"
    assert caller.ask("refund", rest | {"refund_amount": "150.00"})["refund_fee"] == "200.00"
    said = caller.ask("query", {"out_trade_no": "D1"})
    assert said["trade_status"] == "TRADE_CLOSED"
    assert said["send_pay_date"]
    asked = caller.ask("fastpay.refund.query", {"out_trade_no": "D1", "out_request_no": "R3"})
    assert (asked["code"], asked.get("refund_status")) == ("10000", None)


def test_a_notification_is_repeated_until_the_word_is_said(sandbox: server.Running, caller: Caller) -> None:
    sandbox.box.journal.clear()
    control(sandbox, "pay", code=caller.precreate("E1")["qr_code"])
    for _ in range(100):
        if len(sandbox.box.journal.report()["notifications"]) >= 2:
            break
        sandbox.box.pause(0.05)
    assert [row["status"] for row in sandbox.box.journal.report()["notifications"]][:2] == [0, 0]


def test_the_phone_lists_alipays_codes_and_trades(sandbox: server.Running, caller: Caller) -> None:
    code = caller.precreate("F1")["qr_code"]
    shown = on_the_phone(sandbox)
    assert (shown["F1"]["code"], shown["F1"]["provider"], shown["F1"]["total"]) == (code, "alipay", 20000)
    assert shown["F1"]["state"] == "NOTPAY"
    control(sandbox, "pay", code=code)
    shown = on_the_phone(sandbox)
    assert shown["F1"]["state"] == "SUCCESS"
