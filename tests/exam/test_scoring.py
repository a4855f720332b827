"""Choices, keys and scores."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.exam.scoring import (
    LETTERS,
    NOTHING,
    Answer,
    BadChoice,
    KeyItem,
    pack_answers,
    pack_key,
    points,
    read_choice,
    score,
    unpack_answers,
    unpack_key,
    write_choice,
)


@st.composite
def items(draw: st.DrawFn) -> KeyItem:
    kind = draw(st.sampled_from(["single", "multiple", "judge"]))
    options = 2 if kind == "judge" else draw(st.integers(2, 6))
    mask = draw(st.integers(1, 2**options - 1)) if kind == "multiple" else 1 << draw(st.integers(0, options - 1))
    return KeyItem(kind, draw(st.integers(1, 10)), options, mask)


answers = st.builds(Answer, st.integers(0, 0xFFFF), st.integers(0, 63))
papers = st.lists(st.tuples(items(), answers), max_size=60)


@settings(max_examples=60, deadline=None)
@given(papers)
def test_what_is_packed_comes_out_again(paper: list[tuple[KeyItem, Answer]]) -> None:
    key, given_ = [item for item, _ in paper], [answer for _, answer in paper]
    assert list(unpack_key(pack_key(key))) == key
    assert unpack_answers(pack_answers(given_)) == given_


@settings(max_examples=60, deadline=None)
@given(items(), st.integers(0, 63))
def test_a_choice_is_read_as_it_was_written(item: KeyItem, mask: int) -> None:
    text = write_choice(mask)
    shown = mask < 1 << item.options
    one = item.type == "multiple" or mask.bit_count() <= 1
    if shown and one:
        assert read_choice(text, item) == mask
    else:
        with pytest.raises(BadChoice):
            read_choice(text, item)


@settings(max_examples=60, deadline=None)
@given(papers, st.booleans())
def test_a_score_lies_between_nothing_and_the_total(paper: list[tuple[KeyItem, Answer]], partial: bool) -> None:
    key, given_ = [item for item, _ in paper], [answer for _, answer in paper]
    found = score(key, given_, partial=partial)
    assert 0 <= found <= sum(item.points for item in key)
    assert score(key, [Answer(1, item.mask) for item in key], partial=partial) == sum(item.points for item in key)
    assert score(key, [NOTHING] * len(key), partial=partial) == 0
    assert score(key, given_, partial=True) >= score(key, given_, partial=False)


def test_a_multiple_choice_answer_is_all_or_nothing() -> None:
    item = KeyItem("multiple", 2, 4, 0b0111)
    assert [points(item, mask, partial=False) for mask in (0b0111, 0b0011, 0b1111, 0)] == [2, 0, 0, 0]


def test_a_programme_may_give_a_share_for_part_of_the_right_options() -> None:
    item = KeyItem("multiple", 3, 4, 0b0111)
    assert [points(item, mask, partial=True) for mask in (0b0111, 0b0011, 0b0001, 0b1011, 0)] == [3, 2, 1, 0, 0]
    assert points(KeyItem("single", 2, 4, 1), 2, partial=True) == 0


@pytest.mark.parametrize("text", ["E", "AA", "a", "A B", "1", "AB", "Ａ", "AAAAAA", "\x00"])
def test_a_choice_that_is_not_shown_is_refused(text: str) -> None:
    with pytest.raises(BadChoice):
        read_choice(text, KeyItem("single", 2, 4, 1))


def test_key_and_answers_of_different_papers_are_never_scored() -> None:
    with pytest.raises(ValueError, match="zip"):
        score([KeyItem("single", 2, 4, 1)], [], partial=False)
    assert len(LETTERS) == 6
