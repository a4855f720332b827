"""Holds, money that goes back, invoices that are late or missing, years nobody knows; and the audit sees what is
wrong."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.cases import service as cases
from app.cases.models import Case
from app.core import audit
from app.core.clock import utcnow
from app.core.errors import Problem
from app.core.ids import new_id
from app.core.staff import Right
from app.invoice import decisions, issuing, service, watch
from app.invoice.audit import audit_invoices
from app.invoice.models import Invoice, InvoiceEvent, InvoiceFile
from app.invoice.status import Status
from app.pay import decisions as pay_decisions
from app.pay import service as pay
from app.pay.models import Refund
from app.policy import load, working_days
from ops import manage
from tests.factories import auth
from tests.invoice.desk import (
    a_paid_sale,
    asked,
    booked,
    due,
    last_moment,
    look_after,
    open_cases,
    the_invoice,
    to_decide,
    trouble,
    work,
)
from tests.pay.till import Sale
from tests.staffroom import a_member, at_desk, staff_of
from tests.world import World

WHY: dict[str, Any] = {"reason": "财务核对", "actor": "system:cli"}


def give_back(sale: Sale) -> None:
    """The payment that the order kept goes back."""
    Refund.create(
        order_id=sale.order_id,
        attempt_id=sale.attempt.id,
        out_refund_no=f"R{new_id().upper()}",
        amount_fen=20000,
        reason="late",
        status="requested",
        created_at=utcnow(),
    )


# --- the money is looked at once more ----------------------------------------------------------------------------


def test_the_platform_is_asked_about_the_money_before_the_vendor_is(world: World, sale: Sale) -> None:
    before = world.sandbox.box.journal.count("wechatpay", "query")
    row = work(sale)
    assert world.sandbox.box.journal.count("wechatpay", "query") == before + 1
    assert (row.status, row.settled_at is not None) == (Status.READY, True)


def test_money_that_is_not_there_any_more_holds_the_invoice_and_is_a_case(world: World, sale: Sale) -> None:
    world.sandbox.box.knobs.add("wechatpay", "query", "alter", {"amount": {"total": 1, "payer_total": 1}})
    row = work(sale)
    assert (row.status, row.hold, open_cases("invoice.settlement", row)) == (Status.WAITING, "settlement", 1)
    assert asked(world, "issue") == 0
    decisions.release(row.id, now=due(sale), **WHY)
    assert open_cases("invoice.settlement", row) == 0
    assert work(sale).status == Status.READY


def test_money_that_went_back_on_the_platforms_own_page_holds_the_invoice(world: World, sale: Sale) -> None:
    world.sandbox.box.knobs.add("wechatpay", "query", "alter", {"trade_state": "REFUND"})
    row = work(sale)
    assert (row.hold, open_cases("invoice.settlement", row), asked(world, "issue")) == ("settlement", 1, 0)


def test_a_part_that_we_gave_back_ourselves_does_not(world: World, sale: Sale) -> None:
    pay_decisions.refund_part(sale.order_id, 2500, reason="x", actor="staff:1", now=utcnow())
    world.sandbox.box.knobs.add("wechatpay", "query", "alter", {"trade_state": "REFUND"}, None)
    assert pay.still_kept(sale.order_id) == "yes"


def test_a_platform_that_does_not_answer_is_asked_again(world: World, sale: Sale) -> None:
    world.sandbox.box.knobs.add("wechatpay", "query", "reset", times=2)
    issuing.work(now=due(sale))
    assert (the_invoice(sale).status, the_invoice(sale).hold) == (Status.WAITING, None)
    assert work(sale).status == Status.READY


def test_what_finance_holds_stays_until_it_is_released(world: World, sale: Sale) -> None:
    row = the_invoice(sale)
    decisions.hold(row.id, now=utcnow(), **WHY)
    decisions.hold(row.id, now=utcnow(), **WHY)
    issuing.work(now=last_moment(sale))
    assert asked(world, "issue") == 0
    decisions.release(row.id, now=last_moment(sale), **WHY)
    issuing.work(now=last_moment(sale))
    assert work(sale).status == Status.READY
    actions = [one.action for one in audit.AuditEntry.select().where(audit.AuditEntry.subject == f"invoice:{row.id}")]
    assert sorted(actions) == ["invoice.held", "invoice.released"]


def test_a_release_before_its_days_does_not_hurry_it(world: World, sale: Sale) -> None:
    row = the_invoice(sale)
    decisions.hold(row.id, now=utcnow(), **WHY)
    decisions.release(row.id, now=utcnow(), **WHY)
    assert the_invoice(sale).next_at == row.due_from


def test_one_that_is_not_held_is_not_released_past_the_look_at_its_money(world: World, sale: Sale) -> None:
    row = the_invoice(sale)
    with pytest.raises(Problem, match="invoice_on_its_way"):
        decisions.release(row.id, now=utcnow(), **WHY)
    assert the_invoice(sale).settled_at is None


def test_what_is_at_the_vendor_cannot_be_held_released_or_retried(world: World, sale: Sale) -> None:
    row = work(sale)
    for verb in (decisions.hold, decisions.release, decisions.retry, decisions.accept):
        with pytest.raises(Problem, match="invoice_on_its_way"):
            verb(row.id, now=utcnow(), **WHY)


def test_a_refused_one_is_asked_for_again_under_its_number_once_the_cause_is_mended(world: World, sale: Sale) -> None:
    trouble(world, "issue", "fails")
    row = work(sale)
    assert row.status == Status.REFUSED
    options = manage.parser().parse_args(["invoice-retry", row.id, "--reason", "税号已在诺诺更正", "--by", "王芳"])
    assert options.run(options) == 0
    assert open_cases("invoice.refused", row) == 0
    row = work(sale)
    assert (row.status, [one["orderNo"] for one in booked(world, row)]) == (Status.READY, [row.serial])


def test_one_that_was_refused_at_the_door_is_sent_again_too(world: World, sale: Sale) -> None:
    trouble(world, "issue", "error", "E9105")
    row = work(sale)
    decisions.retry(row.id, now=due(sale), **WHY)
    assert work(sale).status == Status.READY


def offered(world: World, case: Case) -> list[bool]:
    """Whether the case's page offers to accept the invoice, and to take it back."""
    shown = at_desk(world, a_member((Right.FINANCE, "yunnan"))).get(f"/console/cases/{case.id}").text
    return [f'name="decision" value="{key}"' in shown for key in ("accept", "reverse")]


