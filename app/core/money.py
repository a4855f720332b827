"""Money is a whole number of fen. Yuan exist only on screens and in providers' files."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation


def yuan(fen: int) -> str:
    """20000 fen → '200.00'."""
    sign = "-" if fen < 0 else ""
    return f"{sign}{abs(fen) // 100}.{abs(fen) % 100:02d}"


def fen(yuan_text: str) -> int:
    """'200.00' yuan → 20000 fen. Raises `ValueError` on anything that is not a whole number of fen."""
    try:
        value = Decimal(yuan_text) * 100
    except InvalidOperation as error:
        raise ValueError(f"not an amount: {yuan_text!r}") from error
    if not value.is_finite() or value != value.to_integral_value():
        raise ValueError(f"not a whole number of fen: {yuan_text!r}")
    return int(value)
