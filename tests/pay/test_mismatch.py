"""Signed, and yet not what we asked for: nothing is granted, and a person is told (fault P4)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient

from app.account.models import Person
from app.cases import service as cases
from app.core import inbox
from app.core.clock import utcnow
from app.pay import service
from app.pay.audit import audit_payments
from app.pay.models import Order, PaymentAttempt, Refund
from app.pay.providers.wechatpay import WeChatPayProvider
from config.settings import SecretMissing, Secrets
from tests.factories import a_person, auth
from tests.pay.till import CALLBACK, an_order, in_background, letter, lose_letters, post, scan, start
from tests.world import World

CHANGES = [
    {"amount": {"total": 1}},
    {"amount": {"total": 20001}},
    {"amount": {"total": "20000"}},
    {"amount": {"total": True}},
    {"amount": {"currency": "USD"}},
    {"amount": None},
    {"appid": "wx0000000000000000"},
    {"mchid": "1600000000"},
    {"transaction_id": ""},
]


@pytest.fixture
def person(world: World) -> Person:
    return a_person()


def a_paid_attempt(world: World, person: Person) -> PaymentAttempt:
    lose_letters(world)
    order = an_order(person)
    attempt = start(order).attempt
    scan(world, attempt.out_trade_no)
    return attempt


def left_to_a_person(attempt: PaymentAttempt) -> None:
    """Nothing granted, one case, and the order comes to its end all the same."""
    in_background()
    assert Order.get_by_id(attempt.order_id).status == "pending"
    assert PaymentAttempt.get_by_id(attempt.id).status == "disputed"
    assert [case.subject for case in cases.open_cases("pay.mismatch")] == [f"attempt:{attempt.id}"]
    in_background(now=utcnow() + timedelta(minutes=31))
    assert Order.get_by_id(attempt.order_id).status == "closed"
    assert Refund.select().count() == 0
    assert audit_payments() == []


@pytest.mark.parametrize("change", CHANGES, ids=str)
def test_a_notification_that_does_not_fit_grants_nothing(
    world: World, person: Person, change: dict[str, Any]
) -> None:
    attempt = a_paid_attempt(world, person)
    assert post(world, letter(world, attempt.out_trade_no, change=change)) == 204
    inbox.sweep(now=utcnow())
    left_to_a_person(attempt)


@pytest.mark.parametrize("change", [*CHANGES, {"out_trade_no": "ANOTHER0001WN"}], ids=str)
def test_an_answer_that_does_not_fit_grants_nothing(
    world: World, client: FlaskClient, person: Person, change: dict[str, Any]
) -> None:
    attempt = a_paid_attempt(world, person)
    world.sandbox.box.knobs.add("wechatpay", "query", "alter", change)
    answer = client.post(f"/api/v1/orders/{attempt.order_id}/check", headers=auth(person))
    assert (answer.status_code, answer.get_json()["status"]) == (200, "pending")
    left_to_a_person(attempt)


def test_a_word_without_an_appid_is_not_ours_where_the_merchant_has_no_official_account(
    world: World, person: Person
) -> None:
    class WithoutOfficial(Secrets):
        def get(self, name: str) -> str:
            if name.endswith("official_appid"):
                raise SecretMissing(name)
            return world.settings.secrets.get(name)

    attempt = a_paid_attempt(world, person)
    provider = WeChatPayProvider(attempt.authority, WithoutOfficial(None, {}), world.sandbox.url)
    world.sandbox.box.knobs.add("wechatpay", "query", "alter", {"appid": None})
    assert not provider.query(attempt.out_trade_no).ours
    assert provider.query(attempt.out_trade_no).ours


def test_a_notification_of_a_payment_that_nobody_knows_is_a_case(world: World, person: Person) -> None:
    attempt = a_paid_attempt(world, person)
    assert post(world, letter(world, attempt.out_trade_no, change={"out_trade_no": "NOBODYS0001WN"})) == 204
    inbox.sweep(now=utcnow())
    assert [case.subject for case in cases.open_cases("pay.unknown_number")] == ["number:NOBODYS0001WN"]
    assert Order.get_by_id(attempt.order_id).status == "pending"


def test_another_merchants_word_about_our_payment_counts_for_nothing(world: World, person: Person) -> None:
    attempt = a_paid_attempt(world, person)
    PaymentAttempt.update(authority="henan.wechatpay").where(PaymentAttempt.id == attempt.id).execute()
    calls = world.sandbox.box.journal.count("wechatpay")
    assert post(world, letter(world, attempt.out_trade_no)) == 204
    inbox.sweep(now=utcnow())
    assert PaymentAttempt.get_by_id(attempt.id).status == "waiting"
    assert len(cases.open_cases("pay.unknown_number")) == 1
    assert world.sandbox.box.journal.count("wechatpay") == calls


def test_a_mismatch_after_the_payment_changes_nothing_but_is_told(world: World, person: Person) -> None:
    attempt = a_paid_attempt(world, person)
    service.check_payment(person.id, attempt.order_id, now=utcnow())
    assert post(world, letter(world, attempt.out_trade_no, change={"amount": {"total": 1}})) == 204
    inbox.sweep(now=utcnow())
    assert Order.get_by_id(attempt.order_id).status == "paid"
    assert len(cases.open_cases("pay.mismatch")) == 1
    assert audit_payments() == []


def test_the_case_file_holds_no_amount_in_the_clear(world: World, person: Person) -> None:
    attempt = a_paid_attempt(world, person)
    post(world, letter(world, attempt.out_trade_no, change={"amount": {"total": 1}}))
    inbox.sweep(now=utcnow())
    (case,) = cases.open_cases("pay.mismatch")
    assert '"paid_fen": 1' in case.facts
    assert "paid_fen" not in case.facts_sealed


def test_the_address_of_another_merchant_does_not_exist(client: FlaskClient) -> None:
    for path in ("henan.wechatpay", "yunnan.baidu", "yunnan.wechat", "None"):
        assert client.post(CALLBACK.replace("yunnan.wechatpay", path)).status_code == 404
    assert client.post(CALLBACK.replace("wechatpay/", "alipay/")).status_code == 404
    assert client.get(CALLBACK).status_code == 405


@pytest.mark.parametrize(
    "name", ["__annotations__", "__class__", "__dict__", "__struct_fields__", "wechatpay_", "%00"]
)
def test_a_callback_of_a_provider_that_is_none_does_not_exist(client: FlaskClient, name: str) -> None:
    answer = client.post(f"/api/v1/callbacks/{name}/x", data=b"{}")
    assert (answer.status_code, answer.get_json()["code"]) == (404, "not_found")
