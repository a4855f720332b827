"""An invoice on its way: planned by the payment, issued in its working days, once, whatever goes wrong."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pypdfium2
import pytest

from app.cases import service as cases
from app.core import db, outbox
from app.core.clock import utcnow
from app.core.errors import Problem
from app.invoice import decisions, issuing, queries, service
from app.invoice.audit import audit_invoices
from app.invoice.models import Invoice, InvoiceFile
from app.invoice.status import RedStatus, Status
from app.notify.models import Sms
from app.pay import service as pay
from app.policy import load, working_days
from tests.invoice.desk import a_paid_sale, asked, booked, due, open_cases, the_invoice, trouble, work
from tests.invoice.reds import decide, go_on, red_of
from tests.pay.till import Sale, in_parallel
from tests.races import overtaken
from tests.world import World

pytestmark = pytest.mark.usefixtures("in_order")
SECOND = timedelta(seconds=1)


def test_a_payment_plans_one_invoice_for_the_programmes_working_days(sale: Sale) -> None:
    row = the_invoice(sale)
    rule = load.programme("yunnan", "2021-02-01").invoice
    assert rule is not None
    opens, closes = working_days.window(sale.order.paid_at, rule.after_payment, None)
    assert (row.status, row.due_from, row.due_until, row.next_at) == (Status.WAITING, opens, closes, opens)
    assert (row.gross_fen, row.net_fen, row.tax_fen) == (20000, 19417, 583)
    assert row.serial == f"F{sale.order_id}".upper()


def test_nothing_is_asked_of_the_vendor_a_second_before_and_it_is_issued_then(world: World, sale: Sale) -> None:
    begins = due(sale)
    issuing.work(now=begins - SECOND)
    assert (the_invoice(sale).status, asked(world, "issue")) == (Status.WAITING, 0)
    row = work(sale)
    assert row.status == Status.READY
    (said,) = booked(world, row)
    assert (said["orderNo"], said["allElectronicInvoiceNumber"]) == (row.serial, row.number)
    assert (said["exTaxAmount"], said["taxAmount"]) == ("194.17", "5.83")
    assert (said["payerName"], said["payerTaxNo"]) == (sale.person.name, "")
    assert [step.action for step in queries.history(row.id)] == ["send", "take", "issue", "file"]


def test_the_file_is_a_pdf_of_this_invoice_sealed_in_our_own_store(world: World, sale: Sale) -> None:
    row = work(sale)
    stored = InvoiceFile.get_by_id(row.id)
    assert "JVBERi" not in stored.pdf_sealed  # %PDF-, as base64
    link = service.pdf_link(row, now=utcnow())
    assert link is not None
    _, pdf = service.pdf(row.id, link.partition("ticket=")[2], now=utcnow())
    text = pypdfium2.PdfDocument(pdf)[0].get_textpage().get_text_range()
    assert row.number in text
    assert sale.person.name in text


def test_the_payer_hears_of_it_by_sms_once(world: World, sale: Sale) -> None:
    row = work(sale)
    for _ in range(2):
        outbox.sweep(now=utcnow() + timedelta(days=30))
    (sms,) = Sms.select().where(Sms.key == f"invoice:{row.id}")
    assert (sms.template, sms.params, sms.phone) == ("invoice_ready", '["200.00"]', sale.person.phone)


def test_the_event_again_plans_no_second_invoice(sale: Sale) -> None:
    for _ in range(3):
        with db.transaction():
            service.paid({"order_id": sale.order_id}, utcnow())
    assert Invoice.select().count() == 1


def test_an_invoice_that_takes_its_time_is_asked_for(world: World, sale: Sale) -> None:
    world.sandbox.box.invoice_seconds = 3600.0
    issuing.work(now=due(sale))
    row = the_invoice(sale)
    assert row.status == Status.ISSUING
    issuing.work(now=row.next_at)
    assert the_invoice(sale).status == Status.ISSUING
    world.sandbox.box.invoice_seconds = 0.0
    assert work(sale).status == Status.READY
    assert asked(world, "issue") == 1


# --- trouble -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["reset", "reset_after", "garbage", "error"])
@pytest.mark.parametrize("operation", ["issue", "query", "pdf"])
def test_an_answer_that_is_lost_is_asked_for_and_one_invoice_comes_of_it(
    world: World, sale: Sale, operation: str, kind: str
) -> None:
    trouble(world, operation, kind, 502 if kind == "error" else None, times=2)
    row = work(sale)
    assert row.status == Status.READY
    assert len(booked(world, row)) == 1
    assert asked(world, "issue") <= 3  # again only what the vendor does not have


def test_a_call_whose_answer_was_lost_is_unknown_and_not_sent_again(world: World, sale: Sale) -> None:
    trouble(world, "issue", "reset_after")
    issuing.work(now=due(sale))
    assert the_invoice(sale).status == Status.UNKNOWN
    assert work(sale).status == Status.READY
    assert asked(world, "issue") == 1


def test_what_the_vendor_does_not_have_is_sent_again_after_five_minutes_under_its_number(
    world: World, sale: Sale
) -> None:
    trouble(world, "issue", "reset")
    begins = due(sale)
    issuing.work(now=begins)
    now = begins
    while (row := the_invoice(sale)).status == Status.UNKNOWN and now < begins + issuing.SETTLES:
        assert asked(world, "issue") == 1
        now = row.next_at
        issuing.work(now=now)
    row = work(sale)
    assert (row.status, [one["orderNo"] for one in booked(world, row)]) == (Status.READY, [row.serial])


def hold_yunnan() -> None:
    decisions.hold_programme("yunnan", reason="月末核账", actor="staff:1", now=utcnow())


def test_a_programme_that_is_held_while_the_platform_is_asked_sends_nothing(world: World, sale: Sale) -> None:
    with overtaken(pay, "still_kept", hold_yunnan):
        issuing.work(now=due(sale))
    assert (the_invoice(sale).status, asked(world, "issue")) == (Status.WAITING, 0)
    decisions.release_programme("yunnan", reason="核完了", actor="staff:1", now=due(sale) + timedelta(minutes=2))
    assert work(sale).status == Status.READY


def test_what_the_vendor_does_not_have_is_not_sent_again_while_the_programme_is_held(
    world: World, sale: Sale
) -> None:
    trouble(world, "issue", "reset")
    issuing.work(now=due(sale))
    hold_yunnan()
    row = work(sale)
    assert (row.status, asked(world, "issue")) == (Status.UNKNOWN, 1)
    decisions.release_programme("yunnan", reason="核完了", actor="staff:1", now=utcnow())
    assert work(sale).status == Status.READY


def test_workers_at_one_moment_send_it_once(world: World, sale: Sale) -> None:
    row = the_invoice(sale)

    def one(_: int) -> None:
        with db.connection():
            issuing.advance(row.id, now=row.due_from)

    in_parallel(8, one)
    assert (asked(world, "issue"), len(booked(world, row))) == (1, 1)


def test_the_twin_without_compare_and_set_sends_it_more_than_once(
    world: World, sale: Sale, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = the_invoice(sale)
    monkeypatch.setattr(issuing, "compare_and_set", lambda *_: True)
    monkeypatch.setattr(issuing, "move", lambda *_, **__: True)

    def one(_: int) -> None:
        with db.connection():
            issuing.advance(row.id, now=row.due_from)

    in_parallel(4, one)
    assert asked(world, "issue") > 1


def test_a_vendor_that_lets_nobody_in_is_tried_again_later(world: World, sale: Sale) -> None:
    trouble(world, "issue", "error", "070304", times=2)
    issuing.work(now=due(sale))
    assert the_invoice(sale).status == Status.WAITING
    row = work(sale)
    assert (row.status, len(booked(world, row))) == (Status.READY, 1)


def test_a_vendor_that_is_shut_is_asked_less_and_less(world: World, sale: Sale) -> None:
    trouble(world, "issue", "error", "070304", times=None)
    now, waits = due(sale), []
    for _ in range(12):
        issuing.work(now=now)
        later: datetime = the_invoice(sale).next_at
        waits.append(later - now)
        now = later
    assert waits == sorted(waits)
    assert (waits[0], waits[-1]) == (timedelta(seconds=20), timedelta(hours=1))


def test_a_refusal_is_a_case_with_the_vendors_words_sealed(world: World, sale: Sale) -> None:
    trouble(world, "issue", "error", "E9105")
    row = work(sale)
    assert (row.status, open_cases("invoice.refused", row), booked(world, row)) == (Status.REFUSED, 1, [])


def test_a_failure_at_the_bureau_is_a_case_too(world: World, sale: Sale) -> None:
    trouble(world, "issue", "fails", "购方税号有误")
    row = work(sale)
    assert (row.status, open_cases("invoice.refused", row)) == (Status.REFUSED, 1)


def test_an_invoice_without_its_seal_is_sealed_again(world: World, sale: Sale) -> None:
    trouble(world, "issue", "unsealed")
    assert work(sale).status == Status.READY
    assert asked(world, "again") == 1


@pytest.mark.parametrize(
    "change",
    [
        {"exTaxAmount": "94.17"},
        {"taxAmount": "5.82", "exTaxAmount": "194.18"},
        {"status": "3"},
        {"status": "3", "invoiceTime": ""},
        {"exTaxAmount": ""},  # what is left out was not checked
        {"taxAmount": None},
        {"taxAmount": 0, "exTaxAmount": 0},
    ],
)
def test_what_was_not_asked_for_is_disputed(world: World, sale: Sale, change: dict[str, str]) -> None:
    trouble(world, "query", "alter", change)
    row = work(sale)
    assert (row.status, open_cases("invoice.mismatch", row), audit_invoices()) == (Status.DISPUTED, 1, [])
    assert row.issued_at is not None
    assert InvoiceFile.select().count() == 0


def test_one_that_is_voided_before_its_file_is_here_is_disputed(world: World, sale: Sale) -> None:
    trouble(world, "query", "alter", {"pdfUrl": ""})
    issuing.work(now=due(sale))
    issuing.work(now=due(sale) + timedelta(seconds=30))
    row = the_invoice(sale)
    assert (row.status, row.number is not None) == (Status.ISSUED, True)
    trouble(world, "query", "alter", {"status": "3"})
    row = work(sale)
    assert (row.status, open_cases("invoice.mismatch", row)) == (Status.DISPUTED, 1)
    assert InvoiceFile.select().count() == 0


def test_one_whose_time_the_vendor_leaves_out_has_the_time_at_which_we_heard_of_it(world: World, sale: Sale) -> None:
    trouble(world, "query", "alter", {"invoiceTime": ""}, times=None)
    row = work(sale)
    assert (row.status, audit_invoices()) == (Status.READY, [])
    assert due(sale) <= row.issued_at <= due(sale) + timedelta(minutes=30)


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/x.pdf", "https://evil.example/x.pdf", "file:///etc/passwd", "x"])
def test_a_file_from_another_host_is_not_fetched(world: World, sale: Sale, url: str) -> None:
    trouble(world, "query", "alter", {"pdfUrl": url}, times=None)
    row = work(sale)
    assert (row.status, asked(world, "pdf")) == (Status.ISSUED, 0)


def test_a_programmes_year_may_end_while_one_waits(world: World) -> None:
    paid = datetime(2025, 12, 30, 10, 0, tzinfo=UTC)
    rule = load.programme("yunnan", "2021-02-01").invoice
    assert rule is not None
    opens, _ = working_days.window(paid, rule.after_payment, None)
    assert opens == datetime(2026, 1, 4, 16, 0, tzinfo=UTC)  # Monday the 5th in Shanghai


def test_one_invoice_that_cannot_be_done_does_not_stand_in_the_way(world: World) -> None:
    bad, good = a_paid_sale(world), a_paid_sale(world)
    Invoice.update(profile_id="nobody").where(Invoice.order_id == bad.order_id).execute()
    assert work(good).status == Status.READY
    Invoice.update(profile_id=the_invoice(good).profile_id).where(Invoice.order_id == bad.order_id).execute()
    assert work(bad, until=timedelta(hours=3)).status == Status.READY


# --- what was issued is not what was asked for -------------------------------------------------------------------


def test_one_of_another_amount_is_taken_back_and_issued_as_the_order_says(world: World, sale: Sale) -> None:
    trouble(world, "query", "alter", {"taxAmount": "5.82", "exTaxAmount": "194.18"})
    row = work(sale)
    assert row.status == Status.DISPUTED
    decide("invoice.mismatch", "reverse")
    go_on()
    new = work(sale)
    assert (Invoice.get_by_id(row.id).status, new.status, new.gross_fen) == (Status.REVERSED, Status.READY, 20000)


def test_nobody_alone_says_that_it_was_mended_there(world: World, sale: Sale) -> None:
    trouble(world, "query", "alter", {"taxAmount": "5.82", "exTaxAmount": "194.18"})
    row = work(sale)
    with pytest.raises(Problem, match="not_found"):
        decide("invoice.mismatch", "done")
    assert (row.status, open_cases("invoice.mismatch", row)) == (Status.DISPUTED, 1)


def test_one_that_was_voided_there_is_issued_anew_without_a_red_letter(world: World, sale: Sale) -> None:
    trouble(world, "query", "alter", {"status": "3"})
    row = work(sale)
    decide("invoice.mismatch", "reverse")
    assert (Invoice.get_by_id(row.id).status, asked(world, "red")) == (Status.CANCELLED, 0)
    assert work(sale).status == Status.READY


def test_of_one_that_was_issued_with_another_amount_the_red_letter_has_that_amount(world: World, sale: Sale) -> None:
    trouble(world, "query", "alter", {"taxAmount": "5.53", "exTaxAmount": "184.47"}, times=None)
    row = work(sale)
    assert row.status == Status.DISPUTED
    decide("invoice.mismatch", "reverse")
    world.sandbox.box.knobs.clear()
    trouble(world, "query_red", "alter", {"taxAmount": "-5.53", "taxExcludedAmount": "-184.47"}, times=None)
    go_on()
    assert (red_of(row).status, Invoice.get_by_id(row.id).status) == (RedStatus.ISSUED, Status.REVERSED)
    assert (work(sale).gross_fen, cases.open_cases()) == (20000, [])


def test_of_one_that_was_issued_with_another_amount_a_red_letter_of_the_orders_is_wrong(
    world: World, sale: Sale
) -> None:
    trouble(world, "query", "alter", {"taxAmount": "5.53", "exTaxAmount": "184.47"}, times=None)
    row = work(sale)
    decide("invoice.mismatch", "reverse")
    go_on()
    assert (red_of(row).status, open_cases("invoice.red_refused", row)) == (RedStatus.REFUSED, 1)
