"""WeChat Pay: the stock SDK makes, pays, closes and refunds; whatever is not well signed is refused."""

from __future__ import annotations

import gzip
import json
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from wechatpayv3 import WeChatPayType
from wechatpayv3.utils import build_authorization, load_private_key

from sandbox import keys, server
from sandbox.wechatpay_wire import BEIJING
from tests.sandbox.conftest import Receiver, wechat_pay

Control = Callable[..., requests.Response]


def number() -> str:
    return "T" + secrets.token_hex(12)


def make(client: Any, out_trade_no: str, total: int = 20000, **extra: Any) -> tuple[int, dict[str, Any]]:
    status, text = client.pay(
        description="继续教育", out_trade_no=out_trade_no, amount={"total": total, "currency": "CNY"}, **extra
    )
    return status, json.loads(text)


def state(client: Any, out_trade_no: str) -> str:
    status, text = client.query(out_trade_no=out_trade_no)
    assert status == 200
    return json.loads(text)["trade_state"]


def test_an_order_is_made_scanned_paid_and_notified(pay_client: Any, control: Control, receiver: Receiver) -> None:
    no = number()
    status, made = make(pay_client, no)
    assert status == 200
    assert made["code_url"].startswith("weixin://wxpay/bizpayurl?pr=")
    assert state(pay_client, no) == "NOTPAY"
    paid = control("/_control/wechatpay/pay", code_url=made["code_url"])
    assert paid.json()["amount"] == {
        "total": 20000, "currency": "CNY", "payer_total": 20000, "payer_currency": "CNY",
    }  # fmt: skip
    headers, body = receiver.wait(1)[0]
    told = pay_client.callback(headers, body)
    assert told["event_type"] == "TRANSACTION.SUCCESS"
    assert told["resource"]["out_trade_no"] == no
    assert told["resource"]["transaction_id"] == paid.json()["transaction_id"]
    assert state(pay_client, no) == "SUCCESS"
    assert control("/_control/wechatpay/pay", out_trade_no=no).status_code == 409


def test_jsapi_gives_a_prepay_id_that_the_phone_pays(pay_client: Any, control: Control) -> None:
    no = number()
    status, made = make(pay_client, no, pay_type=WeChatPayType.JSAPI, payer={"openid": "o-me"})
    assert status == 200
    paid = control("/_control/wechatpay/pay", prepay_id=made["prepay_id"]).json()
    assert paid["payer"] == {"openid": "o-me"}
    assert paid["trade_type"] == "JSAPI"


def test_the_same_order_twice_is_one_order_and_other_values_are_refused(pay_client: Any) -> None:
    no = number()
    assert make(pay_client, no)[0] == make(pay_client, no)[0] == 200
    assert make(pay_client, no, total=1) == (
        403,
        {"code": "OUT_TRADE_NO_USED", "message": "商户订单号重复"},
    )


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"out_trade_no": "short"}, "PARAM_ERROR"),
        ({"amount": {"total": 0}}, "PARAM_ERROR"),
        ({"amount": {"total": 1.5}}, "PARAM_ERROR"),
        ({"amount": {"total": 1, "currency": "USD"}}, "PARAM_ERROR"),
        ({"appid": "wx0000000000000000"}, "APPID_MCHID_NOT_MATCH"),
        ({"notify_url": "https://example.test/a?b=c"}, "PARAM_ERROR"),
        ({"time_expire": "2020-01-01T00:00:00+08:00"}, "PARAM_ERROR"),
        ({"time_expire": "soon"}, "PARAM_ERROR"),
    ],
)
def test_an_order_that_breaks_a_rule_is_refused(pay_client: Any, change: dict[str, Any], code: str) -> None:
    order: dict[str, Any] = {"description": "x", "out_trade_no": number(), "amount": {"total": 1}} | change
    status, text = pay_client.pay(**order)
    assert status == 400
    assert json.loads(text)["code"] == code


def test_a_closed_order_is_neither_paid_nor_closed_again(pay_client: Any, control: Control) -> None:
    no = number()
    make(pay_client, no)
    assert pay_client.close(no)[0] == 204
    assert state(pay_client, no) == "CLOSED"
    assert control("/_control/wechatpay/pay", out_trade_no=no).json()["code"] == "ORDER_CLOSED"
    status, text = pay_client.close(no)
    assert (status, json.loads(text)["code"]) == (400, "ORDER_CLOSED")


def test_a_paid_order_is_not_closed(pay_client: Any, control: Control) -> None:
    no = number()
    make(pay_client, no)
    control("/_control/wechatpay/pay", out_trade_no=no)
    status, text = pay_client.close(no)
    assert (status, json.loads(text)["code"]) == (400, "ORDERPAID")
    assert state(pay_client, no) == "SUCCESS"


