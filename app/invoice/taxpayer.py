"""The taxpayer number of an enterprise, checked as far as it checks itself."""

from __future__ import annotations

from app.account import id_number

_CHARACTERS = "0123456789ABCDEFGHJKLMNPQRTUWXY"  # no I, O, S, V, Z
_WEIGHTS = tuple(pow(3, place, 31) for place in range(17))
OLD_LENGTHS = (15, 17, 20)  # numbers from before the unified code: they carry no check of the whole


def check_character(first_17: str) -> str:
    """The 18th character of a unified social credit code (GB 32100-2015) whose first 17 are given."""
    total = sum(weight * _CHARACTERS.index(one) for weight, one in zip(_WEIGHTS, first_17, strict=True))
    return _CHARACTERS[-total % 31]


def normalise(text: str) -> str | None:
    """The number in its one form (no spaces, capitals), or None if it cannot be one. 18 characters are a unified
    social credit code, or the citizen number of a sole trader of former times; both have a check character."""
    number = "".join(text.split()).upper()
    if not number.isascii() or not number.isalnum():
        return None
    if len(number) != 18:
        return number if len(number) in OLD_LENGTHS and any(one.isdigit() for one in number) else None
    if set(number) <= set(_CHARACTERS) and number[2:8].isdigit() and check_character(number[:17]) == number[17]:
        return number
    return id_number.normalise(number)
