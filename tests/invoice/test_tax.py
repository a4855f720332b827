"""Tax within a price, in whole fen."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.invoice import tax

prices = st.integers(0, 10**10)
rates = st.sampled_from([0, 10, 15, 30, 50, 60, 90, 130])


@pytest.mark.parametrize(
    ("gross", "rate", "net", "of_tax"),
    [
        (20000, 30, 19417, 583),  # 200 yuan at 3 %: 194.17 and 5.83
        (40000, 30, 38835, 1165),
        (20000, 0, 20000, 0),
        (20000, 60, 18868, 1132),
        (1, 30, 1, 0),
        (103, 30, 100, 3),
        (0, 130, 0, 0),
    ],
)
def test_a_price_is_split_as_it_is_printed(gross: int, rate: int, net: int, of_tax: int) -> None:
    assert tax.split(gross, rate) == tax.Split(gross, net, of_tax)


@given(gross=prices, rate=rates)
def test_net_and_tax_are_the_price_and_the_net_is_right_to_half_a_fen(gross: int, rate: int) -> None:
    part = tax.split(gross, rate)
    assert part.net_fen + part.tax_fen == part.gross_fen == gross
    assert 0 <= part.tax_fen <= part.gross_fen
    assert abs(part.net_fen - Fraction(gross * 1000, 1000 + rate)) <= Fraction(1, 2)
    assert abs(Fraction(part.net_fen * rate, 1000) - part.tax_fen) <= 1  # well within what the vendor allows: 6 fen


@given(parts=st.lists(prices, max_size=20), rate=rates)
def test_the_lines_of_an_invoice_add_up(parts: list[int], rate: int) -> None:
    whole = tax.total([tax.split(gross, rate) for gross in parts])
    assert whole.gross_fen == sum(parts) == whole.net_fen + whole.tax_fen


def test_a_negative_price_is_none() -> None:
    with pytest.raises(ValueError, match="-1 fen"):
        tax.split(-1, 30)
