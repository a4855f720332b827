"""Where the machine may not decide, a person can: no money stays in a status that nothing leads out of."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from app import wiring
from app.cases import service as cases
from app.core import db, inbox
from app.core.audit import AuditEntry
from app.core.clock import utcnow
from app.core.errors import Problem
from app.enrol.queries import sku
from app.pay import decisions, janitor, refunds
from app.pay import queries as orders
from app.pay.audit import audit_payments
from app.pay.models import PaymentAttempt, Refund
from ops import manage
from tests.factories import auth
from tests.pay.till import (
    Sale,
    an_order,
    in_background,
    in_parallel,
    letter,
    platform_refunds,
    post,
    scan,
    show_code,
    trouble,
)
from tests.world import World


@pytest.fixture
def by_hand(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command line works in this world, as it stands."""
    monkeypatch.setattr(wiring, "start", lambda settings: None)
    monkeypatch.setattr(manage, "load", lambda: world.settings)


def on_the_platform(world: World, kind: str, number: str, **values: object) -> None:
    """Change the platform's own record."""
    ((key, record),) = [
        (key, record) for key, record in world.sandbox.box.store.all("wechatpay", kind, 1000) if number in key
    ]
    world.sandbox.box.store.put("wechatpay", kind, key, {**record, **values})


def decide_about(kind: str) -> None:
    """A person closes the case and does nothing about the money."""
    (case,) = cases.open_cases(kind)
    assert cases.decide(case.id, "nothing to do", actor="system", now=utcnow())


def dispute(world: World, sale: Sale, total: int = 20500) -> None:
    """The phone paid another amount than was asked for."""
    scan(world, show_code(sale))
    on_the_platform(world, "order", sale.attempt.out_trade_no, total=total)
    assert post(world, letter(world, sale.attempt.out_trade_no)) == 204
    inbox.sweep(now=utcnow())
    assert (sale.attempt.status, sale.attempt.captured_fen) == ("disputed", total)


def refunds_there(world: World, sale: Sale) -> list[dict[str, Any]]:
    """What the platform knows of going back for this sale."""
    return [one for one in platform_refunds(world) if one["out_trade_no"] == sale.attempt.out_trade_no]


def fail_refund(world: World, sale: Sale) -> Refund:
    """Given back, and the bank returns it."""
    dispute(world, sale)
    refund_id = decisions.give_back(sale.attempt.id, reason="x", actor="system:cli", now=utcnow())
    world.sandbox.box.knobs.add("wechatpay", "refund", "abnormal")
    refunds.settle(refund_id, now=utcnow() + timedelta(seconds=1))
    (refund,) = sale.refunds
    assert refund.status == "failed"
    return refund


def refused_refund(world: World, sale: Sale) -> str:
    """Given back some minutes ago, and the platform refused it; gives the refund's id."""
    dispute(world, sale)
    then = utcnow() - timedelta(minutes=3)
    refund_id = decisions.give_back(sale.attempt.id, reason="x", actor="system:cli", now=then)
    world.sandbox.box.knobs.add("wechatpay", "refund", "error", "NOT_ENOUGH")
    refunds.settle(refund_id, now=then)
    return refund_id


def test_money_in_dispute_is_given_back_whole_by_the_command_line(world: World, by_hand: None, sale: Sale) -> None:
    dispute(world, sale)
    assert manage.main(["pay-give-back", sale.attempt.id, "--reason", "多付了五元", "--by", "王芳"]) == 0
    assert audit_payments() == []
    in_background(now=utcnow() + timedelta(minutes=31))
    (refund,) = sale.refunds
    assert (refund.status, refund.reason, refund.amount_fen) == ("succeeded", "disputed", 20500)
    assert (sale.attempt.status, sale.order.status, sale.granted) == ("returned", "closed", False)
    assert [record["refund"] for record in refunds_there(world, sale)] == [20500]
    assert cases.open_cases("pay.mismatch") == []
    (entry,) = AuditEntry.select().where(AuditEntry.action == "payment.given_back")
    assert (entry.actor, entry.subject) == ("staff:王芳", f"attempt:{sale.attempt.id}")
    assert "多付了五元" in entry.data
    assert audit_payments() == []


