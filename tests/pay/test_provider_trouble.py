"""A provider in trouble: our answer is out within five seconds, the payment is in doubt and asked for (fault P8)."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient

from app.account.models import Person
from app.core import outgoing
from app.core.clock import utcnow
from app.pay import janitor, service
from app.pay.audit import audit_payments
from app.pay.models import Order, PaymentAttempt
from app.pay.providers.protocol import Refused, Unknown
from app.pay.providers.wechatpay import WeChatPayProvider
from config.settings import Settings
from tests.factories import a_person, auth
from tests.pay.till import an_order, lose_letters, scan, trouble
from tests.world import World

TROUBLE = [
    ("hang", 3),
    ("error", 500),
    ("error", 503),
    ("error", 302),
    ("error", 429),
    ("error", "SYSTEM_ERROR"),
    ("error", "FREQUENCY_LIMITED"),
    ("garbage", None),
    ("reset", None),
    ("reset_after", None),
    ("forged", None),
    ("unsigned", None),
    ("stale", 302),
    ("stale", -302),
]


@pytest.fixture
def person(world: World) -> Person:
    return a_person()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A silent provider is waited for half a second, not three."""
    monkeypatch.setattr(outgoing, "TIMEOUT", (0.5, 0.5))
    monkeypatch.setattr(outgoing, "TOTAL", 0.8)


@pytest.mark.parametrize(("kind", "value"), TROUBLE)
def test_a_payment_that_could_not_be_made_is_in_doubt_and_made_by_the_next_click(
    world: World, quick: None, client: FlaskClient, person: Person, kind: str, value: Any
) -> None:
    order = an_order(person)
    lose_letters(world)
    trouble(world, "native", kind, value)
    click = {"path": f"/api/v1/orders/{order.id}/payments", "json": {"channel": "wechat_native"}}
    answer = client.post(**click, headers=auth(person))  # type: ignore[arg-type]
    assert (answer.status_code, answer.get_json()["code"]) == (503, "payment_unknown")
    assert answer.headers["Retry-After"] == "5"
    attempt = PaymentAttempt.get()
    assert attempt.status == "unknown"
    answer = client.post(**click, headers=auth(person))  # type: ignore[arg-type]
    assert answer.status_code == 200
    assert PaymentAttempt.get().out_trade_no == attempt.out_trade_no
    scan(world, answer.get_json()["code_url"])
    janitor.find_lost_payments(now=utcnow() + timedelta(seconds=30))
    assert Order.get_by_id(order.id).status == "paid"
    assert audit_payments() == []


@pytest.mark.parametrize(("kind", "value"), [*TROUBLE, ("alter", {"trade_state": "SOMETHING_NEW"})])
def test_a_question_without_an_answer_changes_nothing_and_is_asked_again(
    world: World, quick: None, client: FlaskClient, person: Person, kind: str, value: Any
) -> None:
    order = an_order(person)
    lose_letters(world)
    headers = auth(person)
    client.post(f"/api/v1/orders/{order.id}/payments", json={"channel": "wechat_native"}, headers=headers)
    scan(world, PaymentAttempt.get().out_trade_no)
    trouble(world, "query", kind, value)
    answer = client.post(f"/api/v1/orders/{order.id}/check", headers=headers)
    assert (answer.status_code, answer.get_json()["code"]) == (503, "payment_unknown")
    assert Order.get_by_id(order.id).status == "pending"
    later = utcnow() + timedelta(seconds=4)
    assert service.check_payment(person.id, order.id, now=later).status == "paid"
    assert audit_payments() == []


def test_a_payment_that_the_provider_refuses_says_so_and_is_asked_about(
    world: World, client: FlaskClient, person: Person
) -> None:
    order = an_order(person)
    world.sandbox.box.knobs.add("wechatpay", "native", "error", "NO_AUTH")
    answer = client.post(
        f"/api/v1/orders/{order.id}/payments", json={"channel": "wechat_native"}, headers=auth(person)
    )
    assert (answer.status_code, answer.get_json()["code"]) == (502, "payment_refused")
    assert PaymentAttempt.get().status == "created"
    assert PaymentAttempt.get().ask_at <= utcnow()


# --- the client itself -------------------------------------------------------------------------------------------