def test_a_disputed_one_may_be_accepted(world: World, sale: Sale) -> None:
    trouble(world, "query", "alter", {"taxAmount": "5.82", "exTaxAmount": "194.18"}, times=None)
    row = work(sale)
    assert row.status == Status.DISPUTED
    (case,) = cases.open_cases("invoice.mismatch")
    assert offered(world, case) == [True, True]
    decisions.accept(row.id, now=due(sale), **WHY)
    row = work(sale)
    assert (row.status, row.gross_fen, row.net_fen, row.tax_fen) == (Status.READY, 20000, 19418, 582)
    said = world.app.test_client().get(f"/api/v1/invoices/{row.id}", headers=auth(sale.person)).get_json()
    assert said["lines"] == [{"name": "培训费", "gross_fen": 20000, "net_fen": 19418, "tax_fen": 582}]
    assert (cases.open_cases(), audit_invoices()) == ([], [])


def test_another_tax_that_nobody_accepted_is_seen_by_the_audit(sale: Sale) -> None:
    row = work(sale)
    Invoice.update(net_fen=19418, tax_fen=582).where(Invoice.id == row.id).execute()
    assert audit_invoices() == [f"invoice {row.id}: its lines do not add up to it"]


@pytest.mark.parametrize("change", [{"taxAmount": "5.82", "exTaxAmount": "184.18"}, {"status": "3"}])
def test_one_of_another_amount_or_a_void_one_cannot_be_accepted(
    world: World, sale: Sale, change: dict[str, str]
) -> None:
    trouble(world, "query", "alter", change, times=None)
    row = work(sale)
    with pytest.raises(Problem, match="invoice_not_as_asked"):
        decisions.accept(row.id, now=due(sale), **WHY)
    (case,) = cases.open_cases("invoice.mismatch")
    who = a_member((Right.FINANCE, "yunnan"))
    with pytest.raises(Problem, match="not_found"):
        cases.decide_by_staff(staff_of(who), case.id, "accept", now=utcnow())
    assert offered(world, case) == [False, True]
    assert the_invoice(sale).status == Status.DISPUTED