def test_the_amount_given_back_is_the_platforms_and_not_that_of_the_disputed_word(world: World, sale: Sale) -> None:
    scan(world, show_code(sale))
    post(world, letter(world, sale.attempt.out_trade_no, change={"amount": {"total": 1}}))
    inbox.sweep(now=utcnow())
    assert (sale.attempt.status, sale.attempt.captured_fen) == ("disputed", 1)
    decisions.give_back(sale.attempt.id, reason="x", actor="system:cli", now=utcnow())
    in_background(now=utcnow() + timedelta(minutes=1))
    assert [(refund.status, refund.amount_fen) for refund in sale.refunds] == [("succeeded", 20000)]
    assert audit_payments() == []


def test_money_in_dispute_is_given_back_once(world: World, sale: Sale) -> None:
    dispute(world, sale)

    def decide(_: int) -> str:
        with db.connection():
            try:
                return decisions.give_back(sale.attempt.id, reason="x", actor="system:cli", now=utcnow())
            except Problem as problem:
                return problem.code

    answers = in_parallel(4, decide)
    assert sorted(answers)[1:] == ["not_disputed"] * 3
    assert len(sale.refunds) == 1


def test_what_was_decided_is_not_a_question_again(world: World, sale: Sale) -> None:
    dispute(world, sale)
    decisions.give_back(sale.attempt.id, reason="x", actor="system:cli", now=utcnow())
    assert post(world, letter(world, sale.attempt.out_trade_no)) == 204
    in_background(now=utcnow() + timedelta(minutes=1))
    assert cases.open_cases("pay.mismatch") == []
    assert len(sale.refunds) == 1


@pytest.mark.parametrize(
    ("knob", "value", "code"),
    [
        ("error", 503, "payment_unknown"),
        ("alter", {"trade_state": "NOTPAY"}, "nothing_captured"),
        ("alter", {"mchid": "1600000000"}, "nothing_captured"),
        ("alter", {"amount": {"currency": "USD"}}, "nothing_captured"),
    ],
)
def test_what_the_platform_does_not_say_it_has_is_not_given_back(
    world: World, sale: Sale, knob: str, value: object, code: str
) -> None:
    dispute(world, sale)
    world.sandbox.box.knobs.add("wechatpay", "query", knob, value)
    with pytest.raises(Problem) as problem:
        decisions.give_back(sale.attempt.id, reason="x", actor="system:cli", now=utcnow())
    assert problem.value.code == code
    assert (sale.attempt.status, sale.refunds) == ("disputed", [])
    assert len(cases.open_cases("pay.mismatch")) == 1


def test_nobody_pays_again_while_money_is_in_dispute_and_the_screen_says_so(world: World, sale: Sale) -> None:
    dispute(world, sale)
    for try_to_pay in (lambda: show_code(sale), lambda: an_order(sale.person, sku(sale.enrolment_id))):
        with pytest.raises(Problem) as problem:
            try_to_pay()
        assert problem.value.code == "payment_disputed"
    decisions.give_back(sale.attempt.id, reason="x", actor="system:cli", now=utcnow())
    assert not orders.in_dispute([sku(sale.enrolment_id)])


def test_a_dispute_about_money_that_is_not_here_can_be_ended_and_one_about_money_cannot(
    world: World, sale: Sale
) -> None:
    dispute(world, sale)
    with pytest.raises(Problem) as problem:
        decisions.dismiss(sale.attempt.id, reason="x", actor="system:cli", now=utcnow())
    assert problem.value.code == "something_captured"
    world.sandbox.box.knobs.add("wechatpay", "query", "alter", {"mchid": "1600000000"})
    decisions.dismiss(sale.attempt.id, reason="not our merchant", actor="system:cli", now=utcnow())
    assert sale.attempt.status == "closed"
    assert cases.open_cases("pay.mismatch") == []
    assert not orders.in_dispute([sku(sale.enrolment_id)])


