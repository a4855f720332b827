"""The citizen identity number: 17 digits and a check character (GB 11643-1999)."""

from __future__ import annotations

from datetime import date

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS = "10X98765432"


def check_character(first_17: str) -> str:
    """The 18th character of a number whose first 17 digits are given."""
    return _CHECKS[sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, first_17, strict=True)) % 11]


def normalise(text: str) -> str | None:
    """The number in its one form (no spaces, a capital X), or None if form, birthday or check character is wrong."""
    number = "".join(text.split()).upper()
    if len(number) != 18 or not number.isascii() or not number[:17].isdigit():
        return None
    try:
        born = date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return None
    return number if born.year >= 1900 and check_character(number[:17]) == number[17] else None
