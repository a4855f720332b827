"""The page of ours that leads to UnionPay's, the bank page, and the way back."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import requests
from flask.testing import FlaskClient

from app.account.models import Person
from app.core import inbox
from app.core.clock import utcnow
from app.pay import settlement
from app.pay.models import Order, PaymentAttempt
from app.pay.providers.protocol import Form
from app.pay.providers.unionpay import UnionPayProvider
from ops import wallet
from tests.factories import a_person, auth
from tests.pay import unionpay_side
from tests.pay.till import (
    an_order,
    code_of,
    scan,
    start,
)
from tests.pay.unionpay_side import a_provider, a_request
from tests.world import World


@pytest.fixture
def provider(world: World) -> UnionPayProvider:
    return a_provider(world)


@pytest.fixture
def person(world: World) -> Person:
    return a_person()


def a_paid_attempt(world: World, person: Person) -> PaymentAttempt:
    """An order of 200.00 yuan that a card has paid, and we have not heard of it."""
    started = start(an_order(person), "unionpay_b2c")
    scan(world, code_of(started.pay_by))
    return started.attempt


def a_click(client: FlaskClient, person: Person) -> dict[str, Any]:
    answer = client.post(
        f"/api/v1/orders/{an_order(person).id}/payments", json={"channel": "unionpay_b2c"}, headers=auth(person)
    )
    assert answer.status_code == 200
    paid: dict[str, Any] = answer.get_json()
    return paid


def test_a_click_leads_over_a_page_of_ours_to_the_bank_and_back(
    world: World, client: FlaskClient, person: Person
) -> None:
    payment = a_click(client, person)
    assert payment["kind"] == "redirect"
    assert payment["redirect_url"].startswith(f"{world.settings.public_url}/pay/go/")
    page = requests.get(payment["redirect_url"], timeout=5)
    assert "去银联支付" in page.text
    assert "¥200.00" in page.text
    policy = page.headers["Content-Security-Policy"]
    assert f"form-action {world.sandbox.url};" in policy
    assert "form-action 'self'" not in policy
    assert page.headers["Cache-Control"] == "no-store"
    fields = wallet.post_on(payment["redirect_url"])
    assert fields["frontUrl"] == f"{world.settings.public_url}/pay/return/{Order.get().id}"
    scan(world, fields["orderId"])
    settlement.ask(PaymentAttempt.get(), now=utcnow())
    assert Order.get().status == "paid"
    again = requests.get(payment["redirect_url"], timeout=5)
    assert (again.status_code, again.json()["code"]) == (409, "order_paid")


def test_every_click_is_the_same_payment(client: FlaskClient, world: World, person: Person) -> None:
    order = an_order(person)
    first, second = (start(order, "unionpay_b2c").pay_by for _ in range(2))
    assert first == second
    assert PaymentAttempt.select().count() == 1
    assert world.sandbox.box.journal.count("unionpay") == 0


def test_the_page_is_for_five_minutes_and_for_whoever_has_its_address(
    world: World, client: FlaskClient, person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = a_click(client, person)["redirect_url"].removeprefix(world.settings.public_url)
    assert client.get(path).status_code == 200
    for wrong in (path[:-1] + ("A" if path[-1] != "A" else "B"), "/pay/go/x", "/pay/go/" + "a" * 200):
        answer = client.get(wrong)
        assert (answer.status_code, answer.get_json()["code"]) == (404, "pay_link_over")
    monkeypatch.setattr("app.core.access.utcnow", lambda: utcnow() + timedelta(minutes=5, seconds=1))
    assert client.get(path).get_json()["code"] == "pay_link_over"
    page = client.get(path, headers={"Accept": "text/html"})
    assert page.content_type.startswith("text/html")
    assert "重新点" in page.text


def test_an_order_that_is_over_leads_nowhere(world: World, client: FlaskClient, person: Person) -> None:
    path = a_click(client, person)["redirect_url"].removeprefix(world.settings.public_url)
    Order.update(status="closing").execute()
    assert client.get(path).get_json()["code"] == "order_over"


@pytest.mark.parametrize("name", ["forward.css", "forward.js"])
def test_the_pages_files_are_files_of_this_host(client: FlaskClient, name: str) -> None:
    assert client.get(f"/pay/assets/{name}").status_code == 200


def test_coming_back_proves_nothing(world: World, client: FlaskClient, person: Person) -> None:
    attempt = a_paid_attempt(world, person)
    _, body = unionpay_side.letter(world, attempt.out_trade_no)
    calls = world.sandbox.box.journal.count("unionpay")
    for method in ("GET", "POST"):
        answer = client.open(
            f"/pay/return/{Order.get().id}",
            method=method,
            data=body,
            content_type="application/x-www-form-urlencoded",
        )
        assert (answer.status_code, answer.headers["Location"]) == (303, f"/?order={Order.get().id}")
    assert Order.get().status == "pending"
    assert inbox.InboxMessage.select().count() == 0
    assert world.sandbox.box.journal.count("unionpay") == calls


def test_the_bank_page_takes_a_card_declines_one_and_leads_back(world: World, provider: UnionPayProvider) -> None:
    request = a_request(return_url="http://127.0.0.1:9/pay/return")
    form = provider.create(request)
    assert isinstance(form, Form)
    assert "用银行卡付款" in requests.post(form.url, data=form.fields, timeout=5).text
    url = f"{world.sandbox.url}/_control/unionpay/pay"
    declined = requests.post(url, data={"out_trade_no": request.out_trade_no, "code": "64"}, timeout=5)
    assert "余额不足" in declined.text
    paid = requests.post(url, data={"out_trade_no": request.out_trade_no}, timeout=5)
    assert 'action="http://127.0.0.1:9/pay/return"' in paid.text
    assert requests.post(url, data={"out_trade_no": request.out_trade_no}, timeout=5).status_code == 409


@pytest.mark.parametrize("name", ["txnAmt", "orderId", "backUrl", "payTimeout"])
def test_a_form_that_a_browser_changed_is_refused_there(world: World, provider: UnionPayProvider, name: str) -> None:
    form = provider.create(a_request())
    assert isinstance(form, Form)
    changed = requests.post(form.url, data=form.fields | {name: form.fields[name] + "1"}, timeout=5)
    assert "验证签名失败" in changed.text
    assert unionpay_side.payment(world, form.fields["orderId"]) is None