@pytest.fixture
def provider(settings: Settings, world: World) -> WeChatPayProvider:
    return WeChatPayProvider("yunnan.wechatpay", settings.secrets, world.sandbox.url)


def test_an_unsigned_refusal_is_a_refusal_and_a_badly_signed_one_is_nothing(
    world: World, provider: WeChatPayProvider
) -> None:
    world.sandbox.box.knobs.add("wechatpay", "query", "unsigned")
    assert provider.query("NOSUCHORDER01").state == "absent"
    world.sandbox.box.knobs.add("wechatpay", "query", "forged")
    with pytest.raises(Unknown):
        provider.query("NOSUCHORDER01")
    assert provider.query("NOSUCHORDER01").state == "absent"


def test_closing_what_never_was_is_no_error_and_closing_what_is_paid_is_refused(
    world: World, provider: WeChatPayProvider, person: Person
) -> None:
    provider.close("NOSUCHORDER01")
    order = an_order(person)
    lose_letters(world)
    world.app.test_client().post(
        f"/api/v1/orders/{order.id}/payments", json={"channel": "wechat_native"}, headers=auth(person)
    )
    number = PaymentAttempt.get().out_trade_no
    scan(world, number)
    with pytest.raises(Refused) as refusal:
        provider.close(number)
    assert refusal.value.code == "ORDERPAID"


@pytest.fixture
def dripping() -> Iterator[str]:
    """A server that sends its answer byte by byte, each in time, all of it too late."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(65536)
            try:
                connection.sendall(
                    b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\nContent-Type: application/json\r\n\r\n"
                )
                for _ in range(100):
                    connection.sendall(b" " * 1000)
                    time.sleep(0.05)
            except OSError:
                return  # the caller hung up, as it should

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    listener.close()


def test_an_answer_that_only_drips_is_not_waited_for(settings: Settings, quick: None, dripping: str) -> None:
    provider = WeChatPayProvider("yunnan.wechatpay", settings.secrets, dripping)
    started = time.monotonic()
    with pytest.raises(Unknown):
        provider.query("NOSUCHORDER01")
    assert time.monotonic() - started < 2.5


def test_connections_are_kept(world: World, provider: WeChatPayProvider) -> None:
    for _ in range(3):
        provider.query("NOSUCHORDER01")
    adapter: Any = provider._line._session.get_adapter("http://x")
    pools = adapter.poolmanager.pools
    assert [pools[key].num_connections for key in pools.keys()] == [1]  # noqa: SIM118 not a dict


# --- hostile callers ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        "text",
        {"channel": None},
        {"channel": ["wechat_native"]},
        {"channel": "wechat_native", "client": "fridge"},
        {"channel": "' OR 1=1 --"},
        {"channel": "\x00" * 100},
    ],
    ids=repr,
)
def test_a_body_that_is_not_a_choice_of_channel_is_refused(client: FlaskClient, person: Person, body: Any) -> None:
    order = an_order(person)
    answer = client.post(f"/api/v1/orders/{order.id}/payments", json=body, headers=auth(person))
    assert answer.status_code in (400, 422)
    assert answer.content_type == "application/problem+json"
    assert PaymentAttempt.select().count() == 0


@pytest.mark.parametrize("order_id", ["x", "0" * 16, "%00", "' OR 1=1", "订单", "a" * 5000])
def test_an_order_that_is_none_is_not_found(client: FlaskClient, person: Person, order_id: str) -> None:
    headers = auth(person)
    assert client.get(f"/api/v1/orders/{order_id}", headers=headers).status_code == 404
    assert client.post(f"/api/v1/orders/{order_id}/check", headers=headers).status_code == 404


@pytest.mark.parametrize("body", [b"", b"{}", b"\xff\xfe", b"[" * 60_000, b"null", b"{" + b" " * 60_000])
def test_a_callback_without_a_signature_is_refused(world: World, client: FlaskClient, body: bytes) -> None:
    answer = client.post("/api/v1/callbacks/wechatpay/yunnan.wechatpay", data=body)
    assert (answer.status_code, answer.get_json()["code"]) == (401, "notification_refused")


def test_a_callback_that_is_too_large_is_not_read(client: FlaskClient) -> None:
    answer = client.post("/api/v1/callbacks/wechatpay/yunnan.wechatpay", data=b"x" * 70_000)
    assert answer.status_code == 413
