"""The code that a clerk writes into the remark."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.pay.transfers import codes

DIGITS = st.integers(10 ** (codes.DIGITS - 1), 10**codes.DIGITS - 1).map(str)
busy = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


@busy
@given(digits=DIGITS, place=st.integers(0, codes.DIGITS), other=st.integers(1, 9))
def test_any_one_wrong_digit_is_noticed(digits: str, place: int, other: int) -> None:
    right = digits + codes.check_digit(digits)
    wrong = right[:place] + str((int(right[place]) + other) % 10) + right[place + 1 :]
    assert codes.good(right)
    assert not codes.good(wrong)


@busy
@given(digits=DIGITS, place=st.integers(0, codes.DIGITS - 1))
def test_neighbours_that_changed_places_are_noticed(digits: str, place: int) -> None:
    right = digits + codes.check_digit(digits)
    wrong = right[:place] + right[place + 1] + right[place] + right[place + 2 :]
    assert codes.good(wrong) == (wrong == right)


@pytest.mark.parametrize(
    "remark",
    [
        "{code}", "{shown}", "{lower}", "{digits}", "培训费 {shown} 共20人", "培训费{code}2026年11月", "ＺＫ{digits}",
        "ZK-{digits}", "附言：{digits}，请查收", "{code}{code}", "zk {digits} 2人",
    ],
)  # fmt: skip
def test_a_code_is_found_however_it_is_written(remark: str) -> None:
    code = codes.make()
    said = remark.format(code=code, shown=codes.shown(code), lower=code.lower(), digits=code[2:])
    assert codes.find(said) == codes.Found(frozenset({code}), slip=False)


@pytest.mark.parametrize("remark", ["", "培训费", "电话 13888888888", "2026年11月26日", "合同 20261126001"])
def test_other_numbers_are_no_code(remark: str) -> None:
    assert codes.find(remark) == codes.Found(frozenset(), slip=False)


def test_a_slip_is_told_from_a_remark_without_a_code() -> None:
    code = codes.make()
    assert codes.find(code[:-1]).slip
    assert codes.find(code[:5] + str((int(code[5]) + 1) % 10) + code[6:]).slip


def test_a_name_is_one_whatever_its_width_and_brackets() -> None:
    assert codes.same_payer("云南某公司（昆明）", " 云南某公司(昆明)")
    assert not codes.same_payer("云南某公司", "云南某分公司")
    assert not codes.same_payer("", "")