def test_money_that_comes_after_a_dispute_was_ended_is_found_without_a_notification(world: World, sale: Sale) -> None:
    dispute(world, sale)
    world.sandbox.box.knobs.add("wechatpay", "query", "alter", {"mchid": "1600000000"})
    decisions.dismiss(sale.attempt.id, reason="not our merchant", actor="system:cli", now=utcnow())
    on_the_platform(world, "order", sale.attempt.out_trade_no, total=20000)
    in_background(now=utcnow() + timedelta(minutes=31))
    assert (sale.order.status, sale.attempt.status) == ("closed", "closed")
    in_background(now=utcnow() + timedelta(minutes=61))
    assert [(refund.reason, refund.amount_fen) for refund in sale.refunds] == [("late", 20000)]
    assert audit_payments() == []


def test_a_dispute_that_was_ended_without_a_date_stops_no_question(world: World, sale: Sale) -> None:
    """As the version before has left them."""
    dispute(world, sale)
    world.sandbox.box.knobs.add("wechatpay", "query", "alter", {"mchid": "1600000000"})
    decisions.dismiss(sale.attempt.id, reason="not our merchant", actor="system:cli", now=utcnow())
    on_the_platform(world, "order", sale.attempt.out_trade_no, trade_state="NOTPAY")
    PaymentAttempt.update(closed_at=None, ask_at=None).where(PaymentAttempt.id == sale.attempt.id).execute()
    janitor.ask_soon(sale.attempt, now=utcnow())
    assert janitor.find_late_payments(now=utcnow() + timedelta(minutes=1)) == 1


def test_the_days_money_counts_what_was_in_dispute_as_it_came_and_as_it_went(world: World, sale: Sale) -> None:
    dispute(world, sale)
    decisions.give_back(sale.attempt.id, reason="x", actor="system:cli", now=utcnow())
    in_background(now=utcnow() + timedelta(minutes=1))
    day = timedelta(days=1)
    (taken,) = orders.taken({"yunnan"}, since=utcnow() - day, until=utcnow() + day)
    assert (taken.paid, taken.paid_fen, taken.back, taken.back_fen) == (1, 20500, 1, 20500)


def test_only_what_is_in_dispute_is_given_back_and_only_what_failed_is_sent_again(
    world: World, by_hand: None, sale: Sale, capsys: pytest.CaptureFixture[str]
) -> None:
    show_code(sale)
    for verb, row in (
        ("pay-give-back", sale.attempt.id),
        ("pay-give-back", "nobodys"),
        ("pay-retry-refund", "nobodys"),
    ):
        assert manage.main([verb, row, "--reason", "x", "--by", "王芳"]) == 1
        assert capsys.readouterr().err.strip()
    assert AuditEntry.select().where(AuditEntry.actor == "staff:王芳").count() == 0


def test_a_failed_refund_is_sent_again_under_its_own_number(world: World, by_hand: None, sale: Sale) -> None:
    refund = fail_refund(world, sale)
    for _ in range(2):  # a second time, too: the bank still returns it
        assert manage.main(["pay-retry-refund", refund.id, "--reason", "换了收款账户", "--by", "王芳"]) == 0
        assert audit_payments() == []
        refunds.settle_due(now=utcnow() + timedelta(seconds=1))
        assert Refund.get_by_id(refund.id).status == "failed"
        assert [case.subject for case in cases.open_cases("pay.refund_failed")] == [f"refund:{refund.id}"]
    on_the_platform(world, "refund", refund.out_refund_no, status="SUCCESS")  # put right by the merchant's own page
    assert manage.main(["pay-retry-refund", refund.id, "--reason", "再试", "--by", "王芳"]) == 0
    refunds.settle_due(now=utcnow() + timedelta(seconds=1))
    assert Refund.get_by_id(refund.id).status == "succeeded"
    assert [record["out_refund_no"] for record in refunds_there(world, sale)] == [refund.out_refund_no]
    assert cases.open_cases("pay.refund_failed") == []
    assert AuditEntry.select().where(AuditEntry.action == "refund.retried").count() == 3
    assert manage.main(["pay-retry-refund", refund.id, "--reason", "再试", "--by", "王芳"]) == 1
    assert audit_payments() == []


