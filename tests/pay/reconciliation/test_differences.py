"""What does not match: each kind is found once, with its evidence, and comes to an end by one step of a person."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, time, timedelta
from pathlib import Path

import openpyxl
import pytest

from app.cases import service as cases
from app.cases.models import Case
from app.core import budget
from app.core.audit import AuditEntry
from app.core.clock import utcnow
from app.core.errors import Problem
from app.pay import decisions, refunds
from app.pay.audit import audit_payments
from app.pay.models import PaymentAttempt, Refund
from app.pay.reconciliation import bills, compare, day_sheet, differences, service
from app.pay.reconciliation.models import Bill, BillRow, Difference
from app.policy.days import on_clock
from ops import manage
from sandbox import wechatpay
from sandbox.wechatpay_bill import trade_bill
from tests.pay.reconciliation.mornings import Row, books, day_of, morning_after, paid, reconciled, wechat_bill_says
from tests.pay.test_decisions import by_hand
from tests.pay.till import Sale, a_sale, scan, show_code
from tests.races import overtaken
from tests.world import World

__all__ = ["by_hand"]


def the_difference(world: World, day: date) -> tuple[Bill, Difference]:
    """The one difference in WeChat's bill of `day`, after the job has run."""
    bill = reconciled(world, day)["wechatpay"]
    (row,) = Difference.select().where(Difference.bill_id == bill.id)
    return bill, row


def again(bill: Bill, hours: int = 1) -> Bill:
    """The bill after the job has run once more, later."""
    later = on_clock(date.fromisoformat(bill.day) + timedelta(days=1), time(11)) + timedelta(hours=hours)
    service.reconcile(now=later)
    found: Bill = Bill.get_by_id(bill.id)
    return found


def a_stranger(rows: list[Row]) -> list[Row]:
    """A payment that we never asked for."""
    return [*rows, rows[0] | {"商户订单号": "=1+1|x", "微信订单号": "4200"}]


def a_strange_refund(rows: list[Row]) -> list[Row]:
    """A refund that somebody made in the merchant's console."""
    back = {"交易状态": "REFUND", "商户退款单号": "CONSOLE1", "微信退款单号": "503", "退款状态": "SUCCESS"}
    return [*rows, rows[0] | back | {"订单金额": "0.00", "申请退款金额": "200.00"}]


def twice(rows: list[Row]) -> list[Row]:
    return [*rows, *rows]


def by_another_transaction(rows: list[Row]) -> list[Row]:
    return [*rows, rows[0] | {"微信订单号": "4201"}]


def another_amount(rows: list[Row]) -> list[Row]:
    return [row | {"订单金额": "200.01"} for row in rows]


def nothing(rows: list[Row]) -> list[Row]:
    return [rows[0] | {"商户订单号": "OTHER1", "微信订单号": "4202"}]


@pytest.mark.parametrize(
    ("change", "finding", "suggestion", "theirs", "ours"),
    [
        (a_stranger, "missing_here", "give_back_there", 20000, None),
        (a_strange_refund, "missing_here", "give_back_there", 20000, None),
        (twice, "duplicate", "give_back_there", 20000, None),
        (by_another_transaction, "duplicate", "give_back_there", 20000, None),
        (another_amount, "amount", "look", 20001, 20000),
    ],
)
def test_each_kind_of_difference_is_filed_once_and_explained_by_a_person(
    world: World,
    monkeypatch: pytest.MonkeyPatch,
    change: Callable[[list[Row]], list[Row]],
    finding: str,
    suggestion: str,
    theirs: int,
    ours: int | None,
) -> None:
    sale = paid(world)
    wechat_bill_says(monkeypatch, change)
    bill, row = the_difference(world, day_of(sale))
    assert (row.finding, row.suggestion, row.their_fen, row.our_fen) == (finding, suggestion, theirs, ours)
    assert (bill.status, row.status) == ("open", "open")
    (case,) = cases.open_cases("pay.difference")
    facts = json.loads(case.facts)
    assert case.subject == f"difference:{row.id}"
    assert (facts["finding"], facts["number"], facts["their_fen"]) == (finding, row.number, theirs)
    assert audit_payments() == []

    assert again(bill).status == "open"
    assert (Difference.select().count(), Case.select().where(Case.kind == "pay.difference").count()) == (1, 1)

    done = service.resolve(row.id, "explain", reason="looked at", actor="staff:7", now=utcnow())
    assert done == "explained"
    bill, row = Bill.get_by_id(bill.id), Difference.get_by_id(row.id)
    assert (bill.status, row.decided_by, row.reason) == ("explained", "staff:7", "looked at")
    assert cases.open_cases("pay.difference") == []
    (entry,) = AuditEntry.select().where(AuditEntry.action == "difference.explained")
    assert (entry.actor, entry.subject) == ("staff:7", f"difference:{row.id}")
    assert audit_payments() == []
    before = books()
    again(bill, 24)
    assert [each for each in books() if each in before] == before, "what is explained is left alone"
    with pytest.raises(Problem) as problem:
        service.resolve(row.id, "ask", reason="x", actor="staff:7", now=utcnow())
    assert problem.value.code == "difference_decided"
    assert sale.order.status == "paid"


