"""A second word of the provider about a payment in dispute, while a person decides about it."""

from __future__ import annotations

from app.cases import service as cases
from app.core.clock import utcnow
from app.pay import decisions, settlement
from app.pay.channels import provider_of
from app.pay.status import AttemptStatus
from tests.pay.test_decisions import dispute
from tests.pay.till import a_sale
from tests.races import overtaken, unlocked
from tests.world import World


def open_questions(world: World) -> int:
    """The provider says it again, and before that is written down, a person gives the money back: open cases."""
    sale = a_sale()
    dispute(world, sale)
    attempt = sale.attempt
    truth = provider_of(attempt).query(attempt.out_trade_no)
    now = utcnow()
    give_back = lambda: decisions.give_back(attempt.id, reason="x", actor="staff:1", now=now)  # noqa: E731
    with overtaken(settlement, "locked", give_back) as decided:
        settlement.apply_truth(attempt, truth, now=now)
    assert isinstance(decided[0], str)
    assert sale.attempt.status == AttemptStatus.RETURNED
    return len(cases.open_cases("pay.mismatch"))


def test_what_a_person_decides_at_that_moment_is_not_asked_again(world: World) -> None:
    assert open_questions(world) == 0


def test_twin_without_the_lock_it_is(world: World, servers_only: None) -> None:
    with unlocked():
        assert open_questions(world) == 1
