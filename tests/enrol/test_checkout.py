"""From enrolments to an order, and what becomes of them when it is paid or closed."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from threading import Barrier
from typing import Any

import pytest
from flask.testing import FlaskClient

from app.account.models import Person
from app.core import db, outbox
from app.core.clock import SHANGHAI, utcnow
from app.core.db import transaction
from app.core.errors import Problem
from app.enrol import checkout as till
from app.enrol import queries, service, sign_up
from app.enrol.models import Enrolment
from app.enrol.status import Action, NotAllowed
from app.pay import ledger
from app.pay import queries as orders
from app.pay.models import Order
from app.pay.status import OrderAction
from tests.enrol.conftest import body
from tests.factories import a_person, a_roster_entry, an_enrolment, auth
from tests.world import World

NOON = datetime(2021, 12, 16, 12, tzinfo=SHANGHAI)


@pytest.fixture
def person(world: World) -> Person:
    return a_person(name="买买提·吾守尔")


def buy(person: Person, rows: Sequence[Enrolment], now: datetime | None = None, **changes: str) -> till.Checkout:
    payer = {"payer_name": "买买提·吾守尔", "payer_number": person.id_number} | changes
    return till.checkout(person.id, [row.id for row in rows], now=now or utcnow(), **payer)


def pay(order_id: str, now: datetime, *, heard_at: datetime | None = None) -> None:
    """The order is paid at `now`, and everybody hears of it then, or later."""
    assert ledger.move(orders.get_order(order_id), OrderAction.PAY, "test", now=now, paid_at=now)
    outbox.sweep(now=heard_at or now)


def close(order_id: str, now: datetime, *, heard: bool = True) -> None:
    """The order was not paid in time."""
    for action in (OrderAction.START_CLOSING, OrderAction.CLOSE):
        assert ledger.move(orders.get_order(order_id), action, "test", now=now)
    if heard:
        outbox.sweep(now=now)


def again(row: Enrolment) -> Enrolment:
    return service.get(row.id)


# --- the order ---------------------------------------------------------------------------------------------------


def test_ticked_enrolments_become_one_order(client: FlaskClient, person: Person) -> None:
    rows = [
        an_enrolment(person, "signed_up", entry=a_roster_entry(person, kind_code=kind)) for kind in ("TJ", "XHG", "A")
    ]
    content = {
        "enrolment_ids": [rows[0].id, rows[1].id, rows[0].id],
        "payer_name": "买买提·吾守尔",
        "payer_number": person.id_number,
    }

    before = utcnow()
    answer = client.post("/api/v1/checkout", json=content, headers=auth(person))

    assert answer.status_code == 200
    assert (body(answer)["amount_fen"], body(answer)["status"]) == (40000, "pending")
    expires = datetime.fromisoformat(body(answer)["expires_at"])
    assert timedelta(minutes=29) < expires - before < timedelta(minutes=31)
    order_id = body(answer)["order_id"]
    assert [(line.title, line.amount_fen) for line in orders.lines(order_id)] == [
        ("塔机司机继续教育", 20000),
        ("司索信号工继续教育", 20000),
    ]
    assert [again(row).order_id for row in rows] == [order_id, order_id, None]
    assert body(client.post("/api/v1/checkout", json=content, headers=auth(person))) == body(answer)
    assert len(queries.history(rows[0].id)) == 1


def test_before_the_order_it_is_told_what_is_unpaid_what_it_costs_and_what_cannot_be_had_back(
    client: FlaskClient, person: Person
) -> None:
    first, second = an_enrolment(person, "signed_up"), an_enrolment(person, "signed_up")
    an_enrolment(person, "studying")
    an_enrolment(a_person(), "signed_up")

    answer = body(client.get("/api/v1/checkout", query_string={"enrolment_id": first.id}, headers=auth(person)))

    assert {one["id"] for one in answer["enrolments"]} == {first.id, second.id}
    assert answer["prices_fen"] == [20000, 40000]
    assert answer["retype"] is True
    for word in ("不退费", "3 至 5 个工作日", "30 分钟"):
        assert any(word in term for term in answer["terms"])
    assert body(client.get("/api/v1/checkout", headers=auth(person))) == answer


def test_where_nothing_is_unpaid_there_is_no_checkout(client: FlaskClient, person: Person) -> None:
    an_enrolment(person, "studying")

    answer = client.get("/api/v1/checkout", headers=auth(person))

    assert (answer.status_code, body(answer)["code"]) == (409, "nothing_to_pay")


def test_clicks_at_the_same_moment_make_one_order(person: Person) -> None:
    rows = [an_enrolment(person, "signed_up"), an_enrolment(person, "signed_up")]
    start = Barrier(6)

    def click(number: int) -> str:
        with db.connection():
            start.wait()
            return buy(person, rows if number % 2 else rows[::-1]).order_id

    with ThreadPoolExecutor(6) as pool:
        order_ids = set(pool.map(click, range(6)))

    assert [order.id for order in orders.orders_of(person.id)] == list(order_ids)
    assert [len(queries.history(row.id)) for row in rows] == [1, 1]


@pytest.mark.parametrize("name", ["买买提•吾守尔", "买买提・吾守尔", " 买买提 · 吾守尔　", "买买提.吾守尔"])
def test_the_payers_name_may_be_typed_as_phones_type_it(person: Person, name: str) -> None:
    row = an_enrolment(person, "signed_up")

    assert buy(person, [row], payer_name=name).amount_fen == 20000


def test_the_payers_number_may_be_typed_with_spaces_or_a_small_x(person: Person) -> None:
    row = an_enrolment(person, "signed_up")
    number = person.id_number

    assert buy(person, [row], payer_number=f" {number[:6]} {number[6:14]} {number[14:].lower()}")


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"payer_name": "买买提"}, {"payer_name"}),
        ({"payer_name": "张三"}, {"payer_name"}),
        ({"payer_number": "530102198001010011"}, {"payer_number"}),
        ({"payer_number": "="}, {"payer_number"}),
        ({"payer_name": "张三", "payer_number": "1"}, {"payer_name", "payer_number"}),
    ],
)
def test_a_payer_who_is_somebody_else_is_told_which_field_differs_and_not_how(
    client: FlaskClient, person: Person, changes: dict[str, str], fields: set[str]
) -> None:
    row = an_enrolment(person, "signed_up")
    payer = {"payer_name": "买买提·吾守尔", "payer_number": person.id_number} | changes

    answer = client.post("/api/v1/checkout", json={"enrolment_ids": [row.id]} | payer, headers=auth(person))

    assert (answer.status_code, body(answer)["code"]) == (422, "payer_mismatch")
    assert set(body(answer)["fields"]) == fields
    assert "吾守尔" not in answer.text
    assert person.id_number not in answer.text
    assert again(row).order_id is None


def test_another_persons_enrolments_are_not_found(client: FlaskClient, person: Person) -> None:
    mine, other = an_enrolment(person, "signed_up"), an_enrolment(a_person(), "signed_up")

    for ids in ([other.id], [mine.id, other.id], ["0" * 16]):
        content = {"enrolment_ids": ids, "payer_name": "买买提·吾守尔", "payer_number": person.id_number}
        answer = client.post("/api/v1/checkout", json=content, headers=auth(person))
        assert (answer.status_code, body(answer)["code"]) == (404, "not_found")
    assert again(mine).order_id is None
    assert orders.orders_of(person.id) == []


@pytest.mark.parametrize("status", ["studying", "passed", "completed", "lapsed"])
def test_what_is_paid_is_not_paid_again(person: Person, status: str) -> None:
    paid, unpaid = an_enrolment(person, status, order_id=None), an_enrolment(person, "signed_up")

    with pytest.raises(Problem) as caught:
        buy(person, [unpaid, paid])

    assert caught.value.code == "already_paid"
    assert orders.orders_of(person.id) == []


def test_an_order_that_is_paid_but_not_yet_heard_of_is_not_paid_again(person: Person) -> None:
    row = an_enrolment(person, "signed_up")
    order = buy(person, [row])
    assert ledger.move(Order.get_by_id(order.order_id), OrderAction.PAY, "test", now=utcnow(), paid_at=utcnow())

    with pytest.raises(Problem) as caught:
        buy(person, [row])

    assert caught.value.code == "already_paid"


def test_a_certificate_that_expired_too_long_ago_is_refused_even_after_the_sign_up(person: Person) -> None:
    entry = a_roster_entry(person, expires_on=date(2021, 10, 17))
    last = datetime(2021, 12, 16, 23, 59, 59, 999_999, tzinfo=SHANGHAI)
    (row,) = sign_up.sign_up(person.id, [entry.id], now=last)

    with pytest.raises(Problem) as caught:
        buy(person, [row], last + timedelta(microseconds=1))

    assert caught.value.code == "certificate_expired_too_long"
    assert buy(person, [row], last).amount_fen == 20000


def test_enrolments_of_two_programmes_are_paid_apart(person: Person) -> None:
    other = an_enrolment(person, "signed_up", entry=a_roster_entry(person, programme="henan"))

    with pytest.raises(Problem) as caught:
        buy(person, [an_enrolment(person, "signed_up"), other])

    assert caught.value.code == "one_programme_per_order"


def test_the_order_fixes_the_version_of_the_rules(person: Person) -> None:
    row = an_enrolment(person, "signed_up", version="2020-01-01")

    buy(person, [row])

    assert again(row).version == "2021-02-01"


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"enrolment_ids": [], "payer_name": "x", "payer_number": "x"},
        {"enrolment_ids": ["0" * 16], "payer_name": "", "payer_number": ""},
        {"enrolment_ids": ["0" * 16], "payer_name": "x" * 101, "payer_number": "x"},
        {"enrolment_ids": ["0" * 16], "payer_name": {"$ne": ""}, "payer_number": "x"},
        {"enrolment_ids": ["0" * 15 + "/"], "payer_name": "x", "payer_number": "x"},
    ],
)
def test_malformed_checkouts_make_no_order(client: FlaskClient, person: Person, content: dict[str, Any]) -> None:
    answer = client.post("/api/v1/checkout", json=content, headers=auth(person))

    assert (answer.status_code, answer.mimetype) == (422, "application/problem+json")
    assert body(answer)["fields"]


def test_a_price_in_the_request_is_not_believed(client: FlaskClient, person: Person) -> None:
    row = an_enrolment(person, "signed_up")
    content = {"enrolment_ids": [row.id], "payer_name": "买买提·吾守尔", "payer_number": person.id_number}

    answer = client.post("/api/v1/checkout", json=content | {"amount_fen": 1}, headers=auth(person))

    assert answer.status_code == 422
    assert orders.orders_of(person.id) == []


# --- paid, closed ------------------------------------------------------------------------------------------------


def test_a_paid_order_opens_the_study_period_of_its_enrolments(person: Person) -> None:
    rows = [an_enrolment(person, "signed_up"), an_enrolment(person, "signed_up")]
    order = buy(person, rows, NOON)

    pay(order.order_id, NOON)

    for row in map(again, rows):
        assert (row.status, row.order_id, row.paid_at) == ("studying", order.order_id, NOON)
        # the manual's picture: paid on 12-16, until 01-16
        assert row.study_deadline == datetime(2022, 1, 16, 23, 59, 59, 999_999, tzinfo=SHANGHAI)
    assert [event.action for event in queries.history(rows[0].id)] == ["order", "pay"]


def test_a_payment_that_is_heard_of_late_counts_from_the_day_it_was_made(person: Person) -> None:
    row = an_enrolment(person, "signed_up")
    order = buy(person, [row], NOON)
    ledger.move(Order.get_by_id(order.order_id), OrderAction.PAY, "test", now=NOON, paid_at=NOON)

    outbox.sweep(now=NOON + timedelta(days=3))

    assert again(row).paid_at == NOON
    assert again(row).study_deadline == datetime(2022, 1, 16, 23, 59, 59, 999_999, tzinfo=SHANGHAI)


def test_the_same_payment_heard_of_twice_changes_nothing(person: Person) -> None:
    row = an_enrolment(person, "signed_up")
    order = buy(person, [row], NOON)
    pay(order.order_id, NOON)
    before = again(row)

    with transaction():
        till.paid({"order_id": order.order_id}, NOON + timedelta(hours=1))

    assert again(row).study_deadline == before.study_deadline
    assert [event.action for event in queries.history(row.id)] == ["order", "pay"]


def test_money_of_a_second_order_is_never_taken_in_silence(person: Person) -> None:
    row = an_enrolment(person, "signed_up")
    order = buy(person, [row], NOON)
    ledger.move(Order.get_by_id(order.order_id), OrderAction.PAY, "test", now=NOON, paid_at=NOON)
    Enrolment.update(status="studying", paid_at=NOON, order_id="another").where(Enrolment.id == row.id).execute()

    with pytest.raises(NotAllowed), transaction():
        till.paid({"order_id": order.order_id}, NOON)

    assert again(row).order_id == "another"


def test_after_a_closed_order_one_may_order_again(person: Person) -> None:
    row = an_enrolment(person, "signed_up")
    first = buy(person, [row], NOON)

    close(first.order_id, NOON + timedelta(minutes=31))

    assert (again(row).status, again(row).order_id) == ("signed_up", None)
    second = buy(person, [row], NOON + timedelta(minutes=32))
    assert second.order_id != first.order_id
    assert [event.action for event in queries.history(row.id)] == ["order", "order_closed", "order"]


def test_the_late_news_of_a_closed_order_does_not_touch_the_next_one(person: Person) -> None:
    row = an_enrolment(person, "signed_up")
    first = buy(person, [row], NOON)
    close(first.order_id, NOON + timedelta(minutes=31), heard=False)
    second = buy(person, [row], NOON + timedelta(minutes=32))

    outbox.sweep(now=NOON + timedelta(minutes=33))

    assert again(row).order_id == second.order_id
    pay(second.order_id, NOON + timedelta(minutes=34))
    assert (again(row).status, again(row).order_id) == ("studying", second.order_id)


# --- a stale reader ----------------------------------------------------------------------------------------------


def stale_close(row: Enrolment) -> None:
    """A worker that read the row before it was paid hears that its order was closed."""
    stale = again(row)
    with transaction():
        service.move(again(row), Action.PAY, now=NOON, paid_at=NOON)
    with transaction():
        service.move(stale, Action.ORDER_CLOSED, now=NOON, order_id=None)


def test_a_worker_with_an_old_copy_changes_nothing(person: Person) -> None:
    row = an_enrolment(person, "signed_up")

    with pytest.raises(Problem) as caught:
        stale_close(row)

    assert caught.value.code == "conflict"
    assert again(row).status == "studying"


def test_without_the_comparison_the_same_worker_takes_a_payment_back(
    person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = an_enrolment(person, "signed_up")
    monkeypatch.setattr(service, "_as_read", lambda row: Enrolment.id == row.id)

    stale_close(row)

    assert again(row).status == "signed_up"