def test_an_unknown_order_is_404(pay_client: Any) -> None:
    status, text = pay_client.query(out_trade_no=number())
    assert (status, json.loads(text)["code"]) == (404, "ORDER_NOT_EXIST")


def test_paying_after_time_expire_is_refused_unless_the_knob_lets_it(
    sandbox: server.Running, pay_client: Any, control: Control
) -> None:
    no = number()
    until = (datetime.now(BEIJING) + timedelta(minutes=30)).isoformat(timespec="seconds")
    assert make(pay_client, no, time_expire=until)[0] == 200
    control("/_control/clock", offset=1801)
    assert control("/_control/wechatpay/pay", out_trade_no=no).json()["code"] == "ORDER_EXPIRED"
    assert state(pay_client, no) == "NOTPAY"
    sandbox.box.knobs.add("wechatpay", "pay", "late_ok")
    assert control("/_control/wechatpay/pay", out_trade_no=no).status_code == 200
    assert state(pay_client, no) == "SUCCESS"


def test_a_code_url_lives_two_hours(pay_client: Any, control: Control) -> None:
    no = number()
    made = make(pay_client, no)[1]
    control("/_control/clock", offset=7201)
    assert control("/_control/wechatpay/pay", code_url=made["code_url"]).json()["code"] == "CODE_EXPIRED"
    again = make(pay_client, no)[1]
    assert control("/_control/wechatpay/pay", code_url=again["code_url"]).status_code == 200


def refund(client: Any, out_refund_no: str, no: str, fen: int, **extra: Any) -> tuple[int, dict[str, Any]]:
    status, text = client.refund(
        out_refund_no, {"refund": fen, "total": 20000, "currency": "CNY"}, out_trade_no=no, **extra
    )
    return status, json.loads(text)


def test_a_refund_is_one_refund_however_often_it_is_asked_for(
    pay_client: Any, control: Control, receiver: Receiver
) -> None:
    no, refund_no = number(), number()
    make(pay_client, no)
    assert refund(pay_client, refund_no, no, 500)[1]["code"] == "INVALID_REQUEST"
    control("/_control/wechatpay/pay", out_trade_no=no)
    receiver.wait(1)
    status, first = refund(pay_client, refund_no, no, 500)
    assert (status, first["status"]) == (200, "PROCESSING")
    headers, body = receiver.wait(2)[1]
    told = pay_client.callback(headers, body)
    assert told["event_type"] == "REFUND.SUCCESS"
    assert told["resource"]["refund_status"] == "SUCCESS"
    assert told["resource"]["out_refund_no"] == refund_no
    again = refund(pay_client, refund_no, no, 500)[1]
    assert again["refund_id"] == first["refund_id"]
    assert again["status"] == "SUCCESS"
    assert json.loads(pay_client.query_refund(refund_no)[1])["amount"]["refund"] == 500
    assert state(pay_client, no) == "REFUND"
    assert refund(pay_client, refund_no, no, 501)[1]["code"] == "INVALID_REQUEST"
    assert refund(pay_client, number(), no, 19501)[1]["code"] == "INVALID_REQUEST"
    assert refund(pay_client, number(), no, 19500)[0] == 200


def test_a_refund_of_an_unknown_order_or_with_another_total_is_refused(pay_client: Any, control: Control) -> None:
    assert refund(pay_client, number(), number(), 1)[1]["code"] == "RESOURCE_NOT_EXISTS"
    no = number()
    make(pay_client, no, total=100)
    control("/_control/wechatpay/pay", out_trade_no=no)
    assert refund(pay_client, number(), no, 1)[1]["code"] == "INVALID_REQUEST"


def test_an_abnormal_refund_is_told_as_such(
    sandbox: server.Running, pay_client: Any, control: Control, receiver: Receiver
) -> None:
    no = number()
    make(pay_client, no)
    control("/_control/wechatpay/pay", out_trade_no=no)
    receiver.wait(1)
    sandbox.box.knobs.add("wechatpay", "refund", "abnormal")
    refund(pay_client, number(), no, 20000)
    assert pay_client.callback(*receiver.wait(2)[1])["event_type"] == "REFUND.ABNORMAL"
    assert state(pay_client, no) == "SUCCESS"


