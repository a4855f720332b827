"""An order is made once, belongs to one person, and is paid with one number."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient

from app.account.models import Person
from app.core import outbox
from app.core.clock import utcnow
from app.core.db import transaction
from app.core.errors import Problem
from app.pay import janitor, queries, service, views
from app.pay.audit import audit_payments
from app.pay.channels import Device
from app.pay.models import Order, OrderLine, PaymentAttempt
from app.pay.status import AttemptStatus
from tests.factories import a_person, auth
from tests.pay.till import an_order, in_background, scan, start
from tests.world import World


@pytest.fixture
def person(world: World) -> Person:
    return a_person()


def order_with(person: Person, *skus: str, amount_fen: int = 20000) -> Order:
    """An order of several things."""
    now = utcnow()
    with transaction():
        return service.create_order(
            payer=service.Payer("person", person.id),
            programme="yunnan",
            version="2021-02-01",
            lines=[service.Line(sku, "继续教育", amount_fen) for sku in skus],
            expires_at=now + timedelta(minutes=30),
            now=now,
        )


def code_of(problem: pytest.ExceptionInfo[Problem]) -> str:
    return problem.value.code


def test_the_same_things_again_are_the_same_order_in_any_sequence(person: Person) -> None:
    assert order_with(person, "a", "b").id == order_with(person, "b", "a").id
    assert Order.select().count() == 1
    assert Order.get().amount_fen == 40000


def test_another_set_with_one_of_the_things_is_refused_and_names_the_order(person: Person) -> None:
    first = order_with(person, "a", "b")
    with pytest.raises(Problem) as problem:
        order_with(person, "a")
    assert (code_of(problem), problem.value.extra["order_id"]) == ("in_another_order", first.id)


def test_two_payers_for_one_thing_the_second_is_refused_and_learns_nothing(person: Person) -> None:
    order_with(person, "a")
    with pytest.raises(Problem) as problem:
        order_with(a_person(), "a")
    assert (code_of(problem), problem.value.extra["order_id"]) == ("in_another_order", None)


def test_things_of_a_paid_order_are_not_sold_again(world: World, person: Person) -> None:
    order = order_with(person, "a")
    attempt = start(order).attempt
    scan(world, attempt.out_trade_no)
    service.check_payment(person.id, order.id, now=utcnow())
    with pytest.raises(Problem) as problem:
        order_with(person, "a")
    assert code_of(problem) == "order_paid"


def test_things_of_a_closed_order_may_be_ordered_again(person: Person) -> None:
    first = order_with(person, "a")
    janitor.expire_orders(now=utcnow() + timedelta(minutes=31))
    second = order_with(person, "a")
    assert Order.get_by_id(first.id).status == "closed"
    assert second.id != first.id
    assert audit_payments() == []


def test_an_order_past_its_time_is_neither_given_again_nor_paid(person: Person) -> None:
    order = an_order(person, now=utcnow() - timedelta(minutes=31))
    with pytest.raises(Problem) as problem:
        order_with(person, "thing:1")
    assert code_of(problem) == "order_closing"
    with pytest.raises(Problem) as problem:
        start(order)
    assert code_of(problem) == "order_over"
    assert PaymentAttempt.select().count() == 0


@pytest.mark.parametrize("lines", [[], [("a", 0)], [("a", -1)], [("a", 1), ("a", 1)]])
def test_an_order_without_different_things_with_a_price_is_a_mistake(lines: list[tuple[str, int]]) -> None:
    now = utcnow()
    with pytest.raises(ValueError, match="lines"):
        service.create_order(
            payer=service.Payer("person", "p"),
            programme="yunnan",
            version="2021-02-01",
            lines=[service.Line(sku, "x", fen) for sku, fen in lines],
            expires_at=now,
            now=now,
        )


def test_who_loses_the_race_for_a_thing_gets_the_winners_order(
    person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = order_with(person, "a", "b")
    look, looks = service._taken, iter([set[str]()])  # the winner has not committed at the first look
    monkeypatch.setattr(service, "_taken", lambda skus: next(looks, None) or look(skus))
    assert order_with(person, "a", "b").id == first.id
    assert OrderLine.select().count() == 2


def test_no_payment_begins_once_the_order_closes(person: Person) -> None:
    order = an_order(person)  # read before the closing begins
    janitor.expire_orders(now=utcnow() + timedelta(minutes=31))
    with pytest.raises(Problem) as problem:
        service._attempt(order, "wechat_native", "yunnan.wechatpay", None, utcnow())
    assert code_of(problem) == "order_over"
    assert PaymentAttempt.select().count() == 0


def test_the_code_is_not_shown_when_the_order_was_closed_meanwhile(
    world: World, person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = an_order(person)
    opened = service._open

    def closes_meanwhile(*args: Any) -> Any:
        janitor.expire_orders(now=utcnow() + timedelta(minutes=31))
        return opened(*args)

    monkeypatch.setattr(service, "_open", closes_meanwhile)
    with pytest.raises(Problem) as problem:
        start(order)
    assert code_of(problem) == "order_over"
    assert PaymentAttempt.get().status == AttemptStatus.CLOSED
    assert audit_payments() == []


def test_a_channel_that_the_programme_does_not_name_is_refused(client: FlaskClient, person: Person) -> None:
    order = an_order(person)
    with pytest.raises(Problem) as problem:
        service.start_payment(person.id, order.id, "alipay_wap", Device("web"), now=utcnow())
    assert code_of(problem) == "channel_not_offered"
    answer = client.post(f"/api/v1/orders/{order.id}/payments", json={"channel": "cash"}, headers=auth(person))
    assert answer.status_code == 422
    assert PaymentAttempt.select().count() == 0


def test_another_persons_order_is_not_found(client: FlaskClient, person: Person) -> None:
    order = an_order(person)
    stranger = auth(a_person())
    for method, path in (("GET", ""), ("POST", "/payments"), ("POST", "/check")):
        answer = client.open(
            f"/api/v1/orders/{order.id}{path}", method=method, json={"channel": "wechat_native"}, headers=stranger
        )
        assert (method, path, answer.status_code) == (method, path, 404)
    assert client.get("/api/v1/orders", headers=stranger).get_json() == {"orders": []}
    assert client.get(f"/api/v1/orders/{order.id}").status_code == 401
    assert PaymentAttempt.select().count() == 0


@pytest.mark.parametrize("extra", [{"amount_fen": 1}, {"out_trade_no": "MINE000001"}, {"person_id": "another"}])
def test_a_price_in_the_request_is_refused(client: FlaskClient, person: Person, extra: dict[str, Any]) -> None:
    order = an_order(person)
    answer = client.post(
        f"/api/v1/orders/{order.id}/payments", json={"channel": "wechat_native", **extra}, headers=auth(person)
    )
    assert answer.status_code == 422
    assert PaymentAttempt.select().count() == 0


def test_the_screen_gets_order_code_and_time_left(client: FlaskClient, person: Person) -> None:
    order = an_order(person)
    shown = client.get("/api/v1/orders", headers=auth(person)).get_json()["orders"][0]
    assert shown["channels"] == ["wechat_native", "alipay_qr", "unionpay_b2c"]
    assert 1790 <= shown["seconds_left"] <= 1800
    payment = client.post(
        f"/api/v1/orders/{order.id}/payments", json={"channel": "wechat_native"}, headers=auth(person)
    ).get_json()
    assert payment["code_url"].startswith("weixin://")
    assert payment["qr_svg"].startswith("data:image/svg+xml")
    assert payment["amount_fen"] == 20000


def test_paying_and_closing_are_announced_once(world: World, person: Person) -> None:
    paid, closed = an_order(person, "a"), an_order(person, "b")
    heard: list[tuple[str, str]] = []

    def hearing(event: str) -> outbox.Subscriber:
        def hear(payload: dict[str, str], _now: datetime) -> None:
            heard.append((event, payload["order_id"]))

        return hear

    for event in ("order.paid", "order.closed"):
        outbox.subscribe(event, "test.hear", hearing(event))
    try:
        attempt = start(paid).attempt
        scan(world, attempt.out_trade_no)
        for seconds in (0, 1, 1860, 1900, 2000):
            in_background(now=utcnow() + timedelta(seconds=seconds))
            service.check_payment(person.id, paid.id, now=utcnow())
    finally:
        for event in ("order.paid", "order.closed"):
            del outbox._subscribers[event]["test.hear"]
    assert sorted(heard) == [("order.closed", closed.id), ("order.paid", paid.id)]


def test_a_page_of_an_order_asks_once_whether_it_is_disputed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    order, asked, real = an_order(a_person()), list[object](), queries.in_dispute

    def counted(skus: list[str]) -> bool:
        asked.append(skus)
        return real(skus)

    monkeypatch.setattr(queries, "in_dispute", counted)
    views.dump(order, Device(), utcnow())
    assert len(asked) == 1
