"""Money that went: each line of it is one payout that finance recorded, or before a person."""

from __future__ import annotations

import html
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.cases import kinds
from app.cases.models import Case
from app.core import db
from app.core.clock import utcnow
from app.core.errors import Problem
from app.core.staff import Right
from app.pay import decisions as payments
from app.pay.audit import audit_payments
from app.pay.transfers import decisions, outgoing, queries
from app.pay.transfers.models import OutgoingLine, Payout
from ops.statements import Line
from tests.pay.till import in_background, in_parallel
from tests.pay.transfers.bank import PAYER, Purchase, a_line, line_of, payouts, take_in, upload
from tests.questions import counted
from tests.staffroom import a_member, at_desk
from tests.world import World

OTHER = "云南另一家建筑公司"


def a_payout(tmp_path: Path, amount_fen: int = 20000, *, payer: str = PAYER, account: str = "53050161") -> Payout:
    """Income without a code that is to go back to whom it came from."""
    came = a_line(amount_fen, "培训费", payer=payer, account=account)
    take_in(tmp_path, [came])
    decisions.give_back(line_of(came).id, reason="none of ours", actor="staff:fin", now=utcnow())
    payout: Payout = Payout.get(Payout.line_id == line_of(came).id)
    return payout


def sent(payout: Payout, reference: str) -> None:
    decisions.sent(payout.id, reference, told_by="staff:one", actor="staff:two", now=utcnow())


def went(amount_fen: int = 20000, *, payer: str = PAYER, account: str = "53050161", **values: Any) -> Line:
    return a_line(amount_fen, "退款", payer=payer, account=account, out=True, **values)


def row_of(line: Line) -> OutgoingLine:
    row: OutgoingLine = OutgoingLine.get(OutgoingLine.number == line.number, OutgoingLine.key.is_null(False))
    return row


def stands(line: Line) -> tuple[str, str | None]:
    return row_of(line).status, row_of(line).finding


def open_kinds() -> list[str]:
    return sorted(case.kind for case in Case.select().where(Case.open_key.is_null(False)))


@pytest.mark.parametrize("suffix", [".xlsx", ".csv"])
def test_a_transfer_back_is_found_by_the_number_that_finance_wrote_down(
    world: World, tmp_path: Path, suffix: str
) -> None:
    payout, line = a_payout(tmp_path), went(payer="户名被截短", account="")
    sent(payout, line.number)
    take_in(tmp_path, [line], suffix=suffix)
    assert stands(line) == ("matched", "payout")
    assert Payout.get_by_id(payout.id).outgoing_id == row_of(line).id
    assert (open_kinds(), audit_payments()) == ([], [])


def test_under_another_number_it_is_found_by_amount_and_payee(world: World, tmp_path: Path) -> None:
    theirs, ours = a_payout(tmp_path, payer=OTHER, account="99"), a_payout(tmp_path)
    line = went()
    sent(theirs, "HD-0001")
    sent(ours, "HD-0002")
    take_in(tmp_path, [line])
    assert stands(line) == ("matched", "payout")
    assert [Payout.get_by_id(one.id).outgoing_id for one in (theirs, ours)] == [None, row_of(line).id]


def test_a_refund_of_what_a_transfer_paid_is_found_too(world: World, tmp_path: Path) -> None:
    bought = Purchase()
    take_in(tmp_path, [a_line(20000, bought.code)])
    payments.refund_part(bought.order_id, 5000, reason="x", actor="staff:fin", now=utcnow())
    in_background()
    (payout,) = payouts()
    line = went(5000)
    sent(payout, line.number)
    take_in(tmp_path, [line])
    assert stands(line) == ("matched", "payout")
    assert audit_payments() == []


def test_what_went_before_anybody_wrote_it_down_is_shown_to_whoever_is_to_transfer_it(
    world: World, tmp_path: Path
) -> None:
    payout, line = a_payout(tmp_path), went()
    take_in(tmp_path, [line])
    assert stands(line) == ("matched", "early")
    case = Case.get(Case.kind == "pay.payout")
    shown = kinds.of(case.kind).evidence(case)  # type: ignore[union-attr]
    assert any("请不要再转" in fact.value and line.number in fact.value for fact in shown.facts)
    page = html.unescape(at_desk(world, a_member((Right.FINANCE, "yunnan"))).get(f"/console/cases/{case.id}").text)
    assert "不要再转账。请核对已填好的流水号" in page
    assert "向付款方转账退回" not in page, "the opposite of it"
    assert f'value="{line.number}"' in page
    sent(payout, line.number)
    assert stands(line) == ("matched", "payout")
    assert (open_kinds(), audit_payments()) == ([], [])


