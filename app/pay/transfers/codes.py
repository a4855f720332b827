"""The remittance code: what a clerk writes into the remark of a transfer, so that it is known which order it pays.

"ZK", eight digits and a check digit after Damm: any one wrong digit, and any two neighbours that changed places, are
noticed. H. M. Damm, "Totally anti-symmetric quasigroups", 2004; the table is the one of order 10 given there.
"""

from __future__ import annotations

import re
import secrets
import unicodedata
from dataclasses import dataclass

MARK = "ZK"
DIGITS = 8

_TABLE = (
    "0317598642", "7092154863", "4206871359", "1750983426", "6123045978",
    "3674209581", "5869720134", "8945362017", "9438617205", "2581436790",
)  # fmt: skip
_MARKED = re.compile(rf"{MARK}(\d+)")
_BARE = re.compile(rf"(?<!\d)\d{{{DIGITS + 1}}}(?!\d)")


@dataclass(frozen=True)
class Found:
    """What stands in a remark: the codes whose check digit is right, and whether something looks like a code whose is
    not."""

    codes: frozenset[str]
    slip: bool


def check_digit(digits: str) -> str:
    """The digit that follows `digits`."""
    row = 0
    for digit in digits:
        row = int(_TABLE[row][int(digit)])
    return str(row)


def good(digits: str) -> bool:
    """Whether the last of these digits is their check digit."""
    return len(digits) == DIGITS + 1 and check_digit(digits[:-1]) == digits[-1]


def make() -> str:
    """A new code; that it is the only one, its unique key says."""
    digits = f"{secrets.randbelow(9 * 10 ** (DIGITS - 1)) + 10 ** (DIGITS - 1)}"
    return f"{MARK}{digits}{check_digit(digits)}"


def shown(code: str) -> str:
    """As it is read out: 'ZK 1234 56789'."""
    return f"{code[:2]} {code[2:6]} {code[6:]}"


def plain(text: str) -> str:
    """Full-width characters as narrow ones, in capitals, without spaces, hyphens and the like."""
    return re.sub(r"[\s\-_./·]", "", unicodedata.normalize("NFKC", text).upper())


def find(remark: str) -> Found:
    """The codes in a remark, with or without the letters, however they are grouped."""
    text, together = unicodedata.normalize("NFKC", remark).upper(), plain(remark)
    marked = _MARKED.findall(together)
    runs = {run[: DIGITS + 1] for run in marked} | set(_BARE.findall(text)) | set(_BARE.findall(together))
    codes = frozenset(f"{MARK}{run}" for run in runs if good(run))
    return Found(codes, not codes and bool(marked))


def read(text: str) -> str | None:
    """The one code that somebody typed, or None."""
    codes = find(text).codes
    return next(iter(codes)) if len(codes) == 1 else None


def same_payer(named: str, told: str) -> bool:
    """Whether two spellings of a name are one: width, capitals, spaces and brackets make no difference."""

    def form(name: str) -> str:
        return "".join(char for char in unicodedata.normalize("NFKC", name).upper() if char.isalnum())

    return bool(form(named)) and form(named) == form(told)
