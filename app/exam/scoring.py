"""Choices, keys and scores. Pure.

A choice is a set of the options shown to the person: bit 0 is the option shown first, as 'A'. What is saved of a
paper is two short byte strings, one record a question in the paper's order: the key (4 bytes each) and the answers
(3 bytes each), so that a hand-in reads and writes one small row.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

LETTERS = "ABCDEF"
MAX_VERSION = 0xFFFF
_TYPES = ("single", "multiple", "judge")
_KEY = struct.Struct(">4B")
_ANSWER = struct.Struct(">HB")


class KeyItem(NamedTuple):
    """What is right: the question's type, its points, how many options are shown, the mask of the right ones."""

    type: str
    points: int
    options: int
    mask: int


class Answer(NamedTuple):
    """What was chosen, and how often the answer was changed (0: never answered)."""

    version: int
    mask: int


NOTHING = Answer(0, 0)


class BadChoice(ValueError):
    """Not a choice among the options shown."""


def pack_key(items: Iterable[KeyItem]) -> bytes:
    """The key of a paper as bytes."""
    return b"".join(_KEY.pack(_TYPES.index(item.type), item.points, item.options, item.mask) for item in items)


@lru_cache(maxsize=1024)  # each answer of a sitting is checked against the same one
def unpack_key(data: bytes) -> tuple[KeyItem, ...]:
    """What `pack_key` packed."""
    return tuple(
        [KeyItem(_TYPES[kind], points, options, mask) for kind, points, options, mask in _KEY.iter_unpack(data)]
    )


def pack_answers(answers: Iterable[Answer]) -> bytes:
    """The answers of a paper as bytes."""
    return b"".join(_ANSWER.pack(*answer) for answer in answers)


def unpack_answers(data: bytes) -> list[Answer]:
    """What `pack_answers` packed."""
    return list(map(Answer._make, _ANSWER.iter_unpack(data)))


def read_choice(text: str, item: KeyItem) -> int:
    """'AC' → the mask of the first and third option; '' takes the answer back. Raises `BadChoice` for letters that
    are not shown or stand there twice, and for several letters where one may be chosen."""
    mask = 0
    for letter in text:
        bit = 1 << LETTERS.find(letter) if letter in LETTERS[: item.options] else 0
        if not bit or mask & bit:
            raise BadChoice(text)
        mask |= bit
    if item.type != "multiple" and mask.bit_count() > 1:
        raise BadChoice(text)
    return mask


def write_choice(mask: int) -> str:
    """The mask as letters, in order: 5 → 'AC'."""
    return "".join(letter for bit, letter in enumerate(LETTERS) if mask >> bit & 1)


def points(item: KeyItem, mask: int, *, partial: bool) -> int:
    """The points of one question: all or nothing. With `partial` (the programme's `multiple_partial_score`) a
    multiple-choice answer that holds some of the right options and no wrong one earns its share, rounded down."""
    if mask == item.mask:
        return item.points
    if partial and item.type == "multiple" and mask and not mask & ~item.mask:
        return item.points * mask.bit_count() // item.mask.bit_count()
    return 0


def score(key: Sequence[KeyItem], answers: Sequence[Answer], *, partial: bool) -> int:
    """The score of a paper. Raises `ValueError` if key and answers are not of the same length."""
    return sum(points(item, answer.mask, partial=partial) for item, answer in zip(key, answers, strict=True))
