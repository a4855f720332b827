"""A red letter that staff issued in the tax bureau's own system: entered, decided by two, and never a second one."""

from __future__ import annotations

import io
from datetime import date, datetime, timedelta
from typing import Any
from unittest.mock import patch

import pytest

from app.cases import service as cases
from app.core import audit, db
from app.core.clock import utcnow
from app.core.errors import Problem
from app.core.staff import EVERYWHERE, Right
from app.invoice import by_hand, corrections, issuing, ledger, payers, providers, queries, red_letters, service
from app.invoice.audit import audit_invoices
from app.invoice.case_kinds import entered_evidence
from app.invoice.models import Invoice, RedEntry, RedLetter
from app.invoice.status import RedStatus, Status
from app.pay import decisions as pay_decisions
from app.policy.days import shanghai_day
from tests.invoice.desk import asked, look_after, open_cases, the_invoice, trouble, work
from tests.invoice.reds import COMPANY, go_on, red_of, second
from tests.pay.till import Sale
from tests.staffroom import Browser, a_member, at_desk, staff_of
from tests.world import World

pytestmark = pytest.mark.usefixtures("in_order")
NUMBER, PDF = "25532000000012345678", b"%PDF-1.7\nred letter"
FINANCE = (Right.FINANCE, EVERYWHERE)


def ready(sale: Sale) -> Invoice:
    row = work(sale)
    assert row.status == Status.READY
    return row


def asked_to_correct(sale: Sale) -> Invoice:
    """The payer has asked for another name."""
    row = ready(sale)
    payers.save(sale.person.id, COMPANY, now=utcnow())
    service.ask_correction(sale.person.id, row.id, "要开单位抬头", now=utcnow())
    return row


def refused(world: World, sale: Sale) -> Invoice:
    """The vendor could not take it back."""
    trouble(world, "red", "fails", "该发票已入账")
    row = ready(sale)
    corrections.reverse(row.id, why="mistake", reason="x", actor="staff:1", now=utcnow())
    go_on()
    assert red_of(row).status == RedStatus.REFUSED
    return row


def its_time_is_over(row: Invoice) -> None:
    """The buyer has not answered for three days."""
    sent: datetime = red_of(row).sent_at
    RedLetter.update(sent_at=sent - red_letters.PATIENCE).where(RedLetter.invoice_id == row.id).execute()
    look_after(utcnow())
    assert open_cases("invoice.red_waiting", row) == 1


def enter(row: Invoice, number: str = NUMBER, **said: Any) -> None:
    values: dict[str, Any] = {
        "day": shanghai_day(row.issued_at),
        "pdf": PDF,
        "reason": "平台开不出",
        "actor": "staff:1",
    } | said
    by_hand.enter(row, number, now=utcnow(), **values)


def decide(key: str, note: str = "") -> None:
    (case,) = cases.open_cases(by_hand.CASE)
    first, other = staff_of(a_member(FINANCE)), staff_of(a_member(FINANCE, name="李明"))
    if cases.decide_by_staff(first, case.id, key, note=note, now=utcnow()) == "second_look":
        with pytest.raises(Problem, match="case_second_look"):
            cases.confirm(first, case.id, now=utcnow())
        cases.confirm(other, case.id, now=utcnow())


def test_the_correction_that_a_payer_asked_for_goes_on_by_it(world: World, sale: Sale) -> None:
    old = asked_to_correct(sale)
    enter(old, f" {NUMBER[:10]} {NUMBER[10:]}")
    assert (the_invoice(sale).status, open_cases(by_hand.CASE, old)) == (Status.READY, 1)
    decide("take")
    old, new = Invoice.get_by_id(old.id), the_invoice(sale)
    assert (old.status, new.replaces, queries.buyer(new).title) == (Status.REVERSED, old.id, COMPANY.title)
    assert (red_of(old).status, red_of(old).number, asked(world, "red")) == (RedStatus.ISSUED, NUMBER, 0)
    assert work(sale).status == Status.READY
    assert (cases.open_cases(), audit_invoices()) == ([], [])
    done = [line.action for line in audit.about((f"invoice:{old.id}",), limit=20)]
    assert {"invoice.red_entered", "invoice.red_taken"} <= set(done)


def test_one_that_the_vendor_refused_goes_on_by_it(world: World, sale: Sale) -> None:
    old = refused(world, sale)
    enter(old)
    decide("take")
    assert (Invoice.get_by_id(old.id).status, the_invoice(sale).replaces) == (Status.REVERSED, old.id)
    assert (cases.open_cases(), audit_invoices()) == ([], [])
    go_on()
    assert len(queries.every_of_order(sale.order_id)) == 2


