from __future__ import annotations

import re
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.account.id_number import check_character, normalise

births = st.dates(min_value=date(1900, 1, 1))
numbers = st.builds(
    lambda region, born, order: f"{region:06d}{born:%Y%m%d}{order:03d}",
    st.integers(110000, 829999),
    births.filter(lambda day: day.year < 2100),
    st.integers(0, 999),
).map(lambda first: first + check_character(first))


@pytest.mark.parametrize("number", ["11010519491231002X", "440524188001010014"])
def test_the_standards_own_examples_have_their_check_characters(number: str) -> None:
    assert check_character(number[:17]) == number[17]  # GB 11643-1999, the examples of its text


@given(numbers)
@settings(max_examples=50)
def test_a_right_number_is_taken_in_every_way_of_writing_it(number: str) -> None:
    assert normalise(number) == number
    assert normalise(f" {number[:6]} {number[6:14]} {number[14:].lower()} ") == number


@given(numbers, st.integers(0, 16), st.integers(1, 9))
@settings(max_examples=100)
def test_one_wrong_digit_is_always_found(number: str, place: int, more: int) -> None:
    wrong = str((int(number[place]) + more) % 10)
    assert normalise(number[:place] + wrong + number[place + 1 :]) is None


@given(numbers, st.integers(0, 15))
@settings(max_examples=100)
def test_two_neighbours_swapped_are_always_found(number: str, place: int) -> None:
    swapped = number[:place] + number[place + 1] + number[place] + number[place + 2 :]
    assert (normalise(swapped) is None) == (swapped != number)


@given(st.text(max_size=20))
@settings(max_examples=100)
def test_whatever_is_typed_is_a_number_in_its_form_or_none(text: str) -> None:
    number = normalise(text)
    assert number is None or re.fullmatch(r"\d{17}[\dX]", number)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "530102199013011230",
        "53010219900230123X",
        "１１０１０５１９４９１２３１００２Ｘ",
        "11010549123100",
        "x" * 18,
    ],
)
def test_other_texts_are_no_numbers(text: str) -> None:
    assert normalise(text) is None
