"""Money on its way back for too long: nobody answers, or the platform has it and it never arrives. A person looks."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from app.cases import service as cases
from app.core.clock import utcnow
from app.pay import audit, decisions, refunds
from app.pay.models import Refund
from tests.pay.test_decisions import dispute, on_the_platform
from tests.pay.till import Sale, in_background
from tests.world import World

DAY = timedelta(days=1)


def given_back(world: World, sale: Sale) -> Refund:
    """Money that goes back."""
    dispute(world, sale)
    refund_id = decisions.give_back(sale.attempt.id, reason="x", actor="system:cli", now=utcnow())
    refund: Refund = Refund.get_by_id(refund_id)
    return refund


def after(refund: Refund, days: int) -> datetime:
    """Some minutes more than so many days after it was asked for."""
    asked: datetime = refund.created_at
    return asked + days * DAY + timedelta(minutes=2)


def days_pass(refund: Refund, *days: int) -> list[str]:
    """The schedule looks on each of these days; gives about which refunds a person is asked."""
    for day in days:
        refunds.settle_due(now=after(refund, day))
    return [case.subject for case in cases.open_cases(refunds.SLOW)]


def close_case(refund: Refund, days: int) -> None:
    (case,) = cases.open_cases(refunds.SLOW)
    assert cases.decide(case.id, "waits", actor="system", now=after(refund, days))


def test_a_refund_that_nobody_answers_for_a_day_is_before_a_person(world: World, sale: Sale) -> None:
    refund = given_back(world, sale)
    world.sandbox.box.knobs.add("wechatpay", "refund", "error", 500, None)
    assert days_pass(refund, 0) == []
    assert days_pass(refund, 1) == [f"refund:{refund.id}"]
    world.sandbox.box.knobs.clear()
    in_background(now=after(refund, 2))
    in_background(now=after(refund, 3))
    assert (Refund.get_by_id(refund.id).status, cases.open_cases(refunds.SLOW)) == ("succeeded", [])


def test_one_that_the_platform_has_for_ten_days_is_and_again_a_week_after_a_person_waits(
    world: World, sale: Sale, monkeypatch: pytest.MonkeyPatch
) -> None:
    refund = given_back(world, sale)
    monkeypatch.setattr(world.sandbox.box, "refund_seconds", 1e9)
    assert days_pass(refund, 0, 1, 5, 9) == []
    assert days_pass(refund, 10) == [f"refund:{refund.id}"]
    close_case(refund, 10)
    assert days_pass(refund, 11, 16) == []
    assert days_pass(refund, 17) == [f"refund:{refund.id}"]
    on_the_platform(world, "refund", refund.out_refund_no, status="ABNORMAL")
    assert days_pass(refund, 18) == [], "what failed is another question"
    assert [case.subject for case in cases.open_cases("pay.refund_failed")] == [f"refund:{refund.id}"]


def test_the_audit_finds_one_that_was_asked_about_for_too_long_and_is_before_nobody(
    world: World, sale: Sale, monkeypatch: pytest.MonkeyPatch
) -> None:
    refund = given_back(world, sale)
    monkeypatch.setattr(world.sandbox.box, "refund_seconds", 1e9)
    monkeypatch.setattr(refunds, "_tell_slow", lambda *_: None)
    said = f"refund {refund.id} is processing for too long and nobody was asked"
    for day, wrong in ((1, False), (9, False), (11, True)):
        days_pass(refund, day)
        assert (said in audit.audit_payments(after(refund, day))) == wrong
