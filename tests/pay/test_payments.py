"""From the QR code to the grant, and what the provider does on the way."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import pytest
import requests
from flask.testing import FlaskClient

from app.core import inbox, outbox
from app.core.clock import utcnow
from app.core.inbox import InboxMessage
from app.pay import janitor, settlement
from app.pay.models import PaymentAttempt
from app.pay.providers import wechatpay
from app.pay.providers.protocol import Unknown
from tests.factories import auth
from tests.pay.till import (
    Sale,
    in_background,
    letter,
    platform_order,
    post,
    scan,
    show_code,
    wrong_with,
)
from tests.world import World

PAY = {"channel": "wechat_native"}


def click(client: FlaskClient, sale: Sale) -> Any:
    return client.post(f"/api/v1/orders/{sale.order_id}/payments", json=PAY, headers=auth(sale.person))


def ask(client: FlaskClient, sale: Sale) -> Any:
    return client.post(f"/api/v1/orders/{sale.order_id}/check", headers=auth(sale.person))


# --- the path ----------------------------------------------------------------------------------------------------


def test_an_order_is_paid_by_scanning_its_code(world: World, client: FlaskClient, sale: Sale) -> None:
    shown = click(client, sale)
    assert shown.status_code == 200, shown.text
    assert shown.json["amount_fen"] == 20000
    assert 1700 < shown.json["seconds_left"] <= 1800
    assert shown.json["qr_svg"].startswith("data:image/svg+xml")
    scan(world, shown.json["code_url"])
    assert post(world, letter(world, sale.attempt.out_trade_no)) == 204
    assert not sale.granted  # the notification is committed; a job applies it
    in_background()
    assert wrong_with(sale) == 0
    answer = client.get(f"/api/v1/orders/{sale.order_id}", headers=auth(sale.person))
    assert (answer.json["status"], answer.json["seconds_left"], answer.json["channels"]) == ("paid", 0, [])


def test_the_sandboxs_own_notification_arrives_and_is_believed(world: World, sale: Sale) -> None:
    world.sandbox.box.knobs.clear()
    scan(world, show_code(sale))
    until = time.monotonic() + 5
    while not InboxMessage.select().exists() and time.monotonic() < until:
        time.sleep(0.02)
    in_background()
    assert wrong_with(sale) == 0


def test_a_second_click_shows_the_same_code_and_does_not_call_again(
    world: World, client: FlaskClient, sale: Sale
) -> None:
    first, second = click(client, sale), click(client, sale)
    assert first.json["code_url"] == second.json["code_url"]
    assert world.sandbox.box.journal.count("wechatpay", "native") == 1


def test_i_have_paid_asks_at_once(world: World, client: FlaskClient, sale: Sale) -> None:
    code = click(client, sale).json["code_url"]
    assert ask(client, sale).json["status"] == "pending"
    scan(world, code)
    assert ask(client, sale).json["status"] == "paid"
    outbox.sweep(now=utcnow())
    assert wrong_with(sale) == 0
    again = click(client, sale)
    assert (again.status_code, again.json["code"]) == (409, "order_paid")


def test_the_time_of_payment_is_the_providers(world: World, sale: Sale) -> None:
    scan(world, show_code(sale))
    settlement.ask(sale.attempt, now=utcnow() + timedelta(minutes=20))
    assert sale.order.paid_at < utcnow() + timedelta(seconds=2)


def test_the_platform_gets_the_orders_own_deadline_and_price(world: World, sale: Sale) -> None:
    show_code(sale)
    record = platform_order(world, sale.attempt.out_trade_no)
    assert record is not None
    assert abs(record["deadline"] - sale.order.expires_at.timestamp()) <= 1
    assert (record["total"], record["currency"]) == (20000, "CNY")


# --- P7: every notification is lost -------------------------------------------------------------------------------


@pytest.mark.parametrize("minutes", [0, 7, 29])
def test_p7_a_payment_whose_notifications_are_lost_is_found_within_two_minutes(
    world: World, sale: Sale, minutes: int
) -> None:
    now = utcnow()
    code = show_code(sale, now=now)
    for seconds in range(0, minutes * 60, 5):
        janitor.find_lost_payments(now=now + timedelta(seconds=seconds))
    scan(world, code)
    for seconds in range(0, 125, 5):
        janitor.find_lost_payments(now=now + timedelta(minutes=minutes, seconds=seconds))
        if sale.order.status == "paid":
            break
    assert sale.order.status == "paid"
    outbox.sweep(now=utcnow() + timedelta(hours=1))
    assert wrong_with(sale) == 0


def test_an_open_payment_is_not_asked_about_at_every_run(world: World, sale: Sale) -> None:
    now = utcnow()
    show_code(sale, now=now)
    for second in range(0, 300, 5):
        janitor.find_lost_payments(now=now + timedelta(seconds=second))
    assert world.sandbox.box.journal.count("wechatpay", "query") <= 20


# --- P8: trouble at the provider -----------------------------------------------------------------------------------


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tenths of seconds instead of seconds; the real limits have a test of their own."""
    monkeypatch.setattr(wechatpay, "TIMEOUT", (0.5, 0.3))