# --- money that goes back ----------------------------------------------------------------------------------------


def test_money_that_goes_back_before_leaves_no_invoice(world: World, sale: Sale) -> None:
    give_back(sale)
    row = work(sale)
    assert (row.status, asked(world, "issue"), audit_invoices()) == (Status.CANCELLED, 0, [])
    assert to_decide(row) == []


@pytest.mark.parametrize("by", ["work", "look_after"])
def test_of_what_is_kept_when_a_part_goes_back_an_invoice_is_a_persons_work(
    world: World, sale: Sale, by: str
) -> None:
    the_invoice(sale)
    pay_decisions.refund_part(sale.order_id, 5000, reason="x", actor="staff:1", now=utcnow())
    row = work(sale) if by == "work" else the_invoice(sale)
    look_after(utcnow())
    (case,) = cases.open_cases("invoice.part_kept")
    assert (case.subject, json.loads(case.facts)["left_fen"]) == (f"invoice:{row.id}", 15000)
    (card,) = service.cards(sale.order.person_id, now=utcnow())
    assert (card.state, "部分款项已退回" in card.sentence) == ("cancelled", True)
    assert (asked(world, "issue"), audit_invoices()) == (0, [])


def test_a_held_or_refused_one_is_cancelled_by_the_watch(world: World, sale: Sale) -> None:
    row = the_invoice(sale)
    decisions.hold(row.id, now=utcnow(), **WHY)
    give_back(sale)
    look_after(utcnow())
    assert (the_invoice(sale).status, audit_invoices()) == (Status.CANCELLED, [])


@pytest.mark.parametrize("kind", ["invoice.refused", "invoice.settlement", "invoice.late"])
def test_what_was_to_be_decided_of_a_cancelled_one_is_closed_with_it(world: World, sale: Sale, kind: str) -> None:
    if kind == "invoice.settlement":
        world.sandbox.box.knobs.add("wechatpay", "query", "alter", {"amount": {"total": 1, "payer_total": 1}})
        work(sale)
    else:
        trouble(world, "issue", "error", "E9105" if kind == "invoice.refused" else "070304", times=None)
        issuing.work(now=due(sale))
        watch.find_late(now=last_moment(sale) + timedelta(seconds=1))
    assert open_cases(kind, the_invoice(sale)) == 1
    give_back(sale)
    look_after(last_moment(sale) + timedelta(hours=1))
    assert (the_invoice(sale).status, to_decide(the_invoice(sale))) == (Status.CANCELLED, [])


def test_money_that_goes_back_while_an_answer_is_lost_is_not_sent_for_again(world: World, sale: Sale) -> None:
    trouble(world, "issue", "reset", times=None)
    issuing.work(now=due(sale))
    assert the_invoice(sale).status == Status.UNKNOWN
    world.sandbox.box.knobs.clear()
    give_back(sale)
    calls = asked(world, "issue")
    row = work(sale)
    assert (row.status, asked(world, "issue"), booked(world, row)) == (Status.CANCELLED, calls, [])
    assert audit_invoices() == []


def test_money_that_goes_back_afterwards_is_a_case_for_a_red_letter_invoice_once(world: World, sale: Sale) -> None:
    row = work(sale)
    give_back(sale)
    for _ in range(2):
        look_after(utcnow())
    assert open_cases("invoice.red_letter", row) == 1
    (case,) = cases.open_cases("invoice.red_letter")
    cases.decide(case.id, "红字发票已开", actor="system:cli", now=utcnow())
    look_after(utcnow())
    assert to_decide(row) == []
    standing = f"invoice {row.id} stands, its money went back, and nobody was told"
    later: datetime = row.issued_at
    assert audit_invoices(later + timedelta(days=1)) == [standing]  # a word closes the case, and no invoice


