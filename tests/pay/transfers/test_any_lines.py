"""Lines of statements in any order, repeated, of any amounts: the money is right and nothing is lost."""

from __future__ import annotations

import random
from collections import Counter
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.core import db
from app.core.clock import utcnow
from app.core.errors import Problem
from app.pay import settlement
from app.pay.audit import audit_payments
from app.pay.providers.protocol import PaymentTruth
from app.pay.transfers import matching, queries
from app.pay.transfers.models import StatementLine
from app.pay.transfers.status import COUNTS, Finding
from ops.statements import Line
from tests.pay.till import in_background, in_parallel
from tests.pay.transfers.bank import DECISIONS, PAYER, Purchase, a_line, decide, line_of, pay_out, take_in, upload
from tests.world import World

AMOUNT = 300  # fen, of each order: small, so that parts often make the whole
busy = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
# for which order (the last: none of ours), how many fen, in the payer's own name, cut into which statement
SENT = st.tuples(
    st.integers(0, 2), st.sampled_from((100, 200, 300, 300, 300, 400, 299)), st.booleans(), st.integers(0, 2)
)


@busy
@given(
    sent=st.lists(SENT, min_size=1, max_size=8),
    decided=st.lists(st.integers(0, DECISIONS - 1), max_size=12),
    chance=st.integers(0, 2**32),
)
def test_whatever_comes_is_kept_goes_back_or_is_before_a_person(
    world: World, tmp_path: Path, sent: list[tuple[int, int, bool, int]], decided: list[int], chance: int
) -> None:
    world.clear()
    dice, bought = random.Random(chance), [Purchase(amount_fen=AMOUNT) for _ in range(2)]
    codes = [one.code for one in bought] + ["培训费"]
    lines = [(a_line(fen, codes[which], payer=PAYER if own else "另一家公司"), cut) for which, fen, own, cut in sent]
    for cut in (0, 1, 2, 1):
        some = [line for line, where in lines if where == cut] * 2
        dice.shuffle(some)
        if some:
            take_in(tmp_path, some, suffix=dice.choice((".xlsx", ".csv")))
    assert audit_payments() == []
    for number in decided:
        rows = [row.id for row in queries.in_state({"yunnan"}, "open")]
        if rows:
            with suppress(Problem):
                decide(number, dice.choice(rows), dice.choice(codes[:2]), now=utcnow())
            assert audit_payments() == []
    in_background()
    pay_out()
    counted = list(StatementLine.select().where(StatementLine.status.in_(COUNTS)))
    assert Counter(row.number for row in counted) == Counter(line.number for line, _ in lines), (
        "each line counts once"
    )
    assert sum(row.amount_fen for row in counted) == sum(line.amount_fen for line, _ in lines)
    for one in bought:
        paid = sum(row.applied_fen for row in counted if row.attempt_id == one.attempt.id)
        assert paid == (AMOUNT if one.order.status == "paid" else 0)
    assert audit_payments() == []


@busy
@given(order=st.permutations((100, 200, 300, 400)))
def test_exactly_one_way_to_pay_an_order_is_taken_whatever_comes_first(
    world: World, tmp_path: Path, order: tuple[int, ...]
) -> None:
    world.clear()
    bought = Purchase(amount_fen=AMOUNT)
    for fen in order:
        take_in(tmp_path, [a_line(fen, bought.code)])
    assert (bought.order.status, bought.attempt.captured_fen, audit_payments()) == ("paid", AMOUNT, [])


def paid_by_many(tmp_path: Path) -> tuple[Purchase, list[Line]]:
    """Eight lines, each of the whole amount for one order, that are looked at at one moment."""
    bought = Purchase()
    lines = [a_line(20000, bought.code) for _ in range(8)]
    row = upload(tmp_path, lines)
    StatementLine.update(status="new", taken_at=utcnow()).where(StatementLine.statement_id == row.id).execute()
    for line in StatementLine.select().where(StatementLine.statement_id == row.id):
        StatementLine.update(key=queries.key_of(line)).where(StatementLine.id == line.id).execute()
    ids = [line.id for line in StatementLine.select().where(StatementLine.statement_id == row.id)]

    def look(number: int) -> None:
        with db.connection():
            db.unit(lambda: matching.look_at(ids[number], now=utcnow()))

    in_parallel(8, look)
    return bought, lines


def test_of_many_lines_at_one_moment_one_pays(world: World, tmp_path: Path) -> None:
    bought, lines = paid_by_many(tmp_path)
    assert bought.order.status == "paid"
    assert sorted(line_of(line).finding for line in lines) == ["exact", *["paid"] * 7]
    assert audit_payments() == []


def test_twin_that_does_not_compare_the_amount_is_found_by_the_audit(world: World, tmp_path: Path) -> None:
    """A line of one fen that is taken for the whole is refused by the door that every payment takes."""
    bought = Purchase()
    with patch.object(matching, "judge", lambda *_, **__: Finding.EXACT):
        with suppress(RuntimeError):
            take_in(tmp_path, [a_line(1, bought.code)])
    assert bought.order.status == "pending"
    with (
        patch.object(matching, "judge", lambda *_, **__: Finding.EXACT),
        patch.object(matching, "settle", _without_a_look),
        patch.object(settlement, "mismatch", lambda *_: None),
    ):
        take_in(tmp_path, [replace(a_line(1, bought.code), payer=PAYER)])
    assert bought.order.status == "paid"
    assert audit_payments()


def _without_a_look(attempt, parts, line, applied_fen, actor, **rest):  # type: ignore[no-untyped-def]
    truth = PaymentTruth("paid", attempt.out_trade_no, amount_fen=attempt.amount_fen, transaction_id=f"x{line.id}")
    settlement.credit(attempt, truth, now=rest["now"])