TROUBLE = [
    ("hang", 5),
    ("error", 500),
    ("error", 502),
    ("error", "SYSTEM_ERROR"),
    ("garbage", None),
    ("reset", None),
    ("reset_after", None),
    ("delay_after", 1),
    ("forged", None),
    ("unsigned", None),
    ("stale", 301),
]


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(("kind", "value"), TROUBLE)
def test_p8_a_create_without_a_good_answer_is_unknown_and_becomes_one_payment(
    world: World, client: FlaskClient, sale: Sale, kind: str, value: Any
) -> None:
    world.sandbox.box.knobs.add("wechatpay", "native", kind, value)
    answer = click(client, sale)
    assert (answer.status_code, answer.json["code"]) == (503, "payment_unknown")
    assert answer.headers["Retry-After"] == "5"
    assert sale.attempt.status == "unknown"
    number = sale.attempt.out_trade_no
    again = click(client, sale)
    assert again.status_code == 200
    assert PaymentAttempt.select().count() == 1
    assert sale.attempt.out_trade_no == number
    scan(world, again.json["code_url"])
    in_background(now=utcnow() + timedelta(seconds=15))
    assert wrong_with(sale) == 0


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(("kind", "value"), [*TROUBLE, ("alter", {"trade_state": "PERHAPS"})])
def test_p8_a_question_without_a_good_answer_changes_nothing_and_is_asked_again(
    world: World, client: FlaskClient, sale: Sale, kind: str, value: Any
) -> None:
    scan(world, click(client, sale).json["code_url"])
    world.sandbox.box.knobs.add("wechatpay", "query", kind, value)
    answer = ask(client, sale)
    assert (answer.status_code, answer.json["code"]) == (503, "payment_unknown")
    assert (sale.order.status, sale.attempt.status) == ("pending", "waiting")
    in_background(now=utcnow() + timedelta(seconds=15))
    assert wrong_with(sale) == 0


@pytest.mark.usefixtures("impatient")
def test_a_notification_while_the_provider_is_down_is_applied_when_it_is_back(world: World, sale: Sale) -> None:
    scan(world, show_code(sale))
    world.sandbox.box.knobs.add("wechatpay", "query", "error", 500)
    assert post(world, letter(world, sale.attempt.out_trade_no)) == 204
    assert inbox.sweep(now=utcnow()) == 0
    assert sale.order.status == "pending"
    assert inbox.sweep(now=utcnow() + timedelta(seconds=5)) == 1
    outbox.sweep(now=utcnow() + timedelta(seconds=6))
    assert wrong_with(sale) == 0


def test_p8_a_provider_that_hangs_leaves_us_answering_within_five_seconds(world: World, sale: Sale) -> None:
    world.sandbox.box.knobs.add("wechatpay", "native", "hang", 8)
    url = f"{world.settings.public_url}/api/v1/orders/{sale.order_id}/payments"
    headers = auth(sale.person)
    began = time.monotonic()
    answer = requests.post(url, json=PAY, headers=headers, timeout=30)
    assert time.monotonic() - began < 5
    assert (answer.status_code, sale.attempt.status) == (503, "unknown")


@pytest.mark.parametrize("code", ["PARAM_ERROR", "APPID_MCHID_NOT_MATCH", "RULE_LIMIT"])
def test_a_refused_payment_says_so_and_may_be_tried_again(
    world: World, client: FlaskClient, sale: Sale, code: str
) -> None:
    world.sandbox.box.knobs.add("wechatpay", "native", "error", code)
    answer = click(client, sale)
    assert (answer.status_code, answer.json["code"]) == (502, "payment_refused")
    assert click(client, sale).status_code == 200


@pytest.mark.usefixtures("impatient")
def test_a_payment_whose_create_was_lost_but_which_was_paid_is_found(
    world: World, client: FlaskClient, sale: Sale
) -> None:
    world.sandbox.box.knobs.add("wechatpay", "native", "reset_after")
    assert click(client, sale).status_code == 503
    scan(world, sale.attempt.out_trade_no)
    again = click(client, sale)
    assert (again.status_code, again.json["code"]) == (409, "paid_at_provider")
    in_background()
    assert wrong_with(sale) == 0


def test_a_trickling_answer_is_cut_off(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    class Slow:
        def iter_content(self, _size: int) -> Any:
            for _ in range(100):
                yield b"x"

    with pytest.raises(Unknown):
        wechatpay._read(Slow(), time.monotonic() - 1)  # type: ignore[arg-type]
    monkeypatch.setattr(wechatpay, "MAX_ANSWER", 10)
    with pytest.raises(Unknown):
        wechatpay._read(Slow(), time.monotonic() + 60)  # type: ignore[arg-type]


def test_what_a_broken_provider_says_reaches_no_log(
    world: World, client: FlaskClient, sale: Sale, capfd: pytest.CaptureFixture[str]
) -> None:
    scan(world, click(client, sale).json["code_url"])
    record = platform_order(world, sale.attempt.out_trade_no)
    assert record is not None
    world.sandbox.box.knobs.add("wechatpay", "query", "forged")
    ask(client, sale)
    assert record["openid"] not in capfd.readouterr().err
