"""Invoices that are taken back, and the ones that follow: asked for, decided by two people, sent once, never two."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from playhouse.migrate import SchemaMigrator, migrate

from app.cases import service as cases
from app.core import db
from app.core.clock import utcnow
from app.core.errors import Problem
from app.invoice import corrections, issuing, payers, queries, red_letters, service
from app.invoice.audit import audit_invoices
from app.invoice.models import Invoice, RedLetter
from app.invoice.status import RED_WORKED_ON, RedStatus, Status
from tests.invoice.desk import (
    asked,
    due,
    look_after,
    open_cases,
    the_invoice,
    to_decide,
    trouble,
    work,
)
from tests.invoice.reds import COMPANY, decide, forms, go_on, ready, red_of, second
from tests.pay.till import Sale, in_parallel
from tests.world import World

pytestmark = pytest.mark.usefixtures("in_order")
WHY: dict[str, Any] = {"reason": "抬头有误", "actor": "staff:1"}


# --- the payer asks for a correction -----------------------------------------------------------------------------


def test_a_payer_whose_details_were_wrong_gets_a_red_letter_and_a_new_invoice(world: World, sale: Sale) -> None:
    old = ready(sale)
    payers.save(sale.person.id, COMPANY, now=utcnow())
    service.ask_correction(sale.person.id, old.id, "要开单位抬头", now=utcnow())
    assert service.card(the_invoice(sale), now=utcnow()).state == "correcting"
    decide("invoice.correction", "correct")
    go_on()
    old, new = Invoice.get_by_id(old.id), the_invoice(sale)
    assert (old.status, old.live_key, new.replaces, new.gross_fen) == (Status.REVERSED, None, old.id, 20000)
    assert (new.serial, queries.buyer(new).title) == (f"F{sale.order_id}N2".upper(), COMPANY.title)
    (form,) = forms(world, sale)
    assert (form["blueElecInvoiceNumber"], form["redReason"]) == (old.number, "2")
    assert red_of(old).number == form["redInvoiceNumber"]
    assert work(sale).status == Status.READY
    card = service.card(the_invoice(sale), now=utcnow())
    assert (card.state, "已红冲" in card.sentence) == ("ready", True)
    assert [one.status for one in queries.every_of_order(sale.order_id)] == [Status.REVERSED, Status.READY]


def test_details_that_stand_on_it_already_are_nothing_to_correct(world: World, sale: Sale) -> None:
    row = ready(sale)
    with pytest.raises(Problem, match="invoice_nothing_to_correct"):
        service.ask_correction(sale.person.id, row.id, "改一下", now=utcnow())
    assert cases.open_cases("invoice.correction") == []


def test_one_that_is_not_issued_cannot_be_corrected_nor_can_anothers(world: World, sale: Sale) -> None:
    payers.save(sale.person.id, COMPANY, now=utcnow())
    row = the_invoice(sale)
    with pytest.raises(Problem, match="invoice_not_ready"):
        service.ask_correction(sale.person.id, row.id, "改一下", now=utcnow())
    with pytest.raises(Problem, match="not_found"):
        service.ask_correction("somebody", row.id, "改一下", now=utcnow())


def test_a_correction_that_is_turned_down_is_answered_in_the_payers_words(world: World, sale: Sale) -> None:
    row = ready(sale)
    payers.save(sale.person.id, COMPANY, now=utcnow())
    service.ask_correction(sale.person.id, row.id, "要开单位抬头", now=utcnow())
    decide("invoice.correction", "refuse", "used")
    card = service.card(the_invoice(sale), now=utcnow())
    assert (card.state, "先在原处撤回" in card.sentence) == ("ready", True)
    assert asked(world, "red") == 0
    service.ask_correction(sale.person.id, row.id, "已在原处撤回", now=utcnow())  # asked anew, the old answer is gone
    assert the_invoice(sale).answer is None


def test_asked_twice_it_is_one_case(world: World, sale: Sale) -> None:
    row = ready(sale)
    payers.save(sale.person.id, COMPANY, now=utcnow())
    for _ in range(2):
        service.ask_correction(sale.person.id, row.id, "要开单位抬头", now=utcnow())
    assert open_cases("invoice.correction", row) == 1


# --- between two migrations ---------------------------------------------------------------------------------------


@pytest.fixture
def not_contracted(world: World) -> Iterator[Callable[[], None]]:
    """The database still keeps an order to one invoice, as before `migrate --contract`; the call contracts it."""
    ways, there = SchemaMigrator.from_database(db.database.obj), [True]
    migrate(ways.add_index("invoice", ("order_id",), unique=True))

    def contract() -> None:
        if there.pop():
            migrate(ways.drop_index("invoice", "invoice_order_id"))
        there.append(False)

    yield contract
    contract()


def test_before_the_contraction_a_red_letter_waits_and_no_invoice_is_lost(
    sale: Sale, not_contracted: Callable[[], None]
) -> None:
    row = reversing(sale)
    go_on()
    assert Invoice.get_by_id(row.id).status == Status.READY
    assert red_of(row).status in RED_WORKED_ON
    not_contracted()
    go_on(until=timedelta(hours=3))
    old, new = queries.every_of_order(sale.order_id)
    assert (old.status, red_of(old).status, new.replaces) == (Status.REVERSED, RedStatus.ISSUED, old.id)


def test_before_the_contraction_a_voided_one_is_not_given_up(
    world: World, sale: Sale, not_contracted: Callable[[], None]
) -> None:
    trouble(world, "query", "alter", {"status": "3"})
    row = work(sale)
    with pytest.raises(Problem, match="conflict"):
        corrections.reverse(row.id, why="mistake", now=utcnow(), **WHY)
    assert the_invoice(sale).status == Status.DISPUTED
    not_contracted()
    corrections.reverse(row.id, why="mistake", now=utcnow(), **WHY)
    assert the_invoice(sale).replaces == row.id


def test_the_audit_says_of_which_reversed_invoice_the_next_one_is_missing(world: World, sale: Sale) -> None:
    row = reversing(sale)
    go_on()
    new = the_invoice(sale)
    Invoice.update(replaces=None).where(Invoice.id == new.id).execute()
    assert f"invoice {row.id} is reversed, money is kept, and there is no next invoice" in audit_invoices()
    Invoice.update(replaces=row.id).where(Invoice.id == new.id).execute()


# --- trouble -----------------------------------------------------------------------------------------------------


def reversing(sale: Sale) -> Invoice:
    """The sale's invoice, whose red letter was decided this moment."""
    row = ready(sale)
    corrections.reverse(row.id, why="mistake", now=utcnow(), **WHY)
    return row


