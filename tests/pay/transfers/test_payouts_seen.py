"""Money that was said to go back has gone: one number of the bank's is one payout, what was typed is looked at when
it is proposed, and what no statement tells of is asked about."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from app.cases import kinds, work
from app.cases import service as cases
from app.core.clock import utcnow
from app.core.errors import Problem
from app.core.staff import EVERYWHERE, Right, Staff
from app.pay.audit import audit_payments
from app.pay.transfers import decisions, outgoing, unseen
from app.pay.transfers import service as transfers
from app.pay.transfers.models import OutgoingLine, Payout
from app.policy.days import shanghai_day
from tests.pay.transfers.bank import Purchase, a_line, take_in
from tests.pay.transfers.test_outgoing import OTHER, a_payout, open_kinds, sent, went
from tests.races import overtaken, unlocked
from tests.staffroom import a_member, staff_of
from tests.world import World

DAY = timedelta(days=1)


def finance(name: str = "王芳") -> Staff:
    return staff_of(a_member((Right.FINANCE, EVERYWHERE), name=name))


def test_one_number_of_the_banks_is_one_payout(world: World, tmp_path: Path) -> None:
    one, two = a_payout(tmp_path), a_payout(tmp_path, payer=OTHER, account="99")
    sent(one, "BK0001")
    with pytest.raises(Problem) as problem:
        sent(two, " BK0001 ")
    assert problem.value.code == "reference_taken"
    assert (Payout.get_by_id(two.id).status, audit_payments()) == ("requested", [])
    sent(two, "BK0002")
    assert audit_payments() == []
    Payout.update(reference="BK0001").where(Payout.id == two.id).execute()
    assert audit_payments() == ["2 payouts have the number BK0001"]


def two_under_one_number(tmp_path: Path) -> Any:
    """One of two payouts is written down as sent; before that is written, so is the other, under the same number.
    Gives what whoever wrote down the other was told."""
    one, two = a_payout(tmp_path), a_payout(tmp_path, payer=OTHER, account="99")
    with overtaken(decisions, "next_payout", partial(sent, two, "BK0001")) as told:
        sent(one, "BK0001")
    return told[0]


def test_of_two_at_one_moment_one_has_the_number(world: World, tmp_path: Path) -> None:
    told = two_under_one_number(tmp_path)
    assert isinstance(told, Problem)
    assert told.code == "reference_taken"
    assert sorted(str(payout.status) for payout in Payout.select()) == ["requested", "sent"]
    assert audit_payments() == []


def test_twin_without_the_lock_both_have_it(world: World, tmp_path: Path, servers_only: None) -> None:
    with unlocked():
        assert two_under_one_number(tmp_path) is None
    assert audit_payments() == ["2 payouts have the number BK0001"]


@pytest.mark.parametrize(
    ("typed", "code"),
    [("已经转好了", "reference_needed"), ("已转 123456", "reference_needed"), ("BK0001", "reference_taken")],
)
def test_a_number_is_looked_at_when_it_is_proposed(world: World, tmp_path: Path, typed: str, code: str) -> None:
    sent(a_payout(tmp_path, payer=OTHER, account="99"), "BK0001")
    a_payout(tmp_path)
    (case,) = cases.open_cases("pay.payout")
    who = finance()
    with pytest.raises(Problem) as problem:
        work.decide_by_staff(who, case.id, "sent", note=typed, now=utcnow())
    assert problem.value.code == code
    assert cases.open_cases("pay.payout")[0].status == "open", "whoever proposed it mends it"
    assert work.decide_by_staff(who, case.id, "sent", note="BK0002", now=utcnow()) == "second_look"


def test_a_code_and_a_payout_are_looked_at_when_they_are_proposed(world: World, tmp_path: Path) -> None:
    bought, payout, who = Purchase(), a_payout(tmp_path), finance()
    take_in(tmp_path, [a_line(20000, "培训费"), went(payer="户名被截短", account="")])
    (line,), (gone,) = cases.open_cases("pay.transfer_unknown"), cases.open_cases(outgoing.KIND)
    for case, key, wrong, code in (
        (line, "attach", "ZK00000", "no_such_code"),
        (gone, "payout", "x1", "no_such_payout"),
    ):
        with pytest.raises(Problem) as problem:
            work.decide_by_staff(who, case.id, key, note=wrong, now=utcnow())
        assert problem.value.code == code
    for case, key, right in ((line, "attach", bought.code), (gone, "payout", payout.id)):
        assert work.decide_by_staff(who, case.id, key, note=right, now=utcnow()) == "second_look"


def told_of(tmp_path: Path, *more: object) -> None:
    """Tomorrow the statement of today is there."""
    take_in(tmp_path, [a_line(1, "x"), *more], now=utcnow() + DAY)  # type: ignore[list-item]


def test_what_was_said_to_be_sent_and_is_in_no_statement_is_asked_about(world: World, tmp_path: Path) -> None:
    payout = a_payout(tmp_path)
    sent(payout, "BK0001")
    transfers.look_after(now=utcnow() + DAY)
    assert open_kinds() == [], "no statement tells of the day yet"
    told_of(tmp_path)
    (case,) = cases.open_cases(outgoing.UNSEEN)
    shown = {fact.label: fact.value for fact in kinds.of(case.kind).evidence(case).facts}  # type: ignore[union-attr]
    assert (shown["登记的流水号"], shown["退款金额"]) == ("BK0001", "200.00 元")
    assert audit_payments(utcnow() + DAY) == []
    late = went(day=shanghai_day(utcnow() + DAY))
    take_in(tmp_path, [late], now=utcnow() + DAY)
    assert (cases.open_cases(outgoing.UNSEEN), audit_payments(utcnow() + DAY)) == ([], [])
    assert Payout.get_by_id(payout.id).outgoing_id == OutgoingLine.get(OutgoingLine.number == late.number).id


def test_what_a_statement_tells_of_is_not_asked_about(world: World, tmp_path: Path) -> None:
    sent(a_payout(tmp_path), "BK0001")
    told_of(tmp_path, went())
    transfers.look_after(now=utcnow() + DAY)
    assert cases.open_cases(outgoing.UNSEEN) == []


def test_it_is_asked_once_and_two_close_it(world: World, tmp_path: Path) -> None:
    sent(a_payout(tmp_path), "BK0001")
    told_of(tmp_path)
    (case,) = cases.open_cases(outgoing.UNSEEN)
    work.decide_by_staff(finance(), case.id, "seen", note="今天重新转了", now=utcnow())
    seen = work.mark_of(cases.open_cases(outgoing.UNSEEN)[0])
    assert work.confirm(finance("李明"), case.id, seen=seen, now=utcnow()) == "decided"
    transfers.look_after(now=utcnow() + 2 * DAY)
    assert cases.open_cases(outgoing.UNSEEN) == []
    assert audit_payments(utcnow() + 2 * DAY) == []


def test_the_audit_finds_one_that_nobody_was_asked_about(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    payout = a_payout(tmp_path)
    sent(payout, "BK0001")
    monkeypatch.setattr(unseen, "ask", lambda now: None)
    told_of(tmp_path)
    assert audit_payments(utcnow() + DAY) == [
        f"payout {payout.id} is sent, no statement tells of it, and nobody was asked"
    ]


def test_the_payout_that_nobody_has_found_yet_is_suggested_before_older_ones(world: World, tmp_path: Path) -> None:
    for number in range(6):
        payer = f"某公司{number}"
        found = went(payer=payer, account=f"10{number}")
        sent(a_payout(tmp_path, payer=payer, account=f"10{number}"), found.number)
        take_in(tmp_path, [found])
    other, wanted = a_payout(tmp_path, payer=OTHER, account="98"), a_payout(tmp_path, payer="付款公司", account="99")
    take_in(tmp_path, [went(payer="付款公司的简称", account="")])
    (case,) = cases.open_cases(outgoing.KIND)
    facts = kinds.of(case.kind).evidence(case).facts  # type: ignore[union-attr]
    shown = [fact.value for fact in facts if fact.label == "可能的退款"]
    assert (wanted.id in shown[0], other.id in shown[1], len(shown)) == (True, True, 5)


def test_where_the_money_has_gone_no_number_but_its_lines_is_proposed(world: World, tmp_path: Path) -> None:
    payout, line = a_payout(tmp_path), went()
    take_in(tmp_path, [line])
    (case,) = cases.open_cases("pay.payout")
    with pytest.raises(Problem) as problem:
        work.decide_by_staff(finance(), case.id, "sent", note="BK0009", now=utcnow())
    assert problem.value.code == "reference_other"
    assert line.number in problem.value.detail
    assert cases.open_cases("pay.payout")[0].status == "open"
    work.decide_by_staff(finance(), case.id, "sent", note=f" {line.number} ", now=utcnow())
    seen = work.mark_of(cases.open_cases("pay.payout")[0])
    assert work.confirm(finance("李明"), case.id, seen=seen, now=utcnow()) == "decided"
    assert (Payout.get_by_id(payout.id).reference, audit_payments()) == (line.number, [])


def test_a_line_that_comes_after_the_proposal_refuses_another_number_at_the_second_look(
    world: World, tmp_path: Path
) -> None:
    payout, line = a_payout(tmp_path), went()
    (case,) = cases.open_cases("pay.payout")
    work.decide_by_staff(finance(), case.id, "sent", note="BK0009", now=utcnow())
    take_in(tmp_path, [line])
    seen = work.mark_of(cases.open_cases("pay.payout")[0])
    with pytest.raises(Problem) as problem:
        work.confirm(finance("李明"), case.id, seen=seen, now=utcnow())
    assert problem.value.code == "reference_other"
    assert line.number in problem.value.detail
    assert (Payout.get_by_id(payout.id).status, audit_payments()) == ("requested", [])


def test_a_line_whose_number_another_payout_has_by_mistake_does_not_hold_its_own_up(
    world: World, tmp_path: Path
) -> None:
    wrong, line = a_payout(tmp_path, 4500, payer=OTHER, account="99"), went()
    sent(wrong, line.number)
    payout = a_payout(tmp_path)
    take_in(tmp_path, [line])
    assert Payout.get_by_id(payout.id).outgoing_id is not None
    with pytest.raises(Problem) as problem:
        sent(payout, line.number)
    assert problem.value.code == "reference_taken"
    sent(payout, f"{line.number}-2")
    assert Payout.get_by_id(payout.id).status == "sent"
