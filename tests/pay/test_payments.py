"""From the QR code to the grant, and what the provider does on the way."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient

from app.core import inbox, outbox, outgoing
from app.core.clock import utcnow
from app.core.inbox import InboxMessage
from app.pay import settlement
from tests.factories import auth
from tests.pay.till import (
    Sale,
    in_background,
    letter,
    platform_order,
    post,
    scan,
    show_code,
    trouble,
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
    shown = client.get(f"/api/v1/orders/{sale.order_id}", headers=auth(sale.person)).get_json()
    assert (shown["status"], shown["seconds_left"], shown["channels"]) == ("paid", 0, [])


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
    assert sale.order.status == "pending"
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


# --- trouble on the way ------------------------------------------------------------------------------------------


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tenths of seconds instead of seconds."""
    monkeypatch.setattr(outgoing, "TIMEOUT", (0.5, 0.3))


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


@pytest.mark.usefixtures("impatient")
def test_a_payment_whose_create_was_lost_but_which_was_paid_is_found(
    world: World, client: FlaskClient, sale: Sale
) -> None:
    trouble(world, "native", "reset_after")
    assert click(client, sale).status_code == 503
    scan(world, sale.attempt.out_trade_no)
    again = click(client, sale)
    assert (again.status_code, again.json["code"]) == (409, "paid_at_provider")
    in_background()
    assert wrong_with(sale) == 0


def test_what_a_broken_provider_says_reaches_no_log(
    world: World, client: FlaskClient, sale: Sale, capfd: pytest.CaptureFixture[str]
) -> None:
    scan(world, click(client, sale).json["code_url"])
    record = platform_order(world, sale.attempt.out_trade_no)
    assert record is not None
    world.sandbox.box.knobs.add("wechatpay", "query", "forged")
    ask(client, sale)
    assert record["openid"] not in capfd.readouterr().err