@pytest.mark.parametrize("kind", ["reset", "reset_after", "garbage", "error"])
@pytest.mark.parametrize("operation", ["red", "query_red"])
def test_an_answer_that_is_lost_is_asked_for_and_one_red_letter_comes_of_it(
    world: World, sale: Sale, operation: str, kind: str
) -> None:
    trouble(world, operation, kind, 502 if kind == "error" else None, times=2)
    row = reversing(sale)
    go_on()
    assert Invoice.get_by_id(row.id).status == Status.REVERSED
    assert len(forms(world, sale)) == 1
    assert asked(world, "red") <= 3  # again only what the vendor does not have


def test_a_call_whose_answer_was_lost_is_unknown_and_not_sent_again(world: World, sale: Sale) -> None:
    trouble(world, "red", "reset_after")
    row = reversing(sale)
    red_letters.work(now=utcnow())
    assert red_of(row).status == RedStatus.UNKNOWN
    go_on()
    assert (red_of(row).status, asked(world, "red")) == (RedStatus.ISSUED, 1)


def test_workers_at_one_moment_ask_for_it_once(world: World, sale: Sale) -> None:
    red, now = red_of(reversing(sale)), utcnow()

    def one(_: int) -> None:
        with db.connection():
            red_letters.advance(red.id, now=now + timedelta(seconds=1))

    in_parallel(6, one)
    assert (asked(world, "red"), len(forms(world, sale))) == (1, 1)


