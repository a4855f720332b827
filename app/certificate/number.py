"""A proof's number: 'ZK', the day of issue, seven random digits, two check digits. Pure."""

from __future__ import annotations

import re
from datetime import date

PREFIX = "ZK"
RANDOM_DIGITS = 7


def check_digits(body: str) -> str:
    """ISO/IEC 7064, MOD 97-10, of a string of digits: finds every single wrong digit and every swap of two."""
    return f"{98 - int(body) * 100 % 97:02d}"


def make(issued_on: date, chance: int) -> str:
    """The number for the day `issued_on` (Shanghai's) and a random `chance` below 10 ** RANDOM_DIGITS."""
    body = f"{issued_on:%Y%m%d}{chance:0{RANDOM_DIGITS}d}"
    return PREFIX + body + check_digits(body)


def valid(number: str) -> bool:
    """Whether the check digits are right: a typing mistake is told without a look at the database."""
    found = re.fullmatch(rf"{PREFIX}(\d{{{8 + RANDOM_DIGITS}}})(\d\d)", number, re.ASCII)
    return found is not None and check_digits(found[1]) == found[2]
