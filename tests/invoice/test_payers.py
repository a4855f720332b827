"""Who pays: filled in before paying, typed again, and fixed once paid."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient

from app.account.models import Person
from app.core.clock import utcnow
from app.enrol import checkout
from app.invoice import payers, queries
from app.invoice.models import PayerChoice, PayerProfile
from app.invoice.payers import Details
from app.invoice.taxpayer import check_character
from tests.factories import a_person, an_enrolment, auth
from tests.invoice.desk import a_paid_sale, the_invoice, work
from tests.pay.till import Sale, a_sale
from tests.world import World

FIRST_17 = "91530100MA6K5XYG9"
NUMBER = FIRST_17 + check_character(FIRST_17)
COMPANY: dict[str, Any] = {
    "kind": "enterprise",
    "title": "云南建工（集团）有限公司",
    "taxpayer_number": NUMBER,
    "email": "caiwu@example.com",
    "phone": "0871-63120000",
    "address": "昆明市西山区环城西路1号",
    "bank_name": "中国建设银行昆明城西支行",
    "bank_account": "5300 1234 5678 9012",
}


def company(**changes: Any) -> Details:
    return Details(**(COMPANY | changes))


@pytest.fixture
def person(world: World) -> Iterator[Person]:
    return a_person(name="买买提·吾守尔")


def test_before_the_first_time_the_person_themselves_are_proposed(client: FlaskClient, person: Person) -> None:
    said = client.get("/api/v1/payer", headers=auth(person)).get_json()
    assert (said["kind"], said["title"], said["taxpayer_number"], said["saved"]) == (
        "person",
        "买买提·吾守尔",
        None,
        False,
    )
    assert PayerProfile.select().count() == 0


def test_an_enterprise_is_saved_sealed_and_read_again(client: FlaskClient, person: Person) -> None:
    typed = COMPANY | {
        "taxpayer_number": f" {NUMBER[:8].lower()} {NUMBER[8:]} ",
        "title": " 云南建工（集团）有限公司 ",
    }
    answer = client.put("/api/v1/payer", json=typed, headers=auth(person))
    assert answer.status_code == 200
    assert answer.get_json() == COMPANY | {"saved": True}
    assert client.get("/api/v1/payer", headers=auth(person)).get_json() == COMPANY | {"saved": True}
    (columns,) = PayerProfile.select().dicts()
    shown = " ".join(str(value) for value in columns.values())
    assert not any(str(value) in shown for name, value in COMPANY.items() if name != "kind")


def test_the_same_details_again_write_nothing_and_others_a_new_row(client: FlaskClient, person: Person) -> None:
    for email in ("a@example.com", "a@example.com", "b@example.com"):
        client.put("/api/v1/payer", json=COMPANY | {"email": email}, headers=auth(person))
    assert PayerProfile.select().count() == 2


def test_what_is_mine_nobody_else_sees(client: FlaskClient, person: Person) -> None:
    client.put("/api/v1/payer", json=COMPANY, headers=auth(person))
    said = client.get("/api/v1/payer", headers=auth(a_person(name="李四"))).get_json()
    assert (said["title"], said["saved"]) == ("李四", False)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"kind": "church"}, "kind"),
        ({"title": ""}, "title"),
        ({"title": "x" * 101}, "title"),
        ({"title": "云南\x01建工"}, "title"),
        ({"title": "云南\u202e建工"}, "title"),
        ({"address": "昆明市\u200b"}, "address"),
        ({"taxpayer_number": None}, "taxpayer_number"),
        ({"taxpayer_number": NUMBER[:-1] + ("1" if NUMBER[-1] != "1" else "2")}, "taxpayer_number"),
        ({"email": "nobody"}, "email"),
        ({"email": "a b@example.com"}, "email"),
        ({"phone": "call me"}, "phone"),
        ({"bank_name": None}, "bank_name"),
        ({"bank_account": None}, "bank_account"),
        ({"bank_account": "=1+1"}, "bank_account"),
        ({"kind": "person"}, "title"),
        ({"owner": "me"}, "owner"),
    ],
)
def test_what_no_invoice_can_hold_is_refused_field_by_field(
    client: FlaskClient, person: Person, changes: dict[str, Any], field: str
) -> None:
    answer = client.put("/api/v1/payer", json=COMPANY | changes, headers=auth(person))
    assert (answer.status_code, answer.get_json()["code"]) == (422, "invalid")
    assert field in answer.get_json()["fields"]
    assert PayerProfile.select().count() == 0


def test_everything_that_is_wrong_is_said_at_once(client: FlaskClient, person: Person) -> None:
    wrong = {"title": "", "taxpayer_number": "1", "email": "nobody", "phone": "call me", "bank_account": None}
    answer = client.put("/api/v1/payer", json=COMPANY | wrong, headers=auth(person))
    assert set(answer.get_json()["fields"]) == set(wrong)


def test_a_person_fills_in_an_e_mail_at_most_and_the_title_is_their_name(client: FlaskClient, person: Person) -> None:
    answer = client.put("/api/v1/payer", json={"kind": "person", "email": "m@example.com"}, headers=auth(person))
    assert (answer.get_json()["title"], answer.get_json()["email"]) == ("买买提·吾守尔", "m@example.com")


# --- typed again at the checkout, and kept by the order ----------------------------------------------------------


def buy(client: FlaskClient, person: Person, name: str, number: str) -> Any:
    row = an_enrolment(person, "signed_up")
    body = {"enrolment_ids": [row.id], "payer_name": name, "payer_number": number}
    return client.post("/api/v1/checkout", json=body, headers=auth(person))


def test_an_enterprise_types_its_name_and_taxpayer_number_again(client: FlaskClient, person: Person) -> None:
    client.put("/api/v1/payer", json=COMPANY, headers=auth(person))
    refused = buy(client, person, person.name, person.id_number)
    assert refused.status_code == 422
    assert "营业执照" in refused.get_json()["fields"]["payer_name"]
    assert "请按营业执照" in refused.get_json()["detail"]
    assert "身份证" not in refused.get_json()["detail"]
    done = buy(client, person, "云南建工(集团)有限公司", NUMBER.lower())
    assert done.status_code == 200
    (choice,) = PayerChoice.select().where(PayerChoice.order_id == done.get_json()["order_id"])
    assert PayerProfile.get_by_id(choice.profile_id).title == COMPANY["title"]


def test_a_person_who_saved_nothing_pays_in_their_own_name(client: FlaskClient, person: Person) -> None:
    order_id = buy(client, person, person.name, person.id_number).get_json()["order_id"]
    (choice,) = PayerChoice.select().where(PayerChoice.order_id == order_id)
    assert payers.of_row(PayerProfile.get_by_id(choice.profile_id)) == Details("person", person.name)


def pay_for(sale: Sale, details: Details) -> None:
    """Save these details and confirm the sale's order with them."""
    payers.save(sale.person.id, details, now=utcnow())
    payer = payers.payer(sale.person.id)
    checkout.checkout(
        sale.person.id, [sale.enrolment_id], payer_name=payer.name, payer_number=payer.number, now=utcnow()
    )