def test_a_refusal_is_a_case_and_the_next_try_has_a_number_of_its_own(world: World, sale: Sale) -> None:
    trouble(world, "red", "fails", "该发票已入账")
    row = reversing(sale)
    go_on()
    red = red_of(row)
    assert (red.status, open_cases("invoice.red_refused", row)) == (RedStatus.REFUSED, 1)
    assert Invoice.get_by_id(row.id).status == Status.READY
    decide("invoice.red_refused", "retry")
    go_on()
    after = red_of(row)
    assert (after.status, after.serial) == (RedStatus.ISSUED, f"{red.serial}T2")
    assert cases.open_cases() == []


def test_one_that_is_withdrawn_leaves_the_invoice_as_it_is_and_may_be_decided_anew(world: World, sale: Sale) -> None:
    trouble(world, "red", "error", "E9103")
    row = reversing(sale)
    go_on()
    corrections.withdraw(row.id, now=utcnow(), **WHY)
    assert (red_of(row).status, the_invoice(sale).status, audit_invoices()) == (
        RedStatus.WITHDRAWN,
        Status.READY,
        [],
    )
    corrections.reverse(row.id, why="mistake", now=utcnow(), **WHY)
    go_on()
    assert Invoice.get_by_id(row.id).status == Status.REVERSED


@pytest.mark.parametrize("agrees", [True, False])
def test_a_buyer_who_has_to_agree_is_waited_for(world: World, sale: Sale, agrees: bool) -> None:
    trouble(world, "red", "asks_buyer")
    row = reversing(sale)
    go_on(until=timedelta(hours=1))
    red = red_of(row)
    assert (red.status, the_invoice(sale).status) == (RedStatus.APPLIED, Status.READY)
    second(world, f"/_control/red-letters/{red.serial}", {"agrees": agrees})
    go_on(until=timedelta(hours=9))
    wanted = (RedStatus.ISSUED, Status.REVERSED) if agrees else (RedStatus.REFUSED, Status.READY)
    assert (red_of(row).status, Invoice.get_by_id(row.id).status) == wanted


def test_one_that_nobody_agrees_to_for_three_days_is_a_case_until_it_is_there(world: World, sale: Sale) -> None:
    trouble(world, "red", "asks_buyer")
    row = reversing(sale)
    go_on(until=timedelta(hours=1))
    for _ in range(2):
        look_after(utcnow() + red_letters.PATIENCE + timedelta(hours=1))
    assert open_cases("invoice.red_waiting", row) == 1
    second(world, f"/_control/red-letters/{red_of(row).serial}", {"agrees": True})
    go_on(until=timedelta(days=4))
    assert cases.open_cases() == []


def test_a_red_letter_of_another_amount_is_a_persons_work(world: World, sale: Sale) -> None:
    trouble(world, "query_red", "alter", {"taxExcludedAmount": "-94.17"}, times=None)
    row = reversing(sale)
    go_on()
    red = red_of(row)
    assert (red.status, red.number is None, open_cases("invoice.red_refused", row)) == (RedStatus.REFUSED, False, 1)
    assert audit_invoices() == []
    for verb in (corrections.retry_red, corrections.withdraw):  # it exists: no second one, and the invoice is over
        with pytest.raises(Problem, match="invoice_on_its_way"):
            verb(row.id, now=utcnow(), **WHY)
    decide("invoice.red_refused", "accept")
    assert (red_of(row).status, red_of(row).number) == (RedStatus.ISSUED, red.number)
    assert (Invoice.get_by_id(row.id).status, the_invoice(sale).replaces) == (Status.REVERSED, row.id)


def test_a_red_letter_whose_amount_the_vendor_leaves_out_is_a_persons_work(world: World, sale: Sale) -> None:
    trouble(world, "query_red", "alter", {"taxExcludedAmount": ""}, times=None)
    row = reversing(sale)
    go_on()
    red = red_of(row)
    assert (red.status, red.number is None, to_decide(row)) == (RedStatus.REFUSED, False, ["invoice.red_refused"])
    assert (the_invoice(sale).status, audit_invoices()) == (Status.READY, [])
    decide("invoice.red_refused", "accept")
    assert (Invoice.get_by_id(row.id).status, the_invoice(sale).replaces) == (Status.REVERSED, row.id)


def test_one_that_the_bureau_does_not_have_cannot_be_accepted(world: World, sale: Sale) -> None:
    trouble(world, "red", "fails", "该发票已入账")
    row = reversing(sale)
    go_on()
    with pytest.raises(Problem, match="invoice_on_its_way"):
        corrections.accept_red(row.id, now=utcnow(), **WHY)


