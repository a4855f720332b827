"""A second word of the provider about a payment in dispute, while a person decides about it; a refund that is being
sent while a person says that the money was given back otherwise."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any
from unittest.mock import patch

from app.cases import service as cases
from app.core.clock import utcnow
from app.core.errors import Problem
from app.pay import decisions, refunds, settlement
from app.pay.channels import provider_of
from app.pay.models import Refund
from app.pay.status import AttemptStatus
from tests.pay.test_decisions import dispute, fail_refund, refunds_there, refused_refund
from tests.pay.till import Sale, a_sale
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


def left_while_it_is_sent(world: World) -> tuple[Any, str, int]:
    """A worker has taken a refused refund up again and not called yet, when a person leaves it. Gives what they were
    told, the refund's status, and how many refunds the platform has then."""
    sale, later = a_sale(), utcnow() + timedelta(hours=1)
    refund_id = refused_refund(world, sale)
    leave = partial(decisions.leave_refund, refund_id, reason="cash", actor="staff:1", now=later)
    with overtaken(refunds, "provider_of", leave) as told:
        refunds.settle(refund_id, now=later)
    return told[0], Refund.get_by_id(refund_id).status, len(refunds_there(world, sale))


def test_a_refund_that_is_being_sent_is_not_left(world: World) -> None:
    told, status, sent = left_while_it_is_sent(world)
    assert isinstance(told, Problem)
    assert told.code == "refund_on_its_way"
    assert (status, sent) == ("succeeded", 1)


def test_twin_that_does_not_look_whether_it_is_being_sent_gives_the_money_back_twice(world: World) -> None:
    with patch.object(refunds, "being_sent", lambda *_, **__: False):
        told, status, sent = left_while_it_is_sent(world)
    assert (told, status, sent) == (None, "elsewhere", 1)


def left_while_it_is_sent_again(world: World, sale: Sale) -> tuple[Any, Refund]:
    """Between the platform's answer to one person and what they write, another one has a failed refund sent again."""
    refund, later = fail_refund(world, sale), utcnow() + timedelta(hours=1)
    again = partial(decisions.retry_refund, refund.id, reason="x", actor="staff:2", now=later)
    told: Any = None
    with overtaken(decisions, "provider_of", again):
        try:
            decisions.leave_refund(refund.id, reason="cash", actor="staff:1", now=later)
        except Problem as problem:
            told = problem.code
    return told, Refund.get_by_id(refund.id)


def test_a_refund_that_was_sent_again_meanwhile_is_not_left(world: World, sale: Sale) -> None:
    told, refund = left_while_it_is_sent_again(world, sale)
    assert (told, refund.status) == ("refund_on_its_way", "requested")


def test_twin_that_does_not_look_again_leaves_it(world: World, sale: Sale) -> None:
    as_it_was: list[Refund] = []

    def seen_first(_model: type[Refund], refund_id: str) -> Refund:
        return as_it_was[0]

    real = refunds.being_sent

    def remember(refund: Refund, **now: Any) -> bool:
        as_it_was.append(Refund.get_by_id(refund.id))
        return real(refund, **now)

    with patch.object(refunds, "being_sent", remember), patch.object(decisions, "locked", seen_first):
        told, refund = left_while_it_is_sent_again(world, sale)
    assert (told, refund.status) == (None, "elsewhere")
