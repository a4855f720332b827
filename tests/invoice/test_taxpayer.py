"""Taxpayer numbers, as far as they check themselves."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.account import id_number
from app.invoice import taxpayer
from tests.factories import an_id_number

FIRST_17 = st.from_regex(r"\A[0-9A-HJ-NPQRTUWXY]{2}[0-9]{6}[0-9A-HJ-NPQRTUWXY]{9}\Z")


@pytest.mark.parametrize(
    "number",
    [
        "91530100MA6K5XYG9H"[:17] + taxpayer.check_character("91530100MA6K5XYG9"),
        "11320000MB151840XJ",  # of a public authority
        "530102198001011",  # 15: from before the unified code
        "53010219800101123400",  # 20: a sole trader of former times
        an_id_number(7),
    ],
)
def test_good_numbers_are_taken(number: str) -> None:
    assert taxpayer.normalise(number) == number
    assert taxpayer.normalise(f" {number[:6]} {number[6:].lower()} ") == number


@pytest.mark.parametrize(
    "number",
    ["", "9153", "91350100M000100Y4Z", "O1530100MA6K5XYG9H", "１１３２００００MB151840XJ", "=1+1", "abcdefghijklmno"],
)
def test_others_are_not(number: str) -> None:
    assert taxpayer.normalise(number) is None


def test_the_standards_own_example_checks() -> None:
    assert taxpayer.check_character("91350100M000100Y4") == "3"


@given(first=FIRST_17, place=st.integers(0, 16), other=st.sampled_from("0123456789"))
def test_one_wrong_character_is_noticed(first: str, place: int, other: str) -> None:
    number = first + taxpayer.check_character(first)
    assert taxpayer.normalise(number) == number
    wrong = number[:place] + other + number[place + 1 :]
    if wrong != number and id_number.normalise(wrong) is None:
        assert taxpayer.normalise(wrong) is None
