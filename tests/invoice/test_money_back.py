"""Money that goes back of an invoice that is there: a case until people have decided, whatever was decided before."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

import pytest

from app.cases import service as cases
from app.core.clock import utcnow
from app.core.errors import Problem
from app.invoice import corrections, payers, queries, service
from app.invoice.audit import audit_invoices
from app.invoice.models import Invoice
from app.invoice.status import Status
from app.pay import decisions as pay_decisions
from tests.factories import auth
from tests.invoice.desk import a_paid_sale, asked, look_after, open_cases, the_invoice, to_decide, trouble, work
from tests.invoice.reds import COMPANY, decide, forms, go_on, ready
from tests.pay.till import Sale
from tests.world import World

pytestmark = pytest.mark.usefixtures("in_order")
WHY: dict[str, Any] = {"reason": "抬头有误", "actor": "staff:1"}


def refund(sale: Sale, fen: int) -> None:
    """Finance gives a part of the payment back."""
    pay_decisions.refund_part(sale.order_id, fen, reason="x", actor="staff:1", now=utcnow())


def test_of_a_part_that_went_back_afterwards_the_rest_is_invoiced_anew(world: World, sale: Sale) -> None:
    old = ready(sale)
    refund(sale, 5000)
    look_after(utcnow())
    decide("invoice.red_letter", "reverse")
    go_on()
    new = the_invoice(sale)
    assert (new.gross_fen, new.net_fen + new.tax_fen, new.replaces) == (15000, 15000, old.id)
    assert forms(world, sale)[0]["redReason"] == "3"
    row = work(sale)
    assert (row.status, row.gross_fen) == (Status.READY, 15000)
    look_after(utcnow())
    assert cases.open_cases() == []


def test_of_money_that_all_went_back_there_is_a_red_letter_and_nothing_else(world: World, sale: Sale) -> None:
    ready(sale)
    refund(sale, 20000)
    look_after(utcnow())
    decide("invoice.red_letter", "reverse")
    go_on()
    row = the_invoice(sale)
    assert (row.status, len(queries.every_of_order(sale.order_id))) == (Status.REVERSED, 1)
    card = service.card(row, now=utcnow())
    assert (card.state, "已红冲" in card.sentence) == ("cancelled", True)


def test_of_what_is_kept_before_it_was_issued_one_click_issues_the_rest(world: World, sale: Sale) -> None:
    the_invoice(sale)
    refund(sale, 5000)
    look_after(utcnow())
    decide("invoice.part_kept", "issue")
    row = work(sale)
    assert (row.status, row.gross_fen, row.serial) == (Status.READY, 15000, f"F{sale.order_id}N2".upper())
    assert asked(world, "red") == 0
    client, mine = world.app.test_client(), auth(sale.person)
    (listed,) = client.get("/api/v1/invoices", headers=mine).get_json()["invoices"]
    one = client.get(f"/api/v1/invoices/{row.id}", headers=mine).get_json()
    assert (listed["amount_fen"], one["amount_fen"], one["lines"][0]["gross_fen"]) == (15000, 15000, 15000)


def test_a_second_part_that_goes_back_takes_back_the_second_invoice_too(world: World, sale: Sale) -> None:
    ready(sale)
    for left in (15000, 12000):
        part = 5000 if left == 15000 else 3000
        refund(sale, part)
        look_after(utcnow())
        decide("invoice.red_letter", "reverse")
        go_on()
        assert work(sale).gross_fen == left
    assert [row.status for row in queries.every_of_order(sale.order_id)] == ["reversed", "reversed", "ready"]
    assert len({form["blueElecInvoiceNumber"] for form in forms(world, sale)}) == 2


@pytest.mark.parametrize("refunded", ["before", "meanwhile", "afterwards"])
def test_a_correction_that_was_withdrawn_does_not_hide_money_that_goes_back(
    world: World, sale: Sale, refunded: str
) -> None:
    trouble(world, "red", "error", "E9103")
    row = ready(sale)
    if refunded == "before":
        refund(sale, 20000)
    corrections.reverse(row.id, why="mistake", now=utcnow(), **WHY)
    if refunded == "meanwhile":
        refund(sale, 20000)
    look_after(utcnow())
    assert open_cases("invoice.red_letter", row) == 0  # what is on its way takes it back
    go_on()
    corrections.withdraw(row.id, now=utcnow(), **WHY)
    if refunded == "afterwards":
        refund(sale, 20000)
    standing = f"invoice {row.id} stands, its money went back, and nobody was told"
    assert standing in audit_invoices(utcnow() + timedelta(days=30))
    for _ in range(2):
        look_after(utcnow())
    assert open_cases("invoice.red_letter", row) == 1
    assert standing not in audit_invoices(utcnow() + timedelta(days=30))
    decide("invoice.red_letter", "reverse")
    go_on()
    assert Invoice.get_by_id(row.id).status == Status.REVERSED


def test_that_it_stands_although_money_went_back_is_decided_for_that_money_only(world: World, sale: Sale) -> None:
    trouble(world, "red", "error", "E9103")
    row = ready(sale)
    refund(sale, 5000)
    look_after(utcnow())
    decide("invoice.red_letter", "reverse")
    go_on()
    corrections.withdraw(row.id, now=utcnow(), **WHY)
    look_after(utcnow())
    assert (to_decide(row), audit_invoices(utcnow() + timedelta(days=30))) == ([], [])
    refund(sale, 3000)
    look_after(utcnow())
    assert to_decide(row) == ["invoice.red_letter"]


def test_nobody_alone_says_that_a_red_letter_exists(sale: Sale) -> None:
    row = ready(sale)
    refund(sale, 5000)
    look_after(utcnow())
    with pytest.raises(Problem, match="not_found"):
        decide("invoice.red_letter", "done")
    assert open_cases("invoice.red_letter", row) == 1


def test_the_work_on_money_that_goes_back_asks_as_briefly_of_many_as_of_one(world: World, sale: Sale) -> None:
    asked_for: list[int] = []

    class Read(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            asked_for.append(len(record.msg[1] or ()))  # peewee logs (sql, parameters)

    said = logging.getLogger("peewee")
    reader, level = Read(), said.level
    said.addHandler(reader)
    said.setLevel(logging.DEBUG)
    try:
        most = []
        for another in (sale, a_paid_sale(world), a_paid_sale(world)):
            ready(another)
            refund(another, 5000)
            asked_for.clear()
            queries.over_given_back(2)
            most.append(max(asked_for))
    finally:
        said.removeHandler(reader)
        said.setLevel(level)
    assert (len(set(most)), len(queries.over_given_back(2))) == (1, 2)
    look_after(utcnow())
    assert queries.over_given_back(2) == []


def test_a_payer_who_asked_for_another_name_gets_it_whichever_case_is_decided_first(world: World, sale: Sale) -> None:
    row = ready(sale)
    payers.save(sale.person.id, COMPANY, now=utcnow())
    service.ask_correction(sale.person.id, row.id, "要开单位抬头", now=utcnow())
    refund(sale, 5000)
    look_after(utcnow())
    decide("invoice.red_letter", "reverse")
    assert cases.open_cases("invoice.correction") == []
    go_on()
    new = work(sale)
    assert (new.status, new.gross_fen, queries.buyer(new).title) == (Status.READY, 15000, COMPANY.title)


def test_a_name_that_was_turned_down_does_not_come_back_with_the_red_letter(world: World, sale: Sale) -> None:
    row = ready(sale)
    payers.save(sale.person.id, COMPANY, now=utcnow())
    service.ask_correction(sale.person.id, row.id, "要开单位抬头", now=utcnow())
    decide("invoice.correction", "refuse", "unproven")
    refund(sale, 5000)
    look_after(utcnow())
    decide("invoice.red_letter", "reverse")
    go_on()
    assert the_invoice(sale).profile_id == row.profile_id
