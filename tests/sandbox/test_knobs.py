"""Every knob does what it says."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests

from sandbox import server
from sandbox.knobs import CALL, OPERATIONS, UnknownKnob, kinds_for
from tests.sandbox.conftest import Receiver, wechat_pay
from tests.sandbox.test_wechatpay import Control, make, number, state


@pytest.fixture
def order(pay_client: Any, sandbox: server.Running) -> str:
    no = number()
    make(pay_client, no)
    sandbox.box.journal.clear()
    return no


def test_delay_answers_late_and_only_as_often_as_said(sandbox: server.Running, pay_client: Any, order: str) -> None:
    sandbox.box.knobs.add("wechatpay", "query", "delay", 0.3)
    begin = time.monotonic()
    assert state(pay_client, order) == "NOTPAY"
    middle = time.monotonic()
    assert state(pay_client, order) == "NOTPAY"
    assert middle - begin >= 0.3
    assert time.monotonic() - middle < 0.25


def test_error_with_a_status_is_an_unsigned_http_error(sandbox: server.Running, pay_client: Any, order: str) -> None:
    sandbox.box.knobs.add("wechatpay", "query", "error", 502)
    assert pay_client.query(out_trade_no=order)[0] == 502


def test_error_with_a_code_is_the_providers_own(sandbox: server.Running, pay_client: Any, order: str) -> None:
    sandbox.box.knobs.add("wechatpay", "*", "error", "SYSTEM_ERROR", times=2)
    for _ in range(2):
        status, text = pay_client.query(out_trade_no=order)
        assert (status, json.loads(text)["code"]) == (500, "SYSTEM_ERROR")
    assert state(pay_client, order) == "NOTPAY"


@pytest.mark.parametrize("kind", ["forged", "unsigned", "garbage"])
def test_an_answer_that_is_not_the_platforms_own_fails_the_sdks_check(
    sandbox: server.Running, pay_client: Any, order: str, kind: str
) -> None:
    sandbox.box.knobs.add("wechatpay", "query", kind)
    with pytest.raises(Exception, match=r"verify|algorithm"):
        pay_client.query(out_trade_no=order)


def test_alter_changes_a_well_signed_answer(sandbox: server.Running, pay_client: Any, order: str) -> None:
    sandbox.box.knobs.add("wechatpay", "query", "alter", {"amount": {"total": 1}, "trade_state": "SUCCESS"})
    answer = json.loads(pay_client.query(out_trade_no=order)[1])
    assert answer["amount"] == {"total": 1, "currency": "CNY"}
    assert answer["trade_state"] == "SUCCESS"
    assert state(pay_client, order) == "NOTPAY"


def test_stale_signs_an_answer_of_five_minutes_ago(sandbox: server.Running, pay_client: Any, order: str) -> None:
    seen: list[int] = []
    core = pay_client._core
    check = core._verify_signature

    def look(headers: Any, body: str) -> bool:
        seen.append(int(headers["Wechatpay-Timestamp"]))
        return check(headers, body)

    core._verify_signature = look
    sandbox.box.knobs.add("wechatpay", "query", "stale")
    state(pay_client, order)
    assert time.time() - seen[0] >= 301


def test_reset_does_nothing_and_reset_after_does_it_and_loses_the_answer(
    sandbox: server.Running, pay_client: Any
) -> None:
    for kind, status in (("reset", 404), ("reset_after", 200)):
        no = number()
        sandbox.box.knobs.add("wechatpay", "native", kind)
        with pytest.raises(requests.ConnectionError):
            make(pay_client, no)
        assert pay_client.query(out_trade_no=no)[0] == status
    assert [r["status"] for r in sandbox.box.journal.report()["requests"] if r["operation"] == "native"] == [0, 0]


def test_hang_and_delay_after_outlast_the_callers_patience(
    sandbox: server.Running, data_dir: Path, receiver: Receiver
) -> None:
    client = wechat_pay(data_dir, sandbox.url, receiver.url, timeout=0.3)
    for kind, status in (("hang", 404), ("delay_after", 200)):
        no = number()
        sandbox.box.knobs.add("wechatpay", "native", kind, 0.6)
        with pytest.raises(requests.Timeout):
            make(client, no)
        assert client.query(out_trade_no=no)[0] == status


def notified(client: Any, letter: tuple[dict[str, str], bytes]) -> Any:
    """What the SDK makes of a notification: None where it does not believe it."""
    return client.callback(*letter)


def test_a_notification_is_sent_again_until_it_is_taken(
    sandbox: server.Running, pay_client: Any, control: Control, receiver: Receiver, order: str
) -> None:
    receiver.statuses = [500, 302, 200]
    control("/_control/wechatpay/pay", out_trade_no=order)
    letters = receiver.wait(3)
    assert len({json.loads(body)["id"] for _, body in letters}) == 1
    time.sleep(0.3)
    assert len(receiver.letters) == 3
    statuses = [n["status"] for n in sandbox.box.journal.report()["notifications"]]
    assert statuses == [500, 302, 200]


def test_duplicate_sends_the_notification_n_times_at_once(
    sandbox: server.Running, control: Control, receiver: Receiver, order: str
) -> None:
    sandbox.box.knobs.add("wechatpay", "notify", "duplicate", 20)
    control("/_control/wechatpay/pay", out_trade_no=order)
    receiver.wait(20)


def test_lost_never_arrives_and_only_the_query_knows(
    sandbox: server.Running, pay_client: Any, control: Control, receiver: Receiver, order: str
) -> None:
    sandbox.box.knobs.add("wechatpay", "notify", "lost")
    control("/_control/wechatpay/pay", out_trade_no=order)
    time.sleep(0.4)
    assert receiver.letters == []
    assert state(pay_client, order) == "SUCCESS"


@pytest.mark.parametrize("kind", ["forged", "probe"])
def test_a_forged_or_probing_notification_fails_and_the_next_one_is_good(
    sandbox: server.Running, pay_client: Any, control: Control, receiver: Receiver, order: str, kind: str
) -> None:
    receiver.statuses = [401, 204]
    sandbox.box.knobs.add("wechatpay", "notify", kind)
    control("/_control/wechatpay/pay", out_trade_no=order)
    bad, good = receiver.wait(2)
    try:
        believed = notified(pay_client, bad)
    except ValueError:  # the SDK trips over the probe's signature, which is no base64
        believed = None
    assert not believed
    assert notified(pay_client, good)["resource"]["out_trade_no"] == order


def test_stale_and_altered_notifications_are_signed_well(
    sandbox: server.Running, pay_client: Any, control: Control, receiver: Receiver, order: str
) -> None:
    sandbox.box.knobs.add("wechatpay", "notify", "stale", 400)
    sandbox.box.knobs.add("wechatpay", "notify", "alter", {"amount": {"total": 1}, "mchid": "1"})
    control("/_control/wechatpay/pay", out_trade_no=order)
    headers, body = receiver.wait(1)[0]
    assert time.time() - int(headers["Wechatpay-Timestamp"]) >= 400
    resource = notified(pay_client, (headers, body))["resource"]
    assert (resource["amount"]["total"], resource["mchid"]) == (1, "1")


def test_reorder_holds_a_notification_back_until_the_next_one_went_out(
    sandbox: server.Running, pay_client: Any, control: Control, receiver: Receiver, order: str
) -> None:
    other = number()
    make(pay_client, other)
    sandbox.box.knobs.add("wechatpay", "notify", "reorder")
    control("/_control/wechatpay/pay", out_trade_no=order)
    time.sleep(0.15)
    assert receiver.letters == []
    control("/_control/wechatpay/pay", out_trade_no=other)
    told = [notified(pay_client, letter)["resource"]["out_trade_no"] for letter in receiver.wait(2)]
    assert told == [other, order]


def test_a_delayed_notification_comes_later(
    sandbox: server.Running, control: Control, receiver: Receiver, order: str
) -> None:
    sandbox.box.knobs.add("wechatpay", "notify", "delay", 0.3, times=None)
    begin = time.monotonic()
    control("/_control/wechatpay/pay", out_trade_no=order)
    receiver.wait(1)
    assert time.monotonic() - begin >= 0.3


def test_knobs_are_set_listed_and_taken_away_over_http(
    sandbox: server.Running, pay_client: Any, control: Callable[..., requests.Response], order: str
) -> None:
    answer = control("/_knobs", provider="wechatpay", operation="query", kind="error", value=500, times=None)
    assert answer.status_code == 200
    assert requests.get(sandbox.url + "/_knobs", timeout=5).json() == [answer.json()]
    assert pay_client.query(out_trade_no=order)[0] == 500
    assert pay_client.query(out_trade_no=order)[0] == 500
    assert requests.delete(sandbox.url + "/_knobs", timeout=5).status_code == 204
    assert pay_client.query(out_trade_no=order)[0] == 200
    log = requests.get(sandbox.url + "/_log", timeout=5).json()
    assert log["counts"] == {"wechatpay": {"query": 3}}
    assert [r["status"] for r in log["requests"]] == [500, 500, 200]


@pytest.mark.parametrize(
    "wrong",
    [
        {"provider": "paypal", "operation": "*", "kind": "error", "value": 500},
        {"provider": "sms", "operation": "receive", "kind": "error", "value": 500},
        {"provider": "sms", "operation": "send", "kind": "forged"},
        {"provider": "sms", "operation": "send", "kind": "delay", "value": "long"},
        {"provider": "sms", "operation": "send", "kind": "error"},
        {"provider": "sms", "operation": "send", "kind": "reset", "times": 0},
        {"provider": "sms", "operation": "send", "kind": "reset", "time": 1},
    ],
)
def test_a_knob_that_does_not_exist_is_refused(
    sandbox: server.Running, control: Callable[..., requests.Response], wrong: dict[str, Any]
) -> None:
    assert control("/_knobs", **wrong).status_code == 400
    assert sandbox.box.knobs.report() == []


def test_every_operation_knows_the_trouble_of_a_call_or_of_a_notification() -> None:
    for provider, operations in OPERATIONS.items():
        for operation in operations:
            kinds = kinds_for(provider, operation)
            if provider == "mail":  # SMTP: no answer of words that could be garbage
                assert {"delay", "error", "reset", "hang"} <= set(kinds)
                continue
            assert set(CALL) <= set(kinds) or operation in ("pay", "notify", "notify_refund")


def test_an_unknown_knob_names_what_is_wrong(sandbox: server.Running) -> None:
    with pytest.raises(UnknownKnob, match="'teleport'"):
        sandbox.box.knobs.add("wechatpay", "query", "teleport")