def test_what_we_have_and_no_bill_has_is_found(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    sale = paid(world)
    wechat_bill_says(monkeypatch, nothing)
    bill = reconciled(world, day_of(sale))["wechatpay"]
    found = {row.finding: row for row in Difference.select()}
    assert found.keys() == {"missing_here", "missing_there"}
    row = found["missing_there"]
    assert (row.subject, row.number, row.our_fen, row.said) == (
        f"attempt:{sale.attempt.id}",
        sale.attempt.out_trade_no,
        20000,
        "paid",
    )
    assert (bill.paid_fen, Bill.get_by_id(bill.id).our_paid_fen) == (20000, 20000)
    again(bill)
    assert Difference.select().count() == 2
    for one in found.values():
        service.resolve(one.id, "explain", reason="x", actor="staff:7", now=utcnow())
    assert Bill.get_by_id(bill.id).status == "explained"
    assert audit_payments() == []


def test_a_payment_that_comes_in_a_later_bill_after_all_settles(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    sale = paid(world)
    day = day_of(sale)
    (merchant,) = world.sandbox.box.merchants.values()
    theirs = trade_bill(world.sandbox.box.store, merchant, day)
    with monkeypatch.context() as patched:
        wechat_bill_says(patched, nothing)
        bill = reconciled(world, day)["wechatpay"]
    monkeypatch.setattr(wechatpay, "trade_bill", lambda *_: theirs)
    service.reconcile(now=morning_after(world, day + timedelta(days=1)))
    service.reconcile(now=morning_after(world, day + timedelta(days=1), time(18)))
    (row,) = Difference.select().where(Difference.finding == "missing_there")
    assert (row.status, row.decided_by) == ("settled", "system")
    assert Bill.get_by_id(bill.id).status == "open", "the stranger is still there"
    assert audit_payments() == []


def test_a_run_without_time_balances_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    sale = paid(world)
    wechat_bill_says(monkeypatch, nothing)
    monkeypatch.setattr(service, "Budget", lambda: budget.Budget(0.0))
    bills.plan(now=morning_after(world, day_of(sale)))
    bill = Bill.get()
    assert bills.fetch(bill, now=morning_after(world, day_of(sale)))
    assert not service.compare_bill(bill.id, now=morning_after(world, day_of(sale)))
    assert (Bill.get().status, Difference.select().count()) == ("fetched", 0)
    monkeypatch.undo()
    wechat_bill_says(monkeypatch, nothing)
    assert again(bill).status == "open"
    assert {row.finding for row in Difference.select()} == {"missing_here", "missing_there"}


def test_another_amount_than_was_asked_for_is_disputed_and_balances_once_it_went_back(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    sale = a_sale()
    scan(world, show_code(sale))
    ((key, record),) = world.sandbox.box.store.all("wechatpay", "order")
    world.sandbox.box.store.put("wechatpay", "order", key, {**record, "total": 20500})
    bill, row = the_difference(world, day_of(sale))
    assert (sale.attempt.status, sale.order.status) == ("disputed", "pending")
    assert (row.finding, row.their_fen, row.our_fen) == ("status", 20500, 20500)
    assert len(cases.open_cases("pay.mismatch")) == 1
    decisions.give_back(sale.attempt.id, reason="x", actor="staff:1", now=utcnow())
    assert again(bill).status == "balanced"
    assert Difference.get_by_id(row.id).status == "settled"
    assert audit_payments() == []


def test_a_refund_that_failed_here_and_succeeded_there_is_to_be_sent_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    sale = paid(world)
    decisions.refund_part(sale.order_id, 100, reason="x", actor="staff:1", now=utcnow())
    world.sandbox.box.knobs.add("wechatpay", "refund", "abnormal")
    refunds.settle_due(now=utcnow())
    assert Refund.get().status == "failed"
    wechat_bill_says(monkeypatch, lambda rows: [row | {"退款状态": row["退款状态"] and "SUCCESS"} for row in rows])
    bill, row = the_difference(world, day_of(sale))
    assert (row.finding, row.suggestion, row.our_status) == ("status", "retry", "failed")
    ((key, record),) = world.sandbox.box.store.all("wechatpay", "refund")
    world.sandbox.box.store.put("wechatpay", "refund", key, {**record, "status": "SUCCESS"})
    decisions.retry_refund(Refund.get().id, reason="the bill says so", actor="staff:1", now=utcnow())
    refunds.settle_due(now=utcnow())
    assert again(bill).status == "balanced"
    assert audit_payments() == []


@pytest.mark.parametrize(("there", "found"), [("CHANGE", []), ("SUCCESS", [("status", "look")])])
def test_money_that_was_given_back_elsewhere_and_went_back_there_too_is_looked_at(
    world: World, monkeypatch: pytest.MonkeyPatch, there: str, found: list[tuple[str, str]]
) -> None:
    sale = paid(world)
    decisions.refund_part(sale.order_id, 100, reason="x", actor="staff:1", now=utcnow())
    world.sandbox.box.knobs.add("wechatpay", "refund", "abnormal")
    refunds.settle_due(now=utcnow())
    decisions.leave_refund(Refund.get().id, reason="bank transfer", actor="staff:1", now=utcnow())
    wechat_bill_says(monkeypatch, lambda rows: [row | {"退款状态": row["退款状态"] and there} for row in rows])
    bill = reconciled(world, day_of(sale))["wechatpay"]
    assert [(row.finding, row.suggestion) for row in Difference.select()] == found
    assert bill.status == ("open" if found else "balanced")
    assert audit_payments() == []


def test_asking_once_more_takes_the_ordinary_way(
    world: World, by_hand: None, capsys: pytest.CaptureFixture[str]
) -> None:
    sale = a_sale()
    scan(world, show_code(sale))
    world.sandbox.box.knobs.add("wechatpay", "query", "error", 500, None)
    bill, row = the_difference(world, day_of(sale))
    assert manage.main(["bills"]) == 0
    shown = capsys.readouterr().out
    assert "missing_here" in shown
    assert "再向平台查询一次" in shown
    arguments = ["resolve-difference", row.id, "ask", "--reason", "they are back", "--by", "li"]
    assert manage.main(arguments) == 0
    assert capsys.readouterr().out.strip() == "open", "the provider still does not answer"
    world.sandbox.box.knobs.clear()
    assert manage.main(arguments) == 0
    assert capsys.readouterr().out.strip() == "settled"
    assert (sale.order.status, Bill.get_by_id(bill.id).status) == ("paid", "balanced")
    actions = [entry.actor for entry in AuditEntry.select().where(AuditEntry.action == "difference.asked")]
    assert actions == ["staff:li", "staff:li"]
    assert manage.main(["resolve-difference", "x", "ask", "--reason", "x", "--by", "li"]) == 1
    assert audit_payments() == []


def test_a_person_who_asks_waits_for_this_difference_and_not_for_the_others(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    sale = a_sale()
    scan(world, show_code(sale))
    world.sandbox.box.knobs.add("wechatpay", "query", "error", 500, None)
    _, row = the_difference(world, day_of(sale))
    world.sandbox.box.knobs.clear()
    given: list[float] = []

    def no_time(seconds: float = budget.SECONDS) -> budget.Budget:
        given.append(seconds)
        return budget.Budget(0.0)

    monkeypatch.setattr(service, "Budget", no_time)
    assert service.resolve(row.id, "ask", reason="x", actor="staff:1", now=utcnow()) == "settled"
    assert given == [service.A_PERSON_WAITS]
    assert sale.order.status == "paid"


def test_the_sheet_has_every_line_and_no_formula(
    world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, by_hand: None
) -> None:
    sale = paid(world)
    day = day_of(sale)
    wechat_bill_says(monkeypatch, a_stranger)
    _, row = the_difference(world, day)
    path = tmp_path / "day.xlsx"
    assert manage.main(["bill-sheet", day.isoformat(), str(path)]) == 0
    first, *rest = openpyxl.load_workbook(path).active.iter_rows()
    header = [cell.value for cell in first]
    lines = [dict(zip(header, [cell.value for cell in cells], strict=True)) for cells in rest]
    assert [(line["结果"], line["平台金额（元）"], line["我方金额（元）"]) for line in lines] == [
        ("一致", 200, 200),
        ("平台有、我方没有", 200, None),
    ]
    assert lines[1]["我方单号"] == "'=1+1|x"
    assert {cell.data_type for cells in rest for cell in cells} <= {"s", "n", "d"}
    service.resolve(row.id, "explain", reason="@cmd", actor="staff:7", now=utcnow())
    assert day_sheet.write(path, day) == 2
    *_, last = openpyxl.load_workbook(path).active.iter_rows(values_only=True)
    assert last[-3:] == ("已说明", "staff:7", "'@cmd")


# --- the audit finds what is planted -------------------------------------------------------------------------------


def close_the_case(_: Sale) -> None:
    Case.update(status="decided", open_key=None).where(Case.kind == "pay.difference").execute()


def settle_without_reason(_: Sale) -> None:
    Difference.update(status="settled").execute()


def call_it_balanced(_: Sale) -> None:
    Bill.update(status="balanced").where(Bill.status == "open").execute()


def call_it_explained(_: Sale) -> None:
    Bill.update(status="explained").where(Bill.status == "open").execute()


def lose_a_line(_: Sale) -> None:
    BillRow.delete().where(BillRow.place == 1).execute()


def leave_it(_: Sale) -> None:
    Bill.update(try_at=utcnow() - timedelta(hours=2)).where(Bill.status == "open").execute()


def forget_it(_: Sale) -> None:
    Bill.update(try_at=None).where(Bill.status == "open").execute()


@pytest.mark.parametrize(
    "plant",
    [
        close_the_case,
        settle_without_reason,
        call_it_balanced,
        call_it_explained,
        lose_a_line,
        leave_it,
        forget_it,
    ],
)
def test_what_is_planted_is_found(
    world: World, monkeypatch: pytest.MonkeyPatch, plant: Callable[[Sale], None]
) -> None:
    sale = paid(world)
    wechat_bill_says(monkeypatch, a_stranger)
    the_difference(world, day_of(sale))
    assert audit_payments() == []
    plant(sale)
    assert audit_payments() != []


def test_another_merchants_number_is_not_ours(world: World) -> None:
    sale = paid(world)
    PaymentAttempt.update(authority="henan.wechatpay").where(PaymentAttempt.id == sale.attempt.id).execute()
    paid(world)
    _, row = the_difference(world, day_of(sale))
    assert (row.finding, row.number, row.subject) == ("missing_here", sale.attempt.out_trade_no, None)


def test_a_difference_that_the_schedule_finds_beside_a_person_is_one(world: World) -> None:
    """Both look, neither sees one, both write."""
    sale = a_sale()
    scan(world, show_code(sale))
    world.sandbox.box.knobs.add("wechatpay", "query", "error", 500, None)
    bill, row = the_difference(world, day_of(sale))
    Difference.delete().execute()
    Case.delete().execute()
    line = BillRow.get_by_id(row.line_id)
    with overtaken(differences, "_kind", lambda: compare.one_line(bill, line, now=utcnow())) as answers:
        compare.one_line(bill, line, now=utcnow())
    assert len(answers) == 1
    assert (Difference.select().count(), len(cases.open_cases("pay.difference"))) == (1, 1)
    assert audit_payments() == []