# --- late, missing, unknown years --------------------------------------------------------------------------------


def test_an_invoice_that_is_not_there_after_its_last_working_day_is_a_case_until_it_is(
    world: World, sale: Sale
) -> None:
    trouble(world, "issue", "error", "070304", times=None)
    row = the_invoice(sale)
    issuing.work(now=row.due_from)
    watch.find_late(now=last_moment(sale))
    assert open_cases("invoice.late", row) == 0
    for seconds in (0, 600):
        watch.find_late(now=last_moment(sale) + timedelta(seconds=1 + seconds))
    assert open_cases("invoice.late", row) == 1
    world.sandbox.box.knobs.clear()
    issuing.work(now=last_moment(sale) + timedelta(hours=2))
    assert work(sale).status == Status.READY
    assert cases.open_cases() == []


def test_a_paid_order_whose_event_never_came_gets_its_invoice(world: World, sale: Sale) -> None:
    InvoiceEvent.delete().execute()
    Invoice.delete().execute()
    assert watch.plan_missing(now=utcnow()) == 0  # the event may still be on its way
    assert audit_invoices(utcnow() + timedelta(hours=2)) == [f"order {sale.order_id} is paid and has no invoice"]
    later = utcnow() + watch.EVENT_TAKES + timedelta(seconds=1)
    assert (watch.plan_missing(now=later), watch.plan_missing(now=later)) == (1, 0)
    assert work(sale).status == Status.READY


def test_a_year_that_nobody_knows_is_a_case_thirty_days_before_it_and_once(world: World) -> None:
    new_year = datetime(working_days.LAST_YEAR, 12, 31, 16, 0, tzinfo=UTC)
    watch.watch_calendar(now=new_year - watch.LOOK_AHEAD - timedelta(seconds=1))
    assert cases.open_cases() == []
    for _ in range(2):
        watch.watch_calendar(now=new_year - watch.LOOK_AHEAD)
    year, filed = working_days.LAST_YEAR + 1, cases.open_cases("invoice.calendar_unknown")
    with_invoices = {one.key for one in load.all_programmes() if one.invoice}
    assert sorted(case.subject for case in filed) == sorted(f"{key}:{year}" for key in with_invoices)
    for case in filed:
        cases.decide(case.id, "已更新日历", actor="system:cli", now=new_year)
    watch.watch_calendar(now=new_year)
    assert cases.open_cases() == []


# --- the audit ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda row: Invoice.update(tax_fen=584).execute(), "fen of tax for"),
        (lambda row: Invoice.update(gross_fen=1).execute(), "do not add up"),
        (lambda row: Invoice.update(status="issued").execute(), "its history leads to"),
        (lambda row: Invoice.update(number=None).execute(), "something missing"),
        (lambda row: Invoice.update(next_at=utcnow()).execute(), "looked at again"),
        (lambda row: InvoiceFile.delete().execute(), "its file does not fit"),
        (lambda row: InvoiceEvent.update(action="retry").execute(), "invoice "),
        (lambda row: InvoiceEvent.update(invoice_id="x").execute(), "which is not there"),
        (lambda row: Invoice.delete().execute(), "has no invoice"),
    ],
)
def test_the_audit_sees_what_is_wrong(world: World, sale: Sale, spoil: Any, says: str) -> None:
    row = work(sale)
    assert audit_invoices() == []
    spoil(row)
    found = audit_invoices(utcnow() + timedelta(hours=2))
    assert found
    assert any(says in text for text in found)


def test_the_audit_sees_an_invoice_of_money_that_went_back(world: World, sale: Sale) -> None:
    work(sale)
    give_back(sale)
    (found,) = audit_invoices(utcnow() + timedelta(days=60))
    assert "its money went back" in found
    look_after(utcnow())
    assert audit_invoices(utcnow() + timedelta(days=60)) == []


def test_two_sales_have_two_invoices_with_numbers_of_their_own(world: World) -> None:
    first, second = work(a_paid_sale(world)), work(a_paid_sale(world))
    assert first.number != second.number
    assert audit_invoices() == []
