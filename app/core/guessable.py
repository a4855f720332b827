"""Passwords that everybody tries first: a common word with digits, keys in a row, the same again and again."""

from __future__ import annotations

import re

WORDS = (
    "password", "passw0rd", "p@ssw0rd", "p@ssword", "administrator", "admin", "welcome", "letmein", "iloveyou",
    "woaini", "monkey", "dragon", "football", "superman", "changeme", "secret", "login", "mima", "zhukao", "test",
)  # fmt: skip
ROWS = (
    "01234567890", "abcdefghijklmnopqrstuvwxyz", "qwertyuiop", "asdfghjkl", "zxcvbnm", "a1b2c3d4e5f6g7",
    "1a2b3c4d5e6f7g", "1q2w3e4r5t6y7u8i9o0p", "1qaz2wsx3edc4rfv5tgb6yhn7ujm", "!@#$%^&*()",
)  # fmt: skip
IN_A_ROW = 3
LEFT = 4  # characters that nobody guesses so soon
_YEAR = re.compile(r"(?:19|20)\d\d")
_AGAIN = re.compile(r"(.+?)\1{2,}")


def is_guessable(password: str) -> bool:
    """Whether hardly anything is left of it without common words, rows, years, and what is said three times."""
    rest = password.lower()
    for word in sorted(WORDS, key=len, reverse=True):
        rest = rest.replace(word, " ")
    rest = _AGAIN.sub(" ", _YEAR.sub(" ", _without_rows(rest)))
    return sum(one.isalnum() for one in rest) < LEFT


def _without_rows(text: str) -> str:
    """The text without what is in a row on the keyboard or in the alphabet, either way."""
    kept, at = [], 0
    while at < len(text):
        length = max(_in_row(text[at:], row) for given in ROWS for row in (given, given[::-1]))
        if length < IN_A_ROW:
            kept.append(text[at])
        at += length if length >= IN_A_ROW else 1
    return "".join(kept)


def _in_row(text: str, row: str) -> int:
    """How many characters the text begins with that follow each other in the row."""
    length = 0
    while length < len(text) and text[: length + 1] in row:
        length += 1
    return length