def test_of_money_that_all_went_back_no_invoice_follows(world: World, sale: Sale) -> None:
    old = ready(sale)
    pay_decisions.refund_part(sale.order_id, 20000, reason="x", actor="staff:1", now=utcnow())
    look_after(utcnow())
    enter(old)
    decide("take")
    look_after(utcnow())
    assert ([row.status for row in queries.every_of_order(sale.order_id)], red_of(old).why) == (
        [Status.REVERSED],
        "money_back",
    )
    assert (cases.open_cases("invoice.red_letter"), audit_invoices()) == ([], [])


def test_of_one_that_was_issued_with_another_amount_that_amount_is_compared(world: World, sale: Sale) -> None:
    trouble(world, "query", "alter", {"taxAmount": "5.53", "exTaxAmount": "184.47"}, times=None)
    old = work(sale)
    assert old.status == Status.DISPUTED
    enter(old)
    (case,) = cases.open_cases(by_hand.CASE)
    facts = {fact.label: fact.value for fact in entered_evidence(case).facts}
    assert facts["红字金额应为"] == "-190.00 元，其中税额 -5.53 元"


def test_what_is_wrong_is_sent_back_and_entered_anew(world: World, sale: Sale) -> None:
    old = asked_to_correct(sale)
    enter(old)
    with pytest.raises(Problem, match="red_entered"):
        enter(old, NUMBER[::-1])
    decide("refuse", note="号码与 PDF 不同")
    assert (the_invoice(sale).status, RedEntry.select().count()) == (Status.READY, 1)
    enter(old, NUMBER[::-1])
    decide("take")
    assert red_of(old).number == NUMBER[::-1]


def test_an_invoice_that_nobody_corrects_takes_none(world: World, sale: Sale) -> None:
    row = ready(sale)
    with pytest.raises(Problem, match="invoice_not_corrected"):
        enter(row)
    assert (RedEntry.select().count(), cases.open_cases()) == (0, [])


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"number": "123"}, "red_number"),
        ({"number": NUMBER + "x"}, "red_number"),
        ({"day": None}, "red_day"),
        ({"day": date(2020, 1, 1)}, "red_day"),
        ({"day": shanghai_day(utcnow()) + timedelta(days=90)}, "red_day"),
        ({"pdf": b""}, "red_file"),
        ({"pdf": b"<html>"}, "red_file"),
        ({"pdf": b"%PDF-" + b"0" * by_hand.MAX_FILE}, "red_file"),
    ],
)
def test_what_is_no_red_letter_is_refused(world: World, sale: Sale, said: dict[str, Any], code: str) -> None:
    old = asked_to_correct(sale)
    with pytest.raises(Problem, match=code):
        enter(old, **said)
    assert (RedEntry.select().count(), cases.open_cases(by_hand.CASE)) == (0, [])


def test_the_number_of_another_invoice_is_refused(world: World, sale: Sale) -> None:
    old = asked_to_correct(sale)
    with pytest.raises(Problem, match="red_number_taken"):
        enter(old, str(old.number))


def test_while_the_vendor_may_still_issue_one_none_is_entered_until_its_time_is_over(
    world: World, sale: Sale
) -> None:
    trouble(world, "red", "asks_buyer")
    row = ready(sale)
    corrections.reverse(row.id, why="mistake", reason="x", actor="staff:1", now=utcnow())
    go_on(until=timedelta(hours=1))
    assert red_of(row).status == RedStatus.APPLIED
    with pytest.raises(Problem, match="red_on_its_way"):
        enter(row)
    its_time_is_over(row)
    enter(row)
    decide("take")
    assert (Invoice.get_by_id(row.id).status, audit_invoices()) == (Status.REVERSED, [])


def test_a_form_that_was_sent_late_has_its_three_days_and_is_told_of_anew(world: World, sale: Sale) -> None:
    trouble(world, "red", "error", "070304", times=None)
    row = ready(sale)
    corrections.reverse(row.id, why="mistake", reason="x", actor="staff:1", now=utcnow())
    go_on(until=red_letters.PATIENCE + timedelta(hours=2))
    late = utcnow() + red_letters.PATIENCE + timedelta(hours=3)
    look_after(late)
    (case,) = cases.open_cases("invoice.red_waiting")
    cases.decide(case.id, "已联系", actor="staff:1", now=utcnow())
    assert (red_of(row).status, by_hand.may_enter(row, now=late)) == (RedStatus.PLANNED, True)
    world.sandbox.box.knobs.clear()
    trouble(world, "red", "asks_buyer")
    go_on(until=red_letters.PATIENCE + timedelta(hours=6))
    sent: datetime = red_of(row).sent_at
    assert (red_of(row).status, sent > utcnow() + red_letters.PATIENCE) == (RedStatus.APPLIED, True)
    young = sent + timedelta(hours=1)
    look_after(young)
    assert (by_hand.may_enter(row, now=young), open_cases("invoice.red_waiting", row)) == (False, 0)
    over = sent + red_letters.PATIENCE + timedelta(minutes=1)
    look_after(over)
    assert (by_hand.may_enter(row, now=over), open_cases("invoice.red_waiting", row)) == (True, 1)