def test_the_bill_of_yesterday_has_payment_and_refund(pay_client: Any, control: Control) -> None:
    no, refund_no = number(), number()
    make(pay_client, no)
    control("/_control/wechatpay/pay", out_trade_no=no)
    refund(pay_client, refund_no, no, 500)
    today = datetime.now(BEIJING).date().isoformat()
    assert json.loads(pay_client.trade_bill(today)[1])["code"] == "STATEMENT_CREATING"
    control("/_control/clock", offset=36 * 3600)
    long_ago = (datetime.now(BEIJING) - timedelta(days=30)).date().isoformat()
    assert json.loads(pay_client.trade_bill(long_ago)[1])["code"] == "NO_STATEMENT_EXIST"
    answer = json.loads(pay_client.trade_bill(today, tar_type="GZIP")[1])
    status, data = pay_client.download_bill(answer["download_url"])
    text = gzip.decompress(data).decode()
    assert status == 200
    assert any(f"`{no}," in line and "`SUCCESS," in line and "`200.00," in line for line in text.splitlines())
    assert any(f"`{refund_no}," in line and "`REFUND," in line and "`5.00," in line for line in text.splitlines())


def signed(data_dir: Path, body: str, **change: str) -> str:
    """An Authorization header for the native call, one of its parts exchanged."""
    return build_authorization(
        "/v3/pay/transactions/native",
        "POST",
        change.get("mchid", keys.secret(data_dir, "yunnan.wechatpay.mchid")),
        change.get("serial", keys.secret(data_dir, "yunnan.wechatpay.merchant_serial")),
        load_private_key(change.get("key", keys.secret(data_dir, "yunnan.wechatpay.merchant_private_key"))),
        data=body,
    )


def post_native(sandbox: server.Running, authorization: str, body: str, path: str = "") -> requests.Response:
    return requests.post(
        sandbox.url + "/v3/pay/transactions/native" + path,
        data=body.encode(),
        headers={"Authorization": authorization, "Content-Type": "application/json"},
        timeout=5,
    )


def test_a_changed_byte_a_foreign_key_a_wrong_serial_or_no_header_is_a_sign_error(
    sandbox: server.Running, data_dir: Path
) -> None:
    body = json.dumps({"out_trade_no": number()})
    good = signed(data_dir, body)
    foreign = (data_dir / "sandbox" / "yunnan.wechatpay.foreign_private_key").read_text()
    assert post_native(sandbox, good, body).json()["code"] == "PARAM_ERROR"  # signed well, filled in badly
    for authorization, sent, path in (
        (good, body + " ", ""),
        (good, body, "?x=1"),
        (good.replace('nonce_str="', 'nonce_str="A'), body, ""),
        (signed(data_dir, body, key=foreign), body, ""),
        (signed(data_dir, body, serial="0" * 40), body, ""),
        (signed(data_dir, body, mchid="1600000000"), body, ""),
        ("", body, ""),
    ):
        answer = post_native(sandbox, authorization, sent, path)
        assert (answer.status_code, answer.json()["code"]) == (401, "SIGN_ERROR")
    assert sandbox.box.journal.count("wechatpay", "refused") == 7
    assert sandbox.box.journal.count("wechatpay", "native") == 1


def test_a_request_signed_six_minutes_ago_is_refused(
    sandbox: server.Running, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import wechatpayv3.utils as sdk

    body = json.dumps({"out_trade_no": number()})
    real = sdk.time.time
    with monkeypatch.context() as patch:
        patch.setattr(sdk.time, "time", lambda: real() - 360)
        old = signed(data_dir, body)
    assert post_native(sandbox, old, body).json()["code"] == "SIGN_ERROR"


def test_a_restart_keeps_the_orders_and_the_notifications_that_wait(
    tmp_path: Path, data_dir: Path, receiver: Receiver
) -> None:
    for folder in ("secrets", "sandbox"):
        (tmp_path / folder).mkdir()
        for file in (data_dir / folder).iterdir():
            if file.name.startswith(("app.", "yunnan.")):
                (tmp_path / folder / file.name).write_bytes(file.read_bytes())
    receiver.statuses = [500]
    first = server.start(tmp_path, notify_retries=(60.0,))
    no = number()
    client = wechat_pay(tmp_path, first.url, receiver.url)
    make(client, no)
    requests.post(first.url + "/_control/wechatpay/pay", json={"out_trade_no": no}, timeout=5)
    receiver.wait(1)
    first.stop()
    with pytest.raises(requests.ConnectionError):
        client.query(out_trade_no=no)
    receiver.statuses = [204]
    second = server.start(tmp_path, notify_retries=(60.0,))
    try:
        client = wechat_pay(tmp_path, second.url, receiver.url)
        assert state(client, no) == "SUCCESS"
        assert client.callback(*receiver.wait(2)[1])["resource"]["out_trade_no"] == no
    finally:
        second.stop()
