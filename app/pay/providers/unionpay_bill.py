"""UnionPay's file of a day of settlement: a ZIP of texts in GBK, columns of fixed width with a blank between. It
comes whole within a signed answer, so that it is as complete as the signature is good.

Source: docs/providers.md, UnionPay, file.
"""

from __future__ import annotations

import base64
import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from datetime import date, datetime, timedelta

from app.core.clock import SHANGHAI
from app.pay.providers.protocol import BillLine, Unknown

LARGEST = 64 * 1024 * 1024  # bytes of an answer, and of each step of unpacking: about 90 000 lines
_FLOWS = re.compile(r"INN.{8}ZM_.*")  # the ordinary transactions; ZME_ are corrections made by hand

# widths of the columns of a ZM file, in order; those that are read, by their place
WIDTHS = (
    3, 11, 11, 6, 10, 19, 12, 4, 2, 21, 2, 32, 2, 6, 10, 13, 13, 4, 15, 2, 2, 6, 2, 4, 32, 1, 21, 15, 1, 15, 32, 13,
    13, 8, 32, 13, 13, 12, 2, 1, 32,
)  # fmt: skip
AT, AMOUNT, QUERY_ID, ORDER_ID, TXN_TYPE, ORIG_QUERY_ID, MER_ID = 4, 6, 9, 11, 19, 26, 27
PAYMENT, REFUND = "01", "04"


def lines(content: str, mer_id: str, day: date) -> Iterator[BillLine]:
    """The payments and refunds of this merchant in `fileContent` (base64 of a deflated ZIP). A refund names its
    payment where that stands in the same file. Raises `Unknown` before the first where the file cannot be read."""
    try:
        unpacker = zlib.decompressobj()
        packed = unpacker.decompress(base64.b64decode(content, validate=True), LARGEST)
        if unpacker.unconsumed_tail:
            raise Unknown("a file too long")
        with zipfile.ZipFile(io.BytesIO(packed)) as archive:
            texts = [_unpacked(archive, entry) for entry in archive.infolist() if _FLOWS.fullmatch(entry.filename)]
    except (ValueError, zlib.error, zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
        raise Unknown("not a file of UnionPay's") from error
    rows = [_cells(line, mer_id) for text in texts for line in text.splitlines() if line.strip()]
    ours = [cells for cells in rows if cells[TXN_TYPE] in (PAYMENT, REFUND)]  # pre-authorisations are not made here
    numbers = {cells[QUERY_ID]: cells[ORDER_ID] for cells in ours if cells[TXN_TYPE] == PAYMENT}
    try:
        return iter([_line(cells, numbers, day) for cells in ours])
    except ValueError as error:
        raise Unknown(f"a line of another form: {error}") from error


def _unpacked(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    with archive.open(entry) as file:
        text = file.read(LARGEST + 1)
    if len(text) > LARGEST:
        raise Unknown("a file too long")
    return text


def _cells(line: bytes, mer_id: str) -> list[str]:
    cells, place = [], 0
    for width in WIDTHS:  # widths are bytes: GBK has two for a Chinese character
        cells.append(line[place : place + width].decode("gbk", "replace").strip())
        place += width + 1
    if len(line) < place - 1 or cells[MER_ID] != mer_id:
        raise Unknown("a line of another form or merchant")
    return cells


def _line(cells: list[str], numbers: dict[str, str], day: date) -> BillLine:
    number, amount, at = cells[ORDER_ID], cells[AMOUNT], _moment(cells[AT], day)
    if not amount.isdigit() or not number:
        raise ValueError(f"{number} {amount}")
    if cells[TXN_TYPE] == PAYMENT:
        return BillLine("payment", number, number, cells[QUERY_ID], int(amount), at)
    payment = numbers.get(cells[ORIG_QUERY_ID], "")
    return BillLine("refund", number, payment, cells[QUERY_ID], int(amount), at)


def _moment(text: str, day: date) -> datetime:
    """MMDDhhmmss of Beijing's clock, without a year: the one near the day of settlement. Raises `ValueError`."""
    for year in (day.year, day.year - 1, day.year + 1):
        moment = datetime.strptime(f"{year}{text}", "%Y%m%d%H%M%S").replace(tzinfo=SHANGHAI)
        if abs(moment.date() - day) <= timedelta(days=31):
            return moment
    raise ValueError(f"{text} in the file of {day}")
