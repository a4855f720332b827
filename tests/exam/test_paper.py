"""Drawing and laying out papers."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.exam.paper import Drawn, NotEnoughQuestions, Source, draw, keeps_order, lay_out
from app.exam.status import Action, NotAllowed, Status, next_status
from app.policy.schema import PaperPart

PARTS = (
    PaperPart(type="single", count=3, score=2),
    PaperPart(type="multiple", count=2, score=4),
    PaperPart(type="judge", count=2, score=1),
)
_sizes = st.integers(0, 8)


@st.composite
def pools(draw_: st.DrawFn) -> dict[str, list[str]]:
    return {kind: [f"{kind}{number}" for number in range(draw_(_sizes))] for kind in ("single", "multiple", "judge")}


@settings(max_examples=60, deadline=None)
@given(pools(), st.text(max_size=8))
def test_a_paper_has_the_programmes_composition_and_no_question_twice(pool: dict[str, list[str]], seed: str) -> None:
    enough = all(len(pool[part.type]) >= part.count for part in PARTS)
    if not enough:
        with pytest.raises(NotEnoughQuestions) as error:
            draw(pool, PARTS, seed)
        assert all(there < needed for needed, there in error.value.missing.values())
        return
    drawn = draw(pool, PARTS, seed)
    assert [(question.type, question.points) for question in drawn] == [
        (part.type, part.score) for part in PARTS for _ in range(part.count)
    ]
    assert len({question.version_id for question in drawn}) == len(drawn)
    assert all(question.version_id in pool[question.type] for question in drawn)
    assert draw(pool, PARTS, seed) == drawn


@settings(max_examples=60, deadline=None)
@given(st.integers(2, 6), st.integers(1, 63), st.text(max_size=8))
def test_shuffled_options_keep_their_key(options: int, mask: int, seed: str) -> None:
    mask &= (1 << options) - 1
    source = Source([f"option {place}" for place in range(options)], mask)
    (laid,) = lay_out([Drawn("v", "multiple", 2)], {"v": source}, seed)
    assert sorted(laid.order) == list(range(options))
    right = {index for index in range(options) if mask >> index & 1}
    assert {laid.order[place] for place in range(options) if laid.key.mask >> place & 1} == right
    assert lay_out([Drawn("v", "multiple", 2)], {"v": source}, seed) == [laid]


def test_other_seeds_give_other_papers() -> None:
    pool = {"single": [str(n) for n in range(100)], "multiple": list("abcdefgh"), "judge": list("xyzw")}
    assert len({tuple(question.version_id for question in draw(pool, PARTS, str(seed))) for seed in range(20)}) == 20


def test_right_and_wrong_and_options_that_name_others_are_not_shuffled() -> None:
    assert keeps_order("judge", ["正确", "错误"])
    assert keeps_order("single", ["甲", "乙", "丙", "以上都对"])
    assert not keeps_order("single", ["甲", "乙", "丙", "丁"])


def test_an_attempt_ends_once() -> None:
    ends = {Action.HAND_IN: Status.HANDED_IN, Action.TIME_UP: Status.TIMED_OUT, Action.LEAVE: Status.LEFT}
    for status in Status:
        for action in Action:
            if status == Status.OPEN:
                assert next_status(status, action) == ends[action]
            else:
                with pytest.raises(NotAllowed):
                    next_status(status, action)
