"""Looking for what must not be there: canaries, in every form in which they could have been written down."""

from __future__ import annotations

import base64
import json
import re
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import peewee

from app.core import engines

PACKED = 1 << 20  # bytes behind a zlib header that are unpacked and looked at: RQ packs its jobs


@dataclass(frozen=True)
class Hit:
    """A canary in the clear."""

    place: str
    what: str
    form: str

    def __str__(self) -> str:
        return f"{self.what} as {self.form} in {self.place}"


def forms(value: str) -> Iterator[tuple[str, bytes]]:
    """`value` as it is and as other notations have it; of base64 what is the same whatever stands around it."""
    data = value.encode()
    yield "text", data
    yield "UTF-16", value.encode("utf-16-le")
    yield "GB18030", value.encode("gb18030")
    yield "JSON", json.dumps(value)[1:-1].encode()
    yield "URL", quote(value).encode()
    yield "hex", data.hex().encode()
    yield "HEX", data.hex().upper().encode()
    for shift in range(3):
        text = base64.b64encode(b"\0" * shift + data)
        middle = text[-(-shift * 8 // 6) : len(text) - 4 if (shift + len(data)) % 3 else None]
        yield "base64", middle
        yield "base64url", middle.translate(bytes.maketrans(b"+/", b"-_"))


class Search:
    """The needles of some canaries, ready to be looked for."""

    def __init__(self, canaries: Mapping[str, str]):
        self._found: dict[bytes, tuple[str, str]] = {}
        for what, value in canaries.items():
            for form, needle in forms(value):
                self._found.setdefault(needle, (what, form))
        self._any = re.compile(b"|".join(re.escape(needle) for needle in sorted(self._found, key=len, reverse=True)))

    def in_bytes(self, place: str, data: bytes) -> Iterator[Hit]:
        """Hits in `data`, and in what was packed into it."""
        for match in self._any.finditer(data):
            yield Hit(place, *self._found[match.group()])
        for start in re.finditer(rb"\x78[\x01\x5e\x9c\xda]", data):
            try:
                inside = zlib.decompressobj().decompress(data[start.start() :], PACKED)
            except zlib.error:
                continue  # two bytes that look like a header
            for match in self._any.finditer(inside):
                yield Hit(f"{place} (packed)", *self._found[match.group()])

    def in_files(self, directory: Path, *, without: tuple[str, ...]) -> Iterator[Hit]:
        """Hits in every file below `directory`, but those whose path in it begins with one of `without`."""
        for path in sorted(directory.rglob("*")):
            name = str(path.relative_to(directory))
            if path.is_file() and not name.startswith(without):
                yield from self.in_bytes(name, path.read_bytes())

    def in_database(self, url: str) -> Iterator[Hit]:
        """Hits in every value of every table, as a dump would have them."""
        engine = engines.make(url, connections=1)
        try:
            for table in engine.get_tables():
                names = [column.name for column in engine.get_columns(table)]
                for row in engine.execute_sql(f"SELECT * FROM {quoted(engine, table)}").fetchall():
                    for name, value in zip(names, row, strict=True):
                        yield from self.in_bytes(f"{table}.{name}", as_bytes(value))
        finally:
            engine.close_all()


def quoted(engine: peewee.Database, table: str) -> str:
    """The table's name as a statement has it."""
    mark = "`" if isinstance(engine, peewee.MySQLDatabase) else '"'
    return f"{mark}{table}{mark}"


def as_bytes(value: Any) -> bytes:
    """A database's value for searching; what is sealed is also opened from its base64."""
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value)
    return str(value).encode()
