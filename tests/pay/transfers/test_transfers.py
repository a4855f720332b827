"""From the code to the paid order, and every way in which money does not find its order by itself."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from app.cases import service as cases
from app.cases.models import Case
from app.core import outbox
from app.core.clock import utcnow
from app.core.errors import Problem
from app.pay import decisions as payments
from app.pay import janitor, service
from app.pay import queries as orders
from app.pay.audit import audit_payments
from app.pay.channels import Device
from app.pay.models import Order
from app.pay.providers.protocol import Remittance
from app.pay.transfers import decisions, queries
from app.pay.transfers import service as transfers
from app.pay.transfers.models import StatementLine, Transfer
from app.policy.days import shanghai_day
from ops.invented import ACCOUNT
from tests.factories import a_person
from tests.pay.till import an_order, in_background, scan, start
from tests.pay.transfers.bank import (
    PAYER,
    Purchase,
    a_line,
    line_of,
    pay_out,
    payouts,
    take_in,
    upload,
)
from tests.world import World

DAY = timedelta(days=1)


def open_cases() -> list[str]:
    return sorted(case.kind for case in Case.select().where(Case.open_key.is_null(False)))


def test_the_exact_amount_with_the_code_pays_the_order_once(world: World, tmp_path: Path) -> None:
    bought = Purchase()
    outbox.subscribe("order.paid", "test.heard", lambda payload, now: None)
    line = a_line(20000, f"培训费 {bought.code}")
    take_in(tmp_path, [line])
    assert (bought.order.status, bought.order.paid_attempt_id) == ("paid", bought.attempt.id)
    assert (bought.attempt.status, bought.attempt.captured_fen) == ("paid", 20000)
    assert (line_of(line).status, line_of(line).applied_fen, open_cases()) == ("settled", 20000, [])
    assert audit_payments() == []


def test_the_order_waits_days_and_says_what_to_write_on_the_transfer(world: World) -> None:
    now = utcnow()
    bought = Purchase(now=now)
    told = bought.begin().pay_by
    assert isinstance(told, Remittance)
    assert bought.order.expires_at == now + 7 * DAY
    assert (told.code, told.account_number, told.account_name) == (bought.code, ACCOUNT, "云南省建设注册考试中心")
    janitor.expire_orders(now=now + 7 * DAY - timedelta(seconds=1))
    assert bought.order.status == "pending"
    assert audit_payments() == []


def test_a_second_click_gives_the_same_code(world: World) -> None:
    bought = Purchase()
    first, expires = bought.code, bought.order.expires_at
    bought.begin()
    assert (bought.code, bought.order.expires_at, Transfer.select().count()) == (first, expires, 1)


def test_who_pays_must_be_said(world: World) -> None:
    with pytest.raises(Problem) as problem:
        Purchase(payer=" ")
    assert problem.value.code == "payer_name_needed"


def test_another_organisation_has_no_order(world: World) -> None:
    bought = Purchase()
    with pytest.raises(Problem) as problem:
        service.start_transfer("nobody", bought.order_id, PAYER, now=utcnow())
    assert problem.value.code == "not_found"


@pytest.mark.parametrize("suffix", [".xlsx", ".csv"])
def test_the_same_file_and_the_same_line_again_change_nothing(world: World, tmp_path: Path, suffix: str) -> None:
    bought = Purchase()
    line = a_line(20000, bought.code)
    first = take_in(tmp_path, [line], suffix=suffix)
    before = [row.status for row in StatementLine.select()]
    assert upload(tmp_path, [line], suffix=suffix).id == first.id or suffix == ".xlsx"  # an xlsx holds its own time
    other = a_line(100, "x")
    take_in(tmp_path, [line, other], suffix=suffix)
    rows = StatementLine.select().where(StatementLine.number == line.number, StatementLine.key.is_null(False))
    assert [row.status for row in rows] == before
    assert (bought.order.status, len(payouts())) == ("paid", 0)
    assert audit_payments() == []


def test_a_draft_counts_nothing(world: World, tmp_path: Path) -> None:
    bought = Purchase()
    row = upload(tmp_path, [a_line(20000, bought.code)])
    assert (row.status, bought.order.status) == ("draft", "pending")
    transfers.discard(row.id, actor="staff:fin", now=utcnow())
    assert StatementLine.select().count() == 0
    assert audit_payments() == []


def test_a_draft_that_nobody_confirms_is_thrown_away_after_a_day(world: World, tmp_path: Path) -> None:
    upload(tmp_path, [a_line(20000)])
    transfers.look_after(now=utcnow() + DAY + timedelta(minutes=1))
    assert StatementLine.select().count() == 0


def test_too_little_waits_for_the_rest_and_both_pay(world: World, tmp_path: Path) -> None:
    bought = Purchase()
    first, rest = a_line(15000, bought.code), a_line(5000, bought.code)
    take_in(tmp_path, [first])
    assert (bought.order.status, open_cases()) == ("pending", ["pay.transfer_short"])
    decisions.ask_for_rest(line_of(first).id, reason="called", actor="staff:fin", now=utcnow())
    assert line_of(first).status == "held"
    assert audit_payments() == []
    take_in(tmp_path, [rest])
    assert (bought.order.status, open_cases()) == ("paid", [])
    assert [line_of(line).applied_fen for line in (first, rest)] == [15000, 5000]
    assert audit_payments() == []


def test_the_rest_may_come_before_anybody_decided(world: World, tmp_path: Path) -> None:
    bought = Purchase()
    take_in(tmp_path, [a_line(1, bought.code), a_line(19998, bought.code), a_line(1, bought.code)])
    assert (bought.order.status, open_cases()) == ("paid", [])
    assert audit_payments() == []


def test_too_much_pays_the_order_and_the_rest_goes_back(world: World, tmp_path: Path) -> None:
    bought = Purchase()
    line = a_line(25000, bought.code)
    take_in(tmp_path, [line])
    assert (bought.order.status, open_cases()) == ("pending", ["pay.transfer_over"])
    decisions.keep(line_of(line).id, reason="agreed", actor="staff:fin", now=utcnow())
    assert (bought.order.status, line_of(line).applied_fen, line_of(line).back_fen) == ("paid", 20000, 5000)
    assert (open_cases(), audit_payments()) == (["pay.payout"], [])
    assert pay_out() == 1
    assert (open_cases(), audit_payments()) == ([], [])


def test_a_second_transfer_for_a_paid_order_goes_back_whole(world: World, tmp_path: Path) -> None:
    bought = Purchase()
    again = a_line(20000, bought.code)
    take_in(tmp_path, [a_line(20000, bought.code), again])
    assert (line_of(again).finding, open_cases()) == ("paid", ["pay.transfer_late"])
    decisions.give_back(line_of(again).id, reason="twice", actor="staff:fin", now=utcnow())
    pay_out()
    assert (line_of(again).status, line_of(again).back_fen, audit_payments()) == ("returned", 20000, [])


@pytest.mark.parametrize(
    ("remark", "finding"),
    [("培训费", "no_code"), ("ZK12345678", "slip"), ("ZK123456786", "unknown")],
)
def test_a_line_whose_code_is_not_known_is_before_a_person(
    world: World, tmp_path: Path, remark: str, finding: str
) -> None:
    bought = Purchase()
    line = a_line(20000, remark)
    take_in(tmp_path, [line])
    assert (line_of(line).finding, bought.order.status) == (finding, "pending")
    assert (open_cases(), audit_payments()) == (["pay.transfer_unknown"], [])
    decisions.attach(line_of(line).id, bought.code, reason="asked them", actor="staff:fin", now=utcnow())
    assert (bought.order.status, open_cases(), audit_payments()) == ("paid", [], [])


def test_two_codes_in_one_remark_are_before_a_person(world: World, tmp_path: Path) -> None:
    one, two = Purchase(), Purchase()
    line = a_line(20000, f"{one.code} {two.code}")
    take_in(tmp_path, [line])
    assert (line_of(line).finding, one.order.status, two.order.status) == ("several", "pending", "pending")


def test_another_payers_name_is_before_a_person(world: World, tmp_path: Path) -> None:
    bought = Purchase()
    line = a_line(20000, bought.code, payer="张三")
    take_in(tmp_path, [line])
    assert (line_of(line).finding, open_cases()) == ("payer", ["pay.transfer_payer"])
    decisions.accept(line_of(line).id, reason="their cashier", actor="staff:fin", now=utcnow())
    assert (bought.order.status, open_cases(), audit_payments()) == ("paid", [], [])


def test_the_banks_correction_is_set_aside_and_never_goes_back(world: World, tmp_path: Path) -> None:
    line = a_line(-20000, "冲正")
    take_in(tmp_path, [line])
    assert line_of(line).finding == "reversal"
    with pytest.raises(Problem) as problem:
        decisions.give_back(line_of(line).id, reason="x", actor="staff:fin", now=utcnow())
    assert problem.value.code == "line_over"
    decisions.set_aside(line_of(line).id, reason="corrected", actor="staff:fin", now=utcnow())
    assert (line_of(line).status, open_cases(), audit_payments()) == ("aside", [], [])


def test_the_same_number_with_another_amount_is_before_a_person(world: World, tmp_path: Path) -> None:
    bought = Purchase()
    line = a_line(20000, bought.code)
    take_in(tmp_path, [line])
    other = Purchase()
    take_in(tmp_path, [a_line(20000, other.code, payer="另一家公司", number=line.number)])
    rows = StatementLine.select().where(StatementLine.number == line.number, StatementLine.key.is_null(False))
    assert sorted(row.finding for row in rows) == ["conflict", "exact"]
    assert (other.order.status, open_cases(), audit_payments()) == ("pending", ["pay.transfer_unknown"], [])


def test_past_the_last_day_the_order_is_closed_by_the_statement_of_that_day(world: World, tmp_path: Path) -> None:
    now = utcnow()
    bought = Purchase(now=now)
    over = now + 7 * DAY + timedelta(minutes=1)
    janitor.expire_orders(now=over)
    assert bought.order.status == "closing"
    (sku,) = orders.skus(bought.order_id)
    with pytest.raises(Problem) as problem:
        service.create_order(
            payer=service.Payer("organisation", bought.organisation), programme="yunnan", version="2021-02-01",
            lines=[service.Line(sku, "x", 20000)], expires_at=over + DAY, now=over,
        )  # fmt: skip
    assert problem.value.code == "transfer_counted"
    last = shanghai_day(bought.order.expires_at)
    during, after = a_line(5, "x", day=last), a_line(6, "x", day=last)
    take_in(tmp_path, [during], first=shanghai_day(now), last=last, now=over)  # the day is not over yet
    in_background(now=over + timedelta(hours=1))
    assert bought.order.status == "closing"
    take_in(tmp_path, [after], first=shanghai_day(now), last=last, now=over + DAY)
    for line in (during, after):
        decisions.set_aside(line_of(line).id, reason="rent", actor="staff:fin", now=over + DAY)
    in_background(now=over + DAY + timedelta(hours=1))
    assert bought.order.status == "closed"
    assert audit_payments(over + DAY + timedelta(hours=1)) == []


def test_what_came_on_the_last_day_pays_although_it_is_imported_later(world: World, tmp_path: Path) -> None:
    now = utcnow()
    bought = Purchase(now=now)
    over = now + 8 * DAY
    janitor.expire_orders(now=over)
    last = shanghai_day(bought.order.expires_at)
    take_in(tmp_path, [a_line(20000, bought.code, day=last)], now=over)
    assert (bought.order.status, audit_payments(over)) == ("paid", [])


def on_the_last_day(
    tmp_path: Path, amount_fen: int = 20000, **said: str
) -> tuple[Purchase, StatementLine, timedelta]:
    """An order, a line of its last day that a person has to look at, and how much time has passed: every statement is
    there, and the janitor has been round."""
    now, passed = utcnow(), 9 * DAY
    bought = Purchase(now=now)
    last = shanghai_day(bought.order.expires_at)
    line = a_line(amount_fen, said.pop("remark", bought.code), day=last, **said)
    take_in(tmp_path, [line], first=shanghai_day(now), last=last, now=now + passed)
    in_background(now=now + passed)
    transfers.look_after(now=now + passed)
    return bought, line_of(line), passed


def test_an_order_stays_open_while_a_person_looks_at_the_name_of_who_paid_in_time(
    world: World, tmp_path: Path
) -> None:
    bought, line, passed = on_the_last_day(tmp_path, payer="张三")
    assert (bought.order.status, open_cases()) == ("closing", ["pay.transfer_payer"])
    decisions.accept(line.id, reason="their cashier", actor="staff:fin", now=utcnow() + passed)
    assert (bought.order.status, open_cases(), audit_payments(utcnow() + passed)) == ("paid", [], [])


def test_an_order_stays_open_while_a_person_looks_at_too_much_that_came_in_time(world: World, tmp_path: Path) -> None:
    bought, line, passed = on_the_last_day(tmp_path, 25000)
    assert (bought.order.status, open_cases()) == ("closing", ["pay.transfer_over"])
    decisions.keep(line.id, reason="agreed", actor="staff:fin", now=utcnow() + passed)
    assert (bought.order.status, audit_payments(utcnow() + passed)) == ("paid", [])


def test_an_order_stays_open_while_a_line_of_its_days_belongs_to_nobody(world: World, tmp_path: Path) -> None:
    bought, line, passed = on_the_last_day(tmp_path, remark="ZK12345678")
    assert (bought.order.status, line.finding) == ("closing", "slip")
    decisions.attach(line.id, bought.code, reason="asked them", actor="staff:fin", now=utcnow() + passed)
    assert (bought.order.status, open_cases(), audit_payments(utcnow() + passed)) == ("paid", [], [])


def test_once_it_is_decided_that_the_line_is_not_for_it_the_order_is_closed(world: World, tmp_path: Path) -> None:
    bought, line, passed = on_the_last_day(tmp_path, payer="张三")
    decisions.give_back(line.id, reason="not theirs", actor="staff:fin", now=utcnow() + passed)
    in_background(now=utcnow() + passed + timedelta(hours=1))
    assert bought.order.status == "closed"
    pay_out(now=utcnow() + passed)
    assert audit_payments(utcnow() + passed) == []


def a_closed_one(tmp_path: Path) -> tuple[Purchase, timedelta]:
    """An order that nobody paid in time, and how much time has passed."""
    now, passed = utcnow(), 9 * DAY
    bought = Purchase(now=now)
    janitor.expire_orders(now=now + 7 * DAY + timedelta(minutes=1))
    line = a_line(7, "x", day=shanghai_day(now + 8 * DAY))
    take_in(tmp_path, [line], first=shanghai_day(now), now=now + passed)
    in_background(now=now + passed)
    assert bought.order.status == "closed"
    return bought, passed


def test_money_for_a_closed_order_is_before_a_person_and_goes_to_another_order(world: World, tmp_path: Path) -> None:
    bought, passed = a_closed_one(tmp_path)
    now = utcnow() + passed
    line = a_line(20000, bought.code, day=shanghai_day(now))
    take_in(tmp_path, [line], now=now)
    assert (line_of(line).finding, bought.refunds) == ("closed", [])
    anew = Purchase(now=now)
    decisions.attach(line_of(line).id, anew.code, reason="ordered anew", actor="staff:fin", now=now)
    assert (anew.order.status, bought.order.status) == ("paid", "closed")
    assert audit_payments(now) == []


def test_too_little_for_an_order_that_was_closed_is_before_a_person_again(world: World, tmp_path: Path) -> None:
    now = utcnow()
    bought = Purchase(now=now)
    line = a_line(5000, bought.code)
    take_in(tmp_path, [line])
    decisions.ask_for_rest(line_of(line).id, reason="called", actor="staff:fin", now=now)
    over = now + 9 * DAY
    janitor.expire_orders(now=over)
    take_in(tmp_path, [a_line(7, "x", day=shanghai_day(over))], first=shanghai_day(now), now=over)
    take_in(tmp_path, [a_line(8, "x", day=shanghai_day(over))], first=shanghai_day(now), now=over + DAY)
    in_background(now=over + DAY)
    transfers.look_after(now=over + DAY)
    assert (bought.order.status, line_of(line).status, line_of(line).finding) == ("closed", "open", "closed")
    assert "pay.transfer_late" in open_cases()
    assert "pay.transfer_short" not in open_cases()
    assert audit_payments(over + DAY) == []


def test_finance_is_asked_for_a_statement_that_is_missing(world: World, tmp_path: Path) -> None:
    now = utcnow()
    Purchase(now=now)
    over = now + 8 * DAY + timedelta(minutes=1)
    janitor.expire_orders(now=over)
    transfers.look_after(now=over)
    assert open_cases() == ["pay.statement_missing"]
    take_in(tmp_path, [a_line(7, "x", day=shanghai_day(over))], first=shanghai_day(now), now=over + DAY)
    in_background(now=over + DAY)
    transfers.look_after(now=over + DAY)
    assert "pay.statement_missing" not in open_cases()


def test_who_closed_the_question_for_a_statement_is_asked_again_after_a_day(world: World) -> None:
    now = utcnow()
    Purchase(now=now)
    over = now + 8 * DAY + timedelta(minutes=1)
    janitor.expire_orders(now=over)
    transfers.look_after(now=over)
    (case,) = cases.open_cases("pay.statement_missing")
    cases.decide(case.id, "comes tomorrow", actor="staff:fin", now=over)
    transfers.look_after(now=over + timedelta(minutes=1))
    transfers.look_after(now=over + timedelta(hours=23))
    assert open_cases() == []
    transfers.look_after(now=over + DAY + timedelta(minutes=1))
    assert open_cases() == ["pay.statement_missing"]


def test_a_refund_of_a_transfer_is_transferred_by_hand_and_seen_by_two(world: World, tmp_path: Path) -> None:
    bought = Purchase()
    take_in(tmp_path, [a_line(20000, bought.code)])
    payments.refund_part(bought.order_id, 3000, reason="agreed", actor="staff:1", now=utcnow())
    in_background()
    (refund,) = bought.refunds
    (payout,) = payouts()
    assert (refund.status, payout.amount_fen, open_cases()) == ("processing", 3000, ["pay.payout"])
    with pytest.raises(Problem) as problem:
        decisions.sent(payout.id, "BK12345", told_by="staff:1", actor="staff:1", now=utcnow())
    assert problem.value.code == "second_person"
    assert audit_payments() == []
    pay_out()
    (refund,) = bought.refunds
    assert (refund.status, open_cases(), audit_payments()) == ("succeeded", [], [])
    with pytest.raises(Problem) as problem:
        decisions.sent(payout.id, "BK99999", told_by="staff:1", actor="staff:2", now=utcnow())
    assert problem.value.code == "payout_over"


def test_a_person_may_pay_by_transfer_where_the_file_says_so_and_by_another_way_in_the_first_minutes(
    world: World, tmp_path: Path
) -> None:
    now = utcnow()
    order = an_order(a_person())
    on = Device()
    began = service.start_payment(order.person_id, order.id, "bank_transfer", on, payer_name="某公司", now=now)
    order = Order.get_by_id(order.id)
    assert "wechat_native" in [way.name for way in service.ways_of(order, on, now=now)]
    later = now + timedelta(minutes=31)
    assert [way.name for way in service.ways_of(order, on, now=later)] == ["bank_transfer"]
    code = queries.codes_of([began.attempt.id])[began.attempt.id]
    take_in(tmp_path, [a_line(20000, code, payer="某公司")])
    assert (Order.get_by_id(order.id).status, audit_payments()) == ("paid", [])


def test_the_transfer_of_an_order_that_was_paid_by_another_way_is_before_a_person(
    world: World, tmp_path: Path
) -> None:
    now = utcnow()
    order = an_order(a_person())
    scan(world, start(order).attempt.out_trade_no)
    began = service.start_payment(order.person_id, order.id, "bank_transfer", Device(), payer_name="某公司", now=now)
    in_background(now=now + timedelta(seconds=20))
    assert Order.get_by_id(order.id).status == "paid"
    line = a_line(20000, queries.codes_of([began.attempt.id])[began.attempt.id], payer="某公司")
    take_in(tmp_path, [line])
    assert (line_of(line).finding, audit_payments()) == ("paid", [])
    decisions.give_back(line_of(line).id, reason="paid by WeChat", actor="staff:fin", now=now)
    pay_out()
    assert audit_payments() == []


def test_other_payments_end_where_they_would_have_ended(world: World) -> None:
    """A code of WeChat's that nobody scanned is closed at its own end, while the order waits for the transfer."""
    now = utcnow()
    order = an_order(a_person())
    start(order)
    service.start_payment(order.person_id, order.id, "bank_transfer", Device(), payer_name="某公司", now=now)
    later = now + timedelta(minutes=31)
    world.sandbox.box.clock.offset = 31 * 60.0
    janitor.find_lost_payments(now=later)
    status = {row.channel: row.status for row in orders.attempts(order.id)}
    assert status == {"wechat_native": "closed", "bank_transfer": "waiting"}
    assert audit_payments(later) == []


def test_dead_in_the_middle_of_a_statement_the_schedule_goes_on(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = Purchase(), Purchase()
    row = upload(tmp_path, [a_line(20000, one.code), a_line(20000, two.code)])
    monkeypatch.setattr(transfers, "A_PERSON_WAITS", 0.0)
    day = shanghai_day(utcnow())
    assert transfers.confirm(row.id, day, day, actor="staff:fin", now=utcnow()).status == "taking"
    assert (one.order.status, two.order.status) == ("pending", "pending")
    transfers.look_after(now=utcnow())
    assert (one.order.status, two.order.status, audit_payments()) == ("paid", "paid", [])