def test_the_enterprises_details_stand_on_the_invoice(world: World) -> None:
    sale = a_paid_sale(world, before=lambda sale: pay_for(sale, company()))
    row = work(sale)
    (order,) = [one for _, one in world.sandbox.box.store.all("invoice", "order") if one["number"] == row.number]
    sent = order["order"]
    assert (sent["buyerName"], sent["buyerTaxNum"], sent["email"]) == (
        COMPANY["title"],
        NUMBER,
        "caiwu@example.com",
    )
    assert sent["buyerAccount"] == "中国建设银行昆明城西支行 5300 1234 5678 9012"
    assert (sent["pushMode"], sent["naturalPersonFlag"]) == ("0", "0")


def test_details_are_fixed_once_paid_however_late_the_news_comes(world: World) -> None:
    sale = a_paid_sale(world, before=lambda sale: pay_for(sale, company()))
    payers.save(sale.person.id, company(title="另一家有限公司"), now=utcnow())
    assert queries.buyer(the_invoice(sale)).title == COMPANY["title"]
    paid = sale.order
    late = utcnow() + timedelta(days=1)
    assert payers.at_payment(paid, now=late).title == COMPANY["title"]


def test_of_several_confirmations_the_last_one_before_the_payment_counts(world: World) -> None:
    def twice(sale: Sale) -> None:
        pay_for(sale, company())
        pay_for(sale, company(title="第二家有限公司"))

    sale = a_paid_sale(world, before=twice)
    assert queries.buyer(the_invoice(sale)).title == "第二家有限公司"
    payers.save(sale.person.id, company(title="第三家有限公司"), now=utcnow())
    paid_at: datetime = sale.order.paid_at
    payers.choose(sale.order_id, payers.payer(sale.person.id), now=paid_at + timedelta(seconds=11))
    assert payers.at_payment(sale.order, now=utcnow()).title == "第二家有限公司"


def test_details_saved_between_the_typing_and_the_order_do_not_count(world: World) -> None:
    sale = a_sale()
    typed = payers.payer(sale.person.id)
    payers.save(sale.person.id, company(), now=utcnow())
    assert payers.choose(sale.order_id, typed, now=utcnow()).kind == "person"


def test_an_order_that_knows_of_no_payer_is_in_the_persons_own_name(world: World) -> None:
    sale = a_paid_sale(world)
    PayerChoice.delete().execute()
    PayerProfile.delete().execute()
    assert payers.of_row(payers.at_payment(sale.order, now=utcnow())) == Details("person", sale.person.name)
