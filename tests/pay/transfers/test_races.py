"""A line that somebody gives to another order while the first one is just being paid with it."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from app.core import db
from app.core.clock import utcnow
from app.core.errors import Problem
from app.pay.audit import audit_payments
from app.pay.transfers import decisions, ledger, matching, queries
from app.pay.transfers.models import StatementLine
from app.pay.transfers.status import LineAction
from tests.pay.transfers.bank import Purchase, a_line, line_of, take_in
from tests.races import overtaken, unlocked
from tests.world import World


def by_status_alone(model: type[db.BaseModel], row_id: str, where: dict[str, Any], values: dict[str, Any]) -> bool:
    """The guard off: whose line it was is not compared."""
    return db.compare_and_set(model, row_id, {"status": where["status"]}, values)


class Race:
    """15000 of 20000 fen came for the order `one`. While the rest is looked at, staff give them to the order
    `other`."""

    def __init__(self, tmp_path: Path):
        self.one, self.other = Purchase(), Purchase()
        part, rest = a_line(15000, self.one.code), a_line(5000, self.one.code)
        take_in(tmp_path, [part])
        with patch.object(matching, "look_at", lambda *_, **__: None):
            take_in(tmp_path, [rest])
        self.part_id, self.rest_id = line_of(part).id, line_of(rest).id

    @property
    def part(self) -> StatementLine:
        row: StatementLine = StatementLine.get_by_id(self.part_id)
        return row

    def give(self) -> None:
        decisions.attach(self.part_id, self.other.code, reason="theirs", actor="staff:fin", now=utcnow())

    def run(self) -> Any:
        """Gives what whoever gave the line away was told."""
        with overtaken(queries, "parts", self.give) as given:
            matching.look_at(self.rest_id, now=utcnow())
        return given[0]


def test_a_line_is_not_given_away_while_its_order_is_paid_with_it(world: World, tmp_path: Path) -> None:
    race = Race(tmp_path)
    told = race.run()
    assert isinstance(told, Problem)
    assert told.code == "line_over"
    assert (race.one.order.status, race.other.order.status) == ("paid", "pending")
    assert (race.part.status, race.part.attempt_id) == ("settled", race.one.attempt.id)
    assert audit_payments() == []


def test_twin_without_the_locks_whoever_pays_with_it_fails_and_nothing_counts_twice(
    world: World, tmp_path: Path, servers_only: None
) -> None:
    race = Race(tmp_path)
    with unlocked(), pytest.raises(RuntimeError):
        race.run()
    assert (race.one.order.status, race.part.attempt_id) == ("pending", race.other.attempt.id)
    assert audit_payments() == []


def test_twin_without_any_guard_two_orders_have_one_line(world: World, tmp_path: Path, servers_only: None) -> None:
    race = Race(tmp_path)
    with unlocked(), patch.object(ledger, "compare_and_set", by_status_alone):
        race.run()
    assert (race.one.order.status, race.part.attempt_id) == ("paid", race.other.attempt.id)
    assert audit_payments()


def settled_from_an_old_look(race: Race) -> bool:
    """Whoever read the line before it was given away settles it for its first order."""
    seen = race.part
    race.give()
    return ledger.move(seen, LineAction.SETTLE, "system", now=utcnow(), applied_fen=15000)


def test_a_line_that_was_given_away_is_not_settled_from_an_old_look(world: World, tmp_path: Path) -> None:
    race = Race(tmp_path)
    assert not settled_from_an_old_look(race)
    assert (race.part.status, race.part.applied_fen) == ("open", 0)


def test_twin_that_compares_the_status_alone_settles_it(world: World, tmp_path: Path) -> None:
    race = Race(tmp_path)
    with patch.object(ledger, "compare_and_set", by_status_alone):
        assert settled_from_an_old_look(race)


def test_a_second_look_does_not_take_away_what_staff_have_given(world: World, tmp_path: Path) -> None:
    """Two look at a line without a code; before the second one writes, the first has, and staff gave it to an
    order."""
    bought = Purchase()
    line = a_line(15000, "培训费")
    with patch.object(matching, "look_at", lambda *_, **__: None):
        take_in(tmp_path, [line])
    line_id, read = line_of(line).id, matching._meant

    def first_one(row: StatementLine, *, conflict: bool) -> Any:
        with patch.object(matching, "_meant", read):
            matching.look_at(line_id, now=utcnow())
            decisions.attach(line_id, bought.code, reason="asked them", actor="staff:fin", now=utcnow())
        return read(row, conflict=conflict)

    with patch.object(matching, "_meant", first_one):
        matching.look_at(line_id, now=utcnow())
    assert (line_of(line).attempt_id, line_of(line).finding) == (bought.attempt.id, "short")
    assert audit_payments() == []
