"""Value-added tax within a price, in whole fen: what is net and what is tax always add up to the price."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Split:
    """A price in fen, and what of it is tax."""

    gross_fen: int
    net_fen: int
    tax_fen: int


def split(gross_fen: int, rate_permille: int) -> Split:
    """The net amount is price / (1 + rate), rounded half up to a fen, as the vendor computes it of an amount with
    tax; the rest is tax. Raises `ValueError` for a negative price."""
    if gross_fen < 0 or rate_permille < 0:
        raise ValueError(f"{gross_fen} fen at {rate_permille} permille")
    divisor = 1000 + rate_permille
    net = (2 * gross_fen * 1000 + divisor) // (2 * divisor)
    return Split(gross_fen, net, gross_fen - net)


def total(parts: Sequence[Split]) -> Split:
    """The sum of the lines of an invoice: tax is rounded line by line, as it is printed."""
    return Split(
        sum(part.gross_fen for part in parts),
        sum(part.net_fen for part in parts),
        sum(part.tax_fen for part in parts),
    )
