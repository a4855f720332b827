"""What the bill files of all providers have in common: a file that is checked whole and read line by line."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import BinaryIO

from app.core import money
from app.core.clock import SHANGHAI
from app.pay.providers.protocol import BillLine, Unknown

MAX_PACKED = 128 * 1024 * 1024
MAX_UNPACKED = 1024 * 1024 * 1024  # a million lines take about half of it
CHUNK = 1 << 20
TIME = "%Y-%m-%d %H:%M:%S"  # Beijing's

Row = dict[str, str]


def scratch() -> BinaryIO:
    """A file that is gone when it is closed, or forgotten."""
    return tempfile.TemporaryFile(prefix="bill-")  # type: ignore[return-value]


def check(stream: BinaryIO, expected_sha1: str | None = None) -> None:
    """Read all of it once. Raises `Unknown` where it is longer than any bill, or has another SHA-1 than expected."""
    digest, size = hashlib.sha1(usedforsecurity=False), 0
    while chunk := stream.read(CHUNK):
        digest.update(chunk)
        size += len(chunk)
        if size > MAX_UNPACKED:
            raise Unknown("a bill too long")
    if expected_sha1 is not None and digest.hexdigest() != expected_sha1.lower():
        raise Unknown("a bill with another hash")


def reading(file: BinaryIO, rows: Iterable[Row], line_of: Callable[[Row], BillLine]) -> Iterator[BillLine]:
    """The lines of `rows`, which come out of `file`; it is closed afterwards. Raises `Unknown` for a row that cannot
    be read: of a bill nothing is guessed, and nothing left out."""
    with file:
        try:
            for row in rows:
                yield line_of(row)
        except (ValueError, KeyError) as error:
            raise Unknown(f"a line of another form: {error}") from error


def columns(names: Sequence[str], values: Sequence[str], needed: Sequence[str]) -> Row:
    """The cells by name. Raises `Unknown` where there are more or fewer than names, or a needed name is missing."""
    if len(names) != len(values) or not set(needed) <= set(names):
        raise Unknown("a bill of another form")
    return dict(zip(names, values, strict=True))


def fen(text: str) -> int:
    """'200.00' → 20000. Raises `ValueError`, for what is below zero too."""
    amount = money.fen(text)
    if amount < 0:
        raise ValueError(f"an amount below zero: {text}")
    return amount


def moment(text: str) -> datetime:
    """Beijing's clock, to the second. Raises `ValueError`."""
    return datetime.strptime(text, TIME).replace(tzinfo=SHANGHAI)