@pytest.mark.parametrize(
    ("line", "finding"),
    [
        (went(4500, payer="物业公司", account="1"), "nothing"),
        (went(20001), "nothing"),
        (went(20000, payer=OTHER, account="1"), "nothing"),
        (went(-20000), "reversal"),
    ],
)
def test_what_is_no_payout_is_before_a_person_with_a_suggestion(
    world: World, tmp_path: Path, line: Line, finding: str
) -> None:
    payout = a_payout(tmp_path)
    take_in(tmp_path, [line])
    assert stands(line) == ("open", finding)
    case = Case.get(Case.kind == outgoing.KIND, Case.open_key.is_null(False))
    shown = {fact.label: fact.value for fact in kinds.of(case.kind).evidence(case).facts}  # type: ignore[union-attr]
    assert shown["建议"]
    assert line.number in shown["转出日"]
    assert Payout.get_by_id(payout.id).outgoing_id is None
    assert audit_payments() == []
    outgoing.set_aside(row_of(line).id, reason="rent", actor="staff:two", now=utcnow())
    assert (stands(line), open_kinds(), audit_payments()) == (("aside", finding), ["pay.payout"], [])


def test_another_amount_under_the_number_of_a_payout_is_a_question(world: World, tmp_path: Path) -> None:
    payout, line = a_payout(tmp_path), went(2000)
    sent(payout, line.number)
    take_in(tmp_path, [line])
    assert stands(line) == ("open", "amount")
    assert audit_payments() == []


def test_a_second_transfer_of_one_payout_is_a_question(world: World, tmp_path: Path) -> None:
    payout, first, second = a_payout(tmp_path), went(), went()
    sent(payout, first.number)
    take_in(tmp_path, [first])
    take_in(tmp_path, [second])
    assert (stands(first), stands(second)) == (("matched", "payout"), ("open", "twice"))
    assert audit_payments() == []


def test_what_went_before_the_payout_was_asked_for_is_none_of_it(world: World, tmp_path: Path) -> None:
    a_payout(tmp_path)
    day = (utcnow() - timedelta(days=3)).date()
    line = went(day=day)
    take_in(tmp_path, [line])
    assert stands(line) == ("open", "nothing")


def test_the_question_closes_itself_when_finance_writes_the_number_down(world: World, tmp_path: Path) -> None:
    payout, line = a_payout(tmp_path), went(payer="户名被截短", account="")
    take_in(tmp_path, [line])
    assert stands(line) == ("open", "nothing")
    sent(payout, line.number)
    assert stands(line) == ("matched", "payout")
    assert (open_kinds(), audit_payments()) == ([], [])


def test_a_person_says_which_payout_it_is(world: World, tmp_path: Path) -> None:
    payout, line = a_payout(tmp_path), went(payer="户名被截短", account="")
    other = a_payout(tmp_path, 4500)
    take_in(tmp_path, [line])
    for typed in (other.id, "nothing", ""):
        with pytest.raises(Problem) as problem:
            outgoing.attach(row_of(line).id, typed, reason="x", actor="staff:two", now=utcnow())
        assert problem.value.code == "no_such_payout"
    assert stands(line)[0] == "open"
    outgoing.attach(row_of(line).id, f" {payout.id} ", reason="x", actor="staff:two", now=utcnow())
    assert stands(line) == ("matched", "early")
    for verb in (lambda: outgoing.attach(row_of(line).id, payout.id, **SAID), lambda: aside(line)):
        with pytest.raises(Problem) as problem:
            verb()
        assert problem.value.code == "outgoing_over"
    assert audit_payments() == []


SAID: dict[str, Any] = {"reason": "x", "actor": "staff:two", "now": utcnow()}


def aside(line: Line) -> None:
    outgoing.set_aside(row_of(line).id, **SAID)


@pytest.mark.parametrize("suffix", [".xlsx", ".csv"])
def test_the_same_lines_again_change_nothing(world: World, tmp_path: Path, suffix: str) -> None:
    payout, line, fee = a_payout(tmp_path), went(), went(50, payer="手续费", account="")
    fee = replace(fee, number=line.number)  # as banks do
    sent(payout, line.number)
    take_in(tmp_path, [line, fee, line], suffix=suffix)
    take_in(tmp_path, [line, a_line(100), fee], suffix=suffix)
    rows = OutgoingLine.select().order_by(OutgoingLine.id)
    assert sorted(row.status for row in rows) == ["matched", "open", "repeated", "repeated"]
    assert open_kinds().count(outgoing.KIND) == 1
    assert audit_payments() == []