def test_a_vendor_that_lets_nobody_in_is_tried_again_later(world: World, sale: Sale) -> None:
    trouble(world, "red", "error", "070304", times=2)
    row = reversing(sale)
    red_letters.work(now=utcnow())
    assert red_of(row).status == RedStatus.PLANNED
    go_on()
    assert (red_of(row).status, len(forms(world, sale))) == (RedStatus.ISSUED, 1)


# --- never two invoices of one order -----------------------------------------------------------------------------


def many_follow(row: Invoice, sale: Sale) -> list[Invoice]:
    """Eight at one moment plan the invoice that follows this one; gives those of the order that are not over."""

    def one(_: int) -> None:
        with db.connection(), db.transaction():
            issuing.follow(row, row.profile_id, now=utcnow())

    in_parallel(8, one)
    return [one for one in queries.every_of_order(sale.order_id) if one.status == Status.WAITING]


def cancelled(sale: Sale) -> Invoice:
    """An invoice that came to nothing, of money that is kept."""
    row = the_invoice(sale)
    Invoice.update(status=Status.CANCELLED, live_key=None, next_at=None).where(Invoice.id == row.id).execute()
    return row


@pytest.mark.usefixtures("world")
def test_of_many_that_plan_the_next_one_at_one_moment_one_wins(sale: Sale) -> None:
    row = cancelled(sale)
    (new,) = many_follow(row, sale)
    assert new.live_key == sale.order_id
    assert not issuing.follow(row, row.profile_id, now=utcnow())
    Invoice.delete().where(Invoice.order_id == sale.order_id).execute()  # its history is made up


@pytest.mark.usefixtures("world")
def test_the_twin_without_the_key_plans_several(sale: Sale, monkeypatch: pytest.MonkeyPatch) -> None:
    row, insert_once, count = cancelled(sale), db.insert_once, iter(range(100))

    def keyless(model: Any, **values: Any) -> bool:
        return insert_once(model, **values | {"live_key": None, "serial": f"X{next(count)}"})

    monkeypatch.setattr(issuing, "insert_once", keyless)
    assert len(many_follow(row, sale)) > 1
    Invoice.delete().where(Invoice.order_id == sale.order_id).execute()


def test_two_decisions_at_one_moment_make_one_red_letter(world: World, sale: Sale) -> None:
    row, now = ready(sale), utcnow()

    def one(_: int) -> bool:
        with db.connection():
            try:
                corrections.reverse(row.id, why="mistake", now=now, **WHY)
            except Problem:
                return False
            return True

    assert sum(in_parallel(4, one)) == 1
    assert RedLetter.select().count() == 1


# --- refused, and not issued -------------------------------------------------------------------------------------


def test_who_may_correct_the_details_of_a_refused_one_is_told_and_asks_again(world: World, sale: Sale) -> None:
    trouble(world, "issue", "error", "E9105")
    work(sale)
    decide("invoice.refused", "done", "details", now=due(sale))
    card = service.card(the_invoice(sale), now=utcnow())
    assert (card.state, "申请开票" in card.sentence) == ("requestable", True)
    payers.save(sale.person.id, COMPANY, now=utcnow())
    new = service.request(sale.person.id, sale.order_id, now=utcnow())
    row = work(sale)
    assert (row.id, row.status, queries.buyer(row).title) == (new.id, Status.READY, COMPANY.title)


@pytest.mark.parametrize(("reason", "says"), [("offline", "线下"), ("none", "不再开具")])
def test_who_gets_none_is_told_so_and_whom_to_ring(world: World, sale: Sale, reason: str, says: str) -> None:
    trouble(world, "issue", "error", "E9105")
    work(sale)
    decide("invoice.refused", "done", reason, now=due(sale))
    card = service.card(the_invoice(sale), now=utcnow())
    assert (card.state, says in card.sentence, "0871-64123240" in card.sentence) == ("cancelled", True, True)
    with pytest.raises(Problem, match="invoice_automatic"):
        service.request(sale.person.id, sale.order_id, now=utcnow())