def test_money_that_was_given_back_elsewhere_is_never_sent_again(world: World, by_hand: None, sale: Sale) -> None:
    refund_id = refused_refund(world, sale)
    assert [case.subject for case in cases.open_cases("pay.refund_refused")] == [f"refund:{refund_id}"]
    assert manage.main(["pay-leave-refund", refund_id, "--reason", "银行转账", "--by", "王芳"]) == 0
    in_background(now=utcnow() + timedelta(days=3))
    assert Refund.get_by_id(refund_id).status == "elsewhere"
    assert refunds_there(world, sale) == []
    assert cases.open_cases("pay.refund_refused") == []
    assert AuditEntry.get(AuditEntry.action == "refund.left").actor == "staff:王芳"
    assert audit_payments() == []
    assert manage.main(["pay-leave-refund", "nobodys", "--reason", "x", "--by", "王芳"]) == 1


def test_a_failed_refund_that_was_given_back_elsewhere_is_at_its_end(world: World, sale: Sale) -> None:
    refund = fail_refund(world, sale)
    decisions.leave_refund(refund.id, reason="现金", actor="staff:王芳", now=utcnow())
    assert Refund.get_by_id(refund.id).status == "elsewhere"
    assert cases.open_cases("pay.refund_failed") == []
    assert audit_payments() == []
    with pytest.raises(Problem) as problem:
        decisions.retry_refund(refund.id, reason="x", actor="staff:王芳", now=utcnow())
    assert problem.value.code == "refund_not_failed"


def test_a_refund_that_the_provider_has_is_not_given_back_a_second_time(world: World, sale: Sale) -> None:
    dispute(world, sale)
    then = utcnow() - timedelta(minutes=3)
    refund_id = decisions.give_back(sale.attempt.id, reason="x", actor="system:cli", now=then)
    trouble(world, "refund", "reset_after")  # taken, and the answer is lost
    refunds.settle(refund_id, now=then)
    trouble(world, "query_refund", "reset")
    for code in ("payment_unknown", "refund_on_its_way"):
        with pytest.raises(Problem) as problem:
            decisions.leave_refund(refund_id, reason="x", actor="staff:王芳", now=utcnow())
        assert problem.value.code == code
    assert Refund.get_by_id(refund_id).status == "requested"


def test_the_audit_finds_a_failed_refund_and_a_dispute_that_are_before_nobody(world: World, sale: Sale) -> None:
    dispute(world, sale)
    assert audit_payments() == []
    decide_about("pay.mismatch")
    assert len(audit_payments()) == 1
    cases.file("pay.mismatch", f"attempt:{sale.attempt.id}", {}, now=utcnow())  # it comes up again: open again
    assert audit_payments() == []
    decisions.give_back(sale.attempt.id, reason="x", actor="system:cli", now=utcnow())
    world.sandbox.box.knobs.add("wechatpay", "refund", "abnormal")
    refunds.settle_due(now=utcnow() + timedelta(seconds=1))
    assert audit_payments() == []
    decide_about("pay.refund_failed")
    assert len(audit_payments()) == 1


def test_an_order_whose_money_is_in_dispute_offers_no_way_to_pay_again(world: World, sale: Sale) -> None:
    path = f"/api/v1/orders/{sale.order_id}"
    assert world.app.test_client().get(path, headers=auth(sale.person)).get_json()["channels"]
    dispute(world, sale)

    shown = world.app.test_client().get(path, headers=auth(sale.person)).get_json()

    assert (shown["status"], shown["channels"]) == ("pending", [])
    assert shown["no_channel"]["code"] == "payment_disputed"
    assert shown["status_text"] == "核对中"