def test_two_who_import_one_statement_at_one_moment_count_each_line_once(world: World, tmp_path: Path) -> None:
    payout, lines = a_payout(tmp_path), [went(), went(4500), went(50, account="")]
    sent(payout, lines[0].number)
    rows = [upload(tmp_path, [*lines, a_line(number)]) for number in (1, 2, 3, 4)]

    def take(number: int) -> None:
        with db.connection():
            outgoing_ids = [one.id for one in queries.outgoing(rows[number].id)]
            for line_id in outgoing_ids:
                db.unit(lambda line_id=line_id: outgoing.take(line_id, now=utcnow()))  # type: ignore[misc]

    in_parallel(4, take)
    counts = [OutgoingLine.select().where(OutgoingLine.key.is_null(False), OutgoingLine.status == status).count()
              for status in ("matched", "open")]  # fmt: skip
    assert counts == [1, 2]
    assert OutgoingLine.select().where(OutgoingLine.status == "repeated").count() == 9
    assert audit_payments() == []


class Race:
    """One payout that was transferred twice. While an import looks at one of the two lines, another import takes the
    other one in."""

    def __init__(self, tmp_path: Path):
        self.payout, self.lines = a_payout(tmp_path), [went(), went()]
        sent(self.payout, "HD-0001")
        self.ids = []
        for line in self.lines:
            (row,) = queries.outgoing(upload(tmp_path, [line]).id)
            self.ids.append(row.id)

    def run(self) -> list[str]:
        """Gives what the two lines were found to be."""
        real, others = outgoing.judge, [self.ids[1]]

        def judge(line: OutgoingLine, owed: Any) -> Any:
            found = real(line, owed)
            if others:
                outgoing.take(others.pop(), now=utcnow())
            return found

        with patch.object(outgoing, "judge", judge):
            outgoing.take(self.ids[0], now=utcnow())
        return [OutgoingLine.get_by_id(row_id).finding for row_id in self.ids]


def test_of_two_imports_at_one_moment_one_line_is_the_payout_and_the_other_a_question(
    world: World, tmp_path: Path
) -> None:
    race = Race(tmp_path)
    assert race.run() == ["twice", "payout"]
    assert audit_payments() == []


def test_twin_that_does_not_compare_gives_one_payout_to_both(world: World, tmp_path: Path) -> None:
    race = Race(tmp_path)

    def by_id_alone(model: type[db.BaseModel], row_id: str, where: dict[str, Any], values: dict[str, Any]) -> bool:
        return db.compare_and_set(model, row_id, {} if model is Payout else where, values)

    with patch.object(outgoing, "compare_and_set", by_id_alone):
        assert race.run() == ["payout", "payout"]
    assert audit_payments()


def test_a_preview_asks_as_often_for_many_lines_as_for_two(world: World, tmp_path: Path) -> None:
    payout = a_payout(tmp_path)
    sent(payout, "HD-0001")
    asked = []
    for number in (2, 300):
        row = upload(tmp_path, [went() for _ in range(number)])
        rows = queries.outgoing(row.id)
        with counted() as said:
            foreseen = outgoing.foresee(rows)
        assert set(foreseen.values()) == {"payout"}
        asked.append(len(said))
    assert asked[0] == asked[1] <= 4


WENT = st.tuples(st.sampled_from((100, 100, 200)), st.booleans(), st.integers(0, 1))


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(owed=st.lists(WENT, max_size=4), gone=st.lists(WENT, min_size=1, max_size=5), recorded=st.booleans())
def test_whatever_goes_each_payout_is_found_once_and_the_rest_is_before_a_person(
    world: World,
    tmp_path: Path,
    owed: list[tuple[int, bool, int]],
    gone: list[tuple[int, bool, int]],
    recorded: bool,
) -> None:
    world.clear()
    made = [a_payout(tmp_path, fen, payer=PAYER if own else OTHER, account=str(own)) for fen, own, _ in owed]
    lines = [(went(fen, payer=PAYER if own else OTHER, account=str(own)), cut) for fen, own, cut in gone]
    for cut in (0, 1, 0):
        if some := [line for line, where in lines if where == cut]:
            take_in(tmp_path, some)
            assert audit_payments() == []
        if recorded:
            for payout in queries.payouts_due({"yunnan"}):
                with suppress(Problem):
                    sent(payout, f"HD-{payout.id}")
    assert audit_payments() == []
    found = [line for line, _ in lines if stands(line)[0] == "matched"]
    matched = [one for one in payouts() if one.outgoing_id]
    assert len(found) == len(matched) <= len(made)
    for own in (True, False):
        for fen in (100, 200):
            wanted = sum(1 for one in owed if one[:2] == (fen, own))
            there = sum(1 for one in gone if one[:2] == (fen, own))
            name = PAYER if own else OTHER
            got = sum(1 for line in found if (line.amount_fen, line.payer) == (fen, name))
            assert got == min(wanted, there)