class Race:
    """The buyer agrees, and the vendor says so, while two of finance decide about the one by hand."""

    def __init__(self, world: World, sale: Sale):
        trouble(world, "red", "asks_buyer")
        self.sale, self.row = sale, ready(sale)
        corrections.reverse(self.row.id, why="mistake", reason="x", actor="staff:1", now=utcnow())
        go_on(until=timedelta(hours=1))
        its_time_is_over(self.row)
        enter(self.row)
        second(world, f"/_control/red-letters/{red_of(self.row).serial}", {"agrees": True})

    def run(self) -> None:
        """By hand it is taken after the vendor was asked and before its answer is written down."""
        real = red_letters._issued

        def late(*said: Any) -> None:
            decide("take")
            real(*said)

        with patch.object(red_letters, "_issued", late):
            go_on(until=timedelta(hours=9))


def test_of_the_vendors_answer_and_the_decision_one_ends_the_invoice(world: World, sale: Sale) -> None:
    race = Race(world, sale)
    race.run()
    assert red_of(race.row).number == NUMBER
    assert [row.status for row in queries.every_of_order(sale.order_id)] == [Status.REVERSED, Status.WAITING]
    assert (cases.open_cases(), audit_invoices()) == ([], [])


def test_twin_that_does_not_compare_the_status_ends_it_twice(world: World, sale: Sale) -> None:
    race = Race(world, sale)

    def by_id_alone(model: type[db.BaseModel], row_id: str, where: dict[str, Any], values: dict[str, Any]) -> bool:
        return db.compare_and_set(model, row_id, {}, values)

    def as_it_was(status: str, action: str) -> RedStatus:
        return RedStatus.ISSUED

    with patch.object(ledger, "compare_and_set", by_id_alone), patch.object(ledger, "next_red", as_it_was):
        race.run()
    assert red_of(race.row).number == NUMBER  # the next invoice's unique key still holds

    with (
        patch.object(ledger, "compare_and_set", by_id_alone),
        patch.object(ledger, "next_red", as_it_was),
        patch.object(issuing, "follow_kept", lambda *_, **__: None),
    ):
        red = red_of(race.row)
        answer = providers.for_authority(race.row.authority).query_red(red.serial)
        red_letters._issued(red, race.row, answer, utcnow())
    assert red_of(race.row).number != NUMBER
    assert audit_invoices()
    world.clear()  # it is wrong, as it should be


@pytest.fixture
def desk(world: World) -> Browser:
    return at_desk(world, a_member((Right.FINANCE, "yunnan")))


def test_finance_enters_it_at_the_invoice_and_whoever_compares_it_has_its_pdf(
    world: World, sale: Sale, desk: Browser
) -> None:
    old = asked_to_correct(sale)
    page = f"/console/invoices/{old.id}"
    assert "已在电子税务局自行开具红字发票" in desk.get(page).text

    def send(data: bytes, number: str) -> Any:
        said = {"csrf": desk.csrf, "number": number, "day": str(shanghai_day(utcnow())), "reason": "平台开不出"}
        return desk.client.post(
            f"{page}/red-letter",
            data=said | {"file": (io.BytesIO(data), "a.pdf")},
            content_type="multipart/form-data",
        )

    wrong = send(b"GIF89a", NUMBER)
    assert (wrong.status_code, NUMBER in wrong.text, "上限 5 MB" in wrong.text) == (422, True, True)
    answer = send(PDF, NUMBER)
    assert (answer.status_code, "已登记，等待财务办理和复核" in answer.text) == (200, True)
    (case,) = cases.open_cases(by_hand.CASE)
    shown = desk.get(f"/console/cases/{case.id}").text
    assert (NUMBER in shown, "-200.00 元" in shown, "下载红字发票 PDF" in shown) == (True, True, True)
    file = desk.get(f"/console/cases/{case.id}/paper")
    assert (file.data, file.headers["Content-Disposition"].split(";")[0]) == (PDF, "attachment")
    assert audit.about((f"invoice:{old.id}",), limit=1)[0].action == "case.paper"
    other = at_desk(world, a_member((Right.FINANCE, "shanxi")))
    assert other.get(f"/console/cases/{case.id}/paper").status_code == 404
