"""A day's bill beside our books: it is fetched, it matches line by line, and nothing happens twice."""

from __future__ import annotations

from datetime import date, time, timedelta
from typing import Any

import pytest

from app.cases import service as cases
from app.core import db
from app.core.audit import AuditEntry
from app.core.clock import utcnow
from app.pay import decisions, janitor, refunds
from app.pay.audit import audit_payments
from app.pay.models import Order, PaymentAttempt, Refund
from app.pay.reconciliation import bills, queries, service
from app.pay.reconciliation.models import Bill, BillRow, Difference
from app.policy import load as policy
from app.policy.days import on_clock, shanghai_day
from tests.pay.reconciliation import mornings
from tests.pay.reconciliation.mornings import books, day_of, morning_after, paid, reconciled, wechat_bill_says
from tests.pay.till import Sale, a_sale, in_background, in_parallel, scan, show_code, start
from tests.world import World

CHANNELS = ("wechat_native", "alipay_qr")


def test_what_both_sides_know_balances(world: World) -> None:
    sales = [paid(world, channel) for channel in CHANNELS]
    decisions.refund_part(sales[0].order_id, 2500, reason="x", actor="staff:1", now=utcnow())
    decisions.refund_part(sales[1].order_id, 1, reason="x", actor="staff:1", now=utcnow())
    refunds.settle_due(now=utcnow() + timedelta(minutes=1))
    refunds.settle_due(now=utcnow() + timedelta(minutes=2))
    found = reconciled(world, day_of(sales[0]))
    assert {kind: bill.status for kind, bill in found.items()} == {"wechatpay": "balanced", "alipay": "balanced"}
    wechat, alipay = found["wechatpay"], found["alipay"]
    assert (wechat.lines, wechat.paid_fen, wechat.back_fen) == (2, 20000, 2500)
    assert (alipay.lines, alipay.paid_fen, alipay.back_fen) == (2, 20000, 1)
    assert (wechat.our_paid_fen, wechat.our_back_fen, alipay.our_back_fen) == (20000, 2500, 1)
    assert not Difference.select().exists()
    assert audit_payments() == []


def test_the_same_day_again_changes_nothing(world: World) -> None:
    day = day_of(paid(world))
    reconciled(world, day)
    before = books()
    calls = world.sandbox.box.journal.count("wechatpay")
    for minutes in (5, 60, 300):
        service.reconcile(now=on_clock(day + timedelta(days=1), time(11)) + timedelta(minutes=minutes))
    assert books() == before
    assert world.sandbox.box.journal.count("wechatpay") == calls


def test_a_payment_that_nobody_told_of_is_found_by_the_bill(world: World) -> None:
    sale = a_sale()
    scan(world, show_code(sale))
    bill = reconciled(world, day_of(sale))["wechatpay"]
    assert (bill.status, sale.order.status, sale.attempt.status) == ("balanced", "paid", "paid")
    in_background(now=utcnow() + timedelta(days=2))
    assert sale.granted
    assert audit_payments() == []


def test_money_that_came_once_the_order_was_closed_goes_back_by_the_bill(world: World) -> None:
    sale = a_sale()
    code = show_code(sale)
    for operation in ("close", "query"):
        world.sandbox.box.knobs.add("wechatpay", operation, "error", "ORDER_NOT_EXIST")
    janitor.expire_orders(now=utcnow() + timedelta(minutes=31))
    assert sale.order.status == "closed"
    scan(world, code, late=True)
    bill = reconciled(world, shanghai_day(utcnow()))["wechatpay"]
    assert bill.status == "balanced"
    assert (sale.order.status, sale.attempt.status) == ("closed", "paid")
    assert [(row.reason, row.amount_fen) for row in sale.refunds] == [("late", 20000)]


def test_while_the_provider_does_not_answer_nothing_is_guessed(world: World) -> None:
    sale = a_sale()
    scan(world, show_code(sale))
    world.sandbox.box.knobs.add("wechatpay", "query", "error", 500, None)
    bill = reconciled(world, day_of(sale))["wechatpay"]
    assert (bill.status, sale.order.status) == ("open", "pending")
    (row,) = Difference.select()
    assert (row.finding, row.said, row.suggestion) == ("missing_here", "unknown", "ask")
    assert [case.subject for case in cases.open_cases("pay.difference")] == [f"difference:{row.id}"]
    assert audit_payments() == []
    world.sandbox.box.knobs.clear()
    service.reconcile(now=on_clock(date.fromisoformat(bill.day) + timedelta(days=1), time(12)))
    assert Bill.get_by_id(bill.id).status == "balanced"
    assert (sale.order.status, Difference.get_by_id(row.id).status) == ("paid", "settled")
    assert cases.open_cases("pay.difference") == []
    assert audit_payments() == []


