"""One's invoices over the API: in plain words, with dates, and the file."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import pytest
from flask.testing import FlaskClient

from app.core.clock import utcnow
from app.invoice import decisions, issuing, queries, service
from app.invoice.models import Invoice
from app.policy import load
from app.policy.days import shanghai_day
from tests.factories import a_person, auth
from tests.invoice.desk import a_paid_sale, due, last_moment, open_cases, the_invoice, trouble, work
from tests.pay.till import Sale, a_sale
from tests.world import World


def listed(client: FlaskClient, sale: Sale) -> dict[str, Any]:
    """The one invoice of the person's list."""
    (one,) = client.get("/api/v1/invoices", headers=auth(sale.person)).get_json()["invoices"]
    found: dict[str, Any] = one
    return found


@pytest.fixture
def on_request(monkeypatch: pytest.MonkeyPatch, world: World) -> None:
    """The programme gives invoices on request only."""
    programme = load.programme("yunnan", "2021-02-01")
    assert programme.invoice is not None
    rule = msgspec.structs.replace(programme.invoice, issued="on_request", details_fixed_once_paid=False)
    changed = msgspec.structs.replace(programme, invoice=rule)
    monkeypatch.setattr(load, "_loaded", {**load._loaded, (programme.key, programme.version): changed})


def test_after_the_payment_it_says_when_the_invoice_will_come(client: FlaskClient, sale: Sale) -> None:
    row, said = the_invoice(sale), listed(client, sale)
    assert (said["state"], said["id"], said["amount_fen"]) == ("planned", row.id, 20000)
    assert (said["due_from"], said["due_until"]) == (
        str(shanghai_day(row.due_from)),
        str(shanghai_day(row.due_until)),
    )
    assert f"{shanghai_day(row.due_from).month}月{shanghai_day(row.due_from).day}日" in said["sentence"]
    assert (said["number"], said["pdf_url"]) == (None, None)


def test_a_ready_invoice_can_be_downloaded_without_a_session_for_ten_minutes(client: FlaskClient, sale: Sale) -> None:
    row = work(sale)
    said = listed(client, sale)
    assert (said["state"], said["number"]) == ("ready", row.number)
    answer = client.get(said["pdf_url"])
    assert (answer.status_code, answer.content_type) == (200, "application/pdf")
    assert answer.data.startswith(b"%PDF-")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "no-store"
    assert "attachment" in answer.headers["Content-Disposition"]
    old = service.pdf_link(row, now=utcnow() - timedelta(minutes=10, seconds=1))
    assert client.get(old or "").get_json()["code"] == "invoice_link_over"


def test_a_link_opens_its_own_invoice_only(client: FlaskClient, world: World, sale: Sale) -> None:
    other = work(a_paid_sale(world))
    link = service.pdf_link(work(sale), now=utcnow()) or ""
    ticket = link.partition("ticket=")[2]
    for bad in (f"/api/v1/invoices/{other.id}.pdf?ticket={ticket}", link[:-2], link.partition("?")[0]):
        assert client.get(bad).get_json()["code"] == "invoice_link_over"


def test_one_invoice_with_what_stands_on_it(client: FlaskClient, sale: Sale) -> None:
    row = work(sale)
    said = client.get(f"/api/v1/invoices/{row.id}", headers=auth(sale.person)).get_json()
    assert (said["title"], said["net_fen"], said["tax_fen"]) == (sale.person.name, 19417, 583)
    assert said["lines"] == [{"name": "培训费", "gross_fen": 20000, "net_fen": 19417, "tax_fen": 583}]
    assert "http" not in (said["pdf_url"] or "")  # the vendor's address never reaches a phone


def test_another_persons_invoice_is_not_found(client: FlaskClient, sale: Sale) -> None:
    row = the_invoice(sale)
    stranger = auth(a_person(name="李四"))
    assert client.get(f"/api/v1/invoices/{row.id}", headers=stranger).status_code == 404
    assert client.post(f"/api/v1/orders/{sale.order_id}/invoice", headers=stranger).status_code == 404
    assert client.get("/api/v1/invoices", headers=stranger).get_json() == {"invoices": [], "zip_url": None}


def test_each_state_is_told_in_plain_words(client: FlaskClient, world: World, sale: Sale) -> None:
    row = the_invoice(sale)
    late = service.card(row, now=last_moment(sale) + timedelta(seconds=1))
    assert (late.state, "比预计的晚" in late.sentence) == ("late", True)
    decisions.hold(row.id, reason="核对", actor="system:cli", now=utcnow())
    assert listed(client, sale)["state"] == "held"
    decisions.release(row.id, reason="核对无误", actor="system:cli", now=utcnow())
    trouble(world, "issue", "error", "E9105")
    issuing.work(now=due(sale))
    assert open_cases("invoice.refused", row) == 1
    said = listed(client, sale)
    assert (said["state"], "0871-64123240" in said["sentence"]) == ("problem", True)


def test_where_invoices_come_by_themselves_none_is_asked_for(client: FlaskClient, sale: Sale) -> None:
    answer = client.post(f"/api/v1/orders/{sale.order_id}/invoice", headers=auth(sale.person))
    assert (answer.status_code, answer.get_json()["code"]) == (409, "invoice_automatic")


@pytest.mark.usefixtures("on_request")
def test_where_they_come_on_request_asking_twice_gives_one(client: FlaskClient, world: World) -> None:
    sale = a_paid_sale(world)
    assert (queries.of_order(sale.order_id), listed(client, sale)["state"]) == (None, "requestable")
    for _ in range(2):
        answer = client.post(f"/api/v1/orders/{sale.order_id}/invoice", headers=auth(sale.person))
        assert (answer.status_code, answer.get_json()["state"]) == (200, "planned")
    assert Invoice.select().count() == 1
    assert work(sale).status == "ready"


@pytest.mark.usefixtures("on_request")
def test_an_order_that_is_not_paid_gets_no_invoice(client: FlaskClient, world: World) -> None:
    sale = a_sale()
    answer = client.post(f"/api/v1/orders/{sale.order_id}/invoice", headers=auth(sale.person))
    assert answer.get_json()["code"] == "invoice_needs_payment"
    assert client.get("/api/v1/invoices", headers=auth(sale.person)).get_json() == {"invoices": [], "zip_url": None}