def test_a_refund_whose_end_nobody_heard_of_is_asked_about(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    sale = paid(world)
    decisions.refund_part(sale.order_id, 100, reason="x", actor="staff:1", now=utcnow())
    monkeypatch.setattr(world.sandbox.box, "refund_seconds", 1.0)
    refunds.settle_due(now=utcnow())
    assert Refund.get().status == "processing"
    world.sandbox.box.clock.offset = 2.0
    wechat_bill_says(monkeypatch, lambda rows: [row | {"退款状态": row["退款状态"] and "SUCCESS"} for row in rows])
    assert reconciled(world, day_of(sale))["wechatpay"].status == "balanced"
    assert Refund.get().status == "succeeded"


# --- when the bill is there ----------------------------------------------------------------------------------------


def test_a_bill_that_is_not_ready_is_tried_later(world: World) -> None:
    sale = paid(world)
    day = day_of(sale)
    early = morning_after(world, day, time(9, 30))
    service.reconcile(now=early)
    bill = Bill.get(Bill.kind == "wechatpay")
    assert (bill.status, bill.tries) == ("waiting", 0), "nobody asks before ten"
    service.reconcile(now=early + timedelta(minutes=45))  # ours is ahead of the provider's
    assert (Bill.get_by_id(bill.id).status, Bill.get_by_id(bill.id).tries) == ("waiting", 1)
    assert reconciled(world, day)["wechatpay"].status == "balanced"
    assert cases.open_cases() == []


@pytest.mark.parametrize("kind", ["error", "garbage", "reset"])
def test_a_provider_in_trouble_is_asked_again(world: World, kind: str) -> None:
    sale = paid(world)
    value = 500 if kind == "error" else None
    world.sandbox.box.knobs.add("wechatpay", "bill_file", kind, value, None)
    assert reconciled(world, day_of(sale))["wechatpay"].status == "waiting"
    world.sandbox.box.knobs.clear()
    service.reconcile(now=morning_after(world, day_of(sale), time(11, 30)))
    assert Bill.get(Bill.kind == "wechatpay").status == "balanced"


def test_a_bill_that_breaks_off_is_fetched_anew(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    sales = [paid(world) for _ in range(3)]
    monkeypatch.setattr(bills, "CHUNK", 1)
    with monkeypatch.context() as patched:
        patched.setattr(mornings, "TOTALS", "总交易单数,x,订单总金额,y,z,申请退款总金额,w")
        wechat_bill_says(patched, lambda rows: rows)
        assert reconciled(world, day_of(sales[0]))["wechatpay"].status == "waiting"
    assert BillRow.select().count() == 3, "what was read stays, and counts for nothing"
    service.reconcile(now=morning_after(world, day_of(sales[0]), time(12)))
    bill = Bill.get(Bill.kind == "wechatpay")
    assert (bill.status, bill.lines, BillRow.select().where(BillRow.bill_id == bill.id).count()) == ("balanced", 3, 3)


def test_a_bill_that_stays_away_is_told_and_comes_to_a_good_end(world: World) -> None:
    sale = paid(world)
    day = day_of(sale)
    world.sandbox.box.knobs.add("wechatpay", "bill", "error", "NO_STATEMENT_EXIST", None)
    service.reconcile(now=on_clock(day + timedelta(days=2), time(12)))
    assert cases.open_cases("pay.bill_missing") == []
    service.reconcile(now=on_clock(day + timedelta(days=3), time(1)))
    (case,) = cases.open_cases("pay.bill_missing")
    bill = Bill.get(Bill.kind == "wechatpay", Bill.day == day.isoformat())
    assert (bill.status, case.subject) == ("waiting", f"bill:{bill.id}")
    world.sandbox.box.knobs.clear()
    now = morning_after(world, day + timedelta(days=2), time(12))
    service.reconcile(now=now)
    assert Bill.get_by_id(bill.id).status == "balanced"
    assert cases.open_cases("pay.bill_missing") == []


def test_who_has_closed_the_question_about_a_bill_is_asked_again_the_day_after(world: World) -> None:
    day = day_of(paid(world))
    world.sandbox.box.knobs.add("wechatpay", "bill", "error", "NO_STATEMENT_EXIST", None)
    for days, clock, asked in ((3, 1, 1), (3, 2, 0), (4, 0, 0), (4, 2, 1)):
        now = on_clock(day + timedelta(days=days), time(clock))
        service.reconcile(now=now)
        found = [case for case in cases.open_cases("pay.bill_missing") if _is_of(case.subject, day)]
        assert len(found) == asked, (days, clock)
        for case in found:
            cases.decide(case.id, "asked them", actor="staff:1", now=now)


def _is_of(subject: str, day: date) -> bool:
    return bool(Bill.get_by_id(subject.removeprefix("bill:")).day == day.isoformat())


def test_a_day_on_which_nothing_happened_is_balanced_once_it_is_sure(world: World) -> None:
    sale = paid(world)
    day = day_of(sale) + timedelta(days=1)
    service.reconcile(now=morning_after(world, day))
    assert Bill.get(Bill.kind == "wechatpay", Bill.day == day.isoformat()).status == "waiting"
    service.reconcile(now=morning_after(world, day + timedelta(days=1)))
    empty = Bill.get(Bill.kind == "wechatpay", Bill.day == day.isoformat())
    assert (empty.status, empty.lines) == ("balanced", 0)
    assert audit_payments() == []


def test_a_bill_that_the_platform_still_makes_is_not_taken_for_an_empty_one(world: World) -> None:
    sale = a_sale()
    scan(world, show_code(sale))  # and nobody was told of it
    day = day_of(sale)
    world.sandbox.box.knobs.add("wechatpay", "bill", "error", "STATEMENT_CREATING", None)
    service.reconcile(now=morning_after(world, day + timedelta(days=1)))
    bill = Bill.get(Bill.kind == "wechatpay", Bill.day == day.isoformat())
    assert bill.status == "waiting"
    world.sandbox.box.knobs.clear()
    service.reconcile(now=morning_after(world, day + timedelta(days=1), time(12)))
    assert (Bill.get_by_id(bill.id).status, sale.order.status) == ("balanced", "paid")


def test_days_begin_with_a_merchants_first_payment_and_leave_none_out(world: World) -> None:
    sale = paid(world)
    first = day_of(sale)
    assert bills.plan(now=utcnow()) == 0, "today is not over"
    bills.plan(now=on_clock(first + timedelta(days=5), time(9)))
    wanted = [(first + timedelta(days=number)).isoformat() for number in range(5)]
    found = [bill.day for bill in Bill.select().where(Bill.kind == "wechatpay").order_by(Bill.day)]
    assert found == wanted
    assert not Bill.select().where(Bill.kind == "alipay").exists(), "nobody has paid there"
    bills.plan(now=on_clock(first + timedelta(days=400), time(9)))
    assert Bill.select().count() <= 5 + 90, "no provider keeps a bill for longer"


# --- midnight ------------------------------------------------------------------------------------------------------


def dated(sale: Sale, day: date, clock: time) -> None:
    """Our row says that it was paid then."""
    PaymentAttempt.update(paid_at=on_clock(day, clock)).where(PaymentAttempt.id == sale.attempt.id).execute()


def on_the_platform(world: World, sale: Sale, **values: Any) -> None:
    """Change the platform's own record of an order."""
    store, number = world.sandbox.box.store, sale.attempt.out_trade_no
    ((key, record),) = [item for item in store.all("wechatpay", "order", 1000) if number in item[0]]
    store.put("wechatpay", "order", key, {**record, **values})


def test_a_payment_dated_after_midnight_by_us_and_before_by_them_matches(world: World) -> None:
    sale, other = paid(world), paid(world)
    day = day_of(sale)
    on_the_platform(world, sale, paid=on_clock(day, time(23, 59, 59)).timestamp())
    dated(sale, day + timedelta(days=1), time(0, 0, 2))
    on_the_platform(world, other, paid=on_clock(day + timedelta(days=1), time(9)).timestamp())
    dated(other, day + timedelta(days=1), time(9))
    assert reconciled(world, day)["wechatpay"].status == "balanced"
    assert reconciled(world, day + timedelta(days=1))["wechatpay"].status == "balanced"
    assert not Difference.select().exists()
    assert audit_payments() == []


def test_a_payment_dated_before_midnight_by_us_and_after_by_them_waits_for_the_next_bill(world: World) -> None:
    sale, other = paid(world), paid(world)
    day = day_of(sale)
    dated(sale, day, time(23, 59, 59))
    on_the_platform(world, sale, paid=on_clock(day + timedelta(days=1), time(0, 0, 1)).timestamp())
    bill = reconciled(world, day)["wechatpay"]
    assert (bill.status, bill.lines) == ("fetched", 1), "neither balanced nor a difference yet"
    assert other.order.status == "paid"
    service.reconcile(now=morning_after(world, day + timedelta(days=1)))
    service.reconcile(now=morning_after(world, day + timedelta(days=1), time(12)))
    assert {row.status for row in Bill.select().where(Bill.kind == "wechatpay")} == {"balanced"}
    assert not Difference.select().exists()


def test_a_refund_that_arrived_on_another_day_than_it_was_asked_for_matches(world: World) -> None:
    sale = paid(world)
    decisions.refund_part(sale.order_id, 100, reason="x", actor="staff:1", now=utcnow())
    for minutes in (1, 2):
        refunds.settle_due(now=utcnow() + timedelta(minutes=minutes))
    day = day_of(sale)
    Refund.update(succeeded_at=on_clock(day + timedelta(days=1), time(8))).execute()
    on_the_platform(world, paid(world), paid=on_clock(day + timedelta(days=1), time(9)).timestamp())
    for after in (0, 1):
        service.reconcile(now=morning_after(world, day + timedelta(days=after)))
    status = {row.day: row.status for row in Bill.select().where(Bill.kind == "wechatpay")}
    assert status[day.isoformat()] in ("balanced", "open")
    assert not Difference.select().where(Difference.kind == "refund").exists()


# --- several at a time ---------------------------------------------------------------------------------------------


def lines_kept(world: World) -> int:
    """How many lines are kept of a bill of three that four workers fetch at one moment, or −1 for an error."""
    sales = [paid(world) for _ in range(3)]
    now = morning_after(world, day_of(sales[0]))
    bills.plan(now=now)
    errors: list[Exception] = []

    def work(_: int) -> None:
        with db.connection():
            for bill in Bill.select().where(Bill.kind == "wechatpay", Bill.status == "waiting"):
                try:
                    bills.fetch(bill, now=now)
                except Exception as error:  # what the twin may run into
                    errors.append(error)

    in_parallel(4, work)
    return -1 if errors else BillRow.select().count()


def test_workers_at_one_moment_fetch_a_bill_once(world: World) -> None:
    calls = world.sandbox.box.journal.count("wechatpay", "bill")
    assert lines_kept(world) == 3
    assert world.sandbox.box.journal.count("wechatpay", "bill") == calls + 1
    assert Bill.get(Bill.kind == "wechatpay").lines == 3


def test_twin_without_the_claim_it_is_fetched_more_than_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bills, "compare_and_set", lambda *_: True)
    calls = world.sandbox.box.journal.count("wechatpay", "bill")
    assert lines_kept(world) != 3 or world.sandbox.box.journal.count("wechatpay", "bill") > calls + 1


def test_workers_at_one_moment_file_a_difference_once(world: World) -> None:
    sale = a_sale()
    scan(world, show_code(sale))
    world.sandbox.box.knobs.add("wechatpay", "query", "error", 500, None)
    now = morning_after(world, day_of(sale))

    def work(_: int) -> None:
        with db.connection():
            service.reconcile(now=now)

    in_parallel(4, work)
    assert Difference.select().count() == 1
    assert len(cases.open_cases("pay.difference")) == 1
    assert audit_payments() == []


# --- what is shown -------------------------------------------------------------------------------------------------


def test_the_picture_has_each_day_of_each_merchant(world: World) -> None:
    sale = paid(world)
    scan(world, start(a_sale().order, "alipay_qr").attempt.out_trade_no)
    day = day_of(sale)
    world.sandbox.box.knobs.add("alipay", "query", "error", "SYSTEM_ERROR", None)
    reconciled(world, day)
    wechat, alipay = {row.kind: row for row in queries.days(day)}["wechatpay"], queries.days(day)[0]
    assert (wechat.status, wechat.their_paid_fen, wechat.our_paid_fen, wechat.open_differences) == (
        "balanced",
        20000,
        20000,
        0,
    )
    assert (alipay.status, alipay.their_paid_fen, alipay.our_paid_fen, alipay.open_differences) == (
        "open",
        20000,
        0,
        1,
    )
    assert queries.days(day - timedelta(days=1)) == []
    assert AuditEntry.select().where(AuditEntry.action == "bill.balanced").count() == 1
    assert Order.select().count() == 2


def test_the_bills_of_a_merchant_that_no_programme_names_any_more_are_fetched_while_money_moves(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    sale = paid(world)
    day = day_of(sale)
    decisions.refund_part(sale.order_id, 5000, reason="agreed", actor="staff:1", now=utcnow())
    monkeypatch.setattr(policy, "open_programmes", lambda: ())
    assert bills.merchants(now=utcnow()) == [("wechatpay", "yunnan.wechatpay")]
    refunds.settle_due(now=utcnow() + timedelta(minutes=1))
    refunds.settle_due(now=utcnow() + timedelta(minutes=2))
    assert reconciled(world, day)["wechatpay"].status == "balanced"
    assert bills.merchants(now=utcnow() + bills.KEPT + timedelta(days=1)) == [], "nothing moves any more"
    Refund.update(status="failed").execute()
    assert bills.merchants(now=utcnow() + bills.KEPT + timedelta(days=1)) == [("wechatpay", "yunnan.wechatpay")]
