"""Alipay's trade bill: a ZIP with a CSV in GBK, comments behind `#`, tabs behind numbers, yuan, refunds below zero.

Source: docs/providers.md, Alipay, trade bill.
"""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Iterator
from typing import BinaryIO, TextIO

from app.core import money
from app.pay.providers.bill_file import MAX_UNPACKED, Row, check, columns, fen, moment
from app.pay.providers.protocol import BillLine, Unknown

DETAILS = "业务明细.csv"  # beside it lies a summary
FIRST = "支付宝交易号"
NEEDED = (FIRST, "商户订单号", "业务类型", "创建时间", "完成时间", "订单金额（元）", "退款批次号/请求号")
_COUNT = re.compile(r"#(交易|退款)合计：(\d+)笔")


def open_details(packed: BinaryIO) -> TextIO:
    """The CSV of the single trades, whose checksum is right. Raises `Unknown`."""
    try:
        archive = zipfile.ZipFile(packed)
        (details,) = [part for part in archive.infolist() if _name(part).endswith(DETAILS)]
        if details.file_size > MAX_UNPACKED:
            raise Unknown("a bill too long")
        with archive.open(details) as stream:
            check(stream)  # type: ignore[arg-type] # at its end the checksum is compared
        return io.TextIOWrapper(archive.open(details), "gb18030", newline="")
    except (zipfile.BadZipFile, ValueError, NotImplementedError, RuntimeError, EOFError) as error:
        raise Unknown("not the archive of a bill") from error


def _name(part: zipfile.ZipInfo) -> str:
    """The name of a part: without the mark for UTF-8 it is GBK, which zipfile reads as cp437."""
    return part.filename if part.flag_bits & 0x800 else part.filename.encode("cp437").decode("gb18030", "replace")


def rows(text: TextIO) -> Iterator[Row]:
    """The rows of a bill. Raises `Unknown` where the counts at its end say that something is missing."""
    names: list[str] = []
    found, said = {"交易": 0, "退款": 0}, dict[str, int]()
    for cells in _csv(text):
        first = cells[0].strip()
        if first.startswith("#"):
            if count := _COUNT.match(",".join(cells)):
                said[count[1]] = int(count[2])
        elif not names:
            if first != FIRST:
                raise Unknown("a bill of another form")
            names = [cell.strip() for cell in cells]
        else:
            row = columns(names, [cell.strip() for cell in cells], NEEDED)
            found[row["业务类型"]] = found.get(row["业务类型"], 0) + 1
            yield row
    if not names or said != found:
        raise Unknown("a bill that is not complete")


def _csv(text: TextIO) -> Iterator[list[str]]:
    try:
        yield from (cells for cells in csv.reader(text) if cells)
    except (csv.Error, UnicodeDecodeError) as error:
        raise Unknown("not the text of a bill") from error


def line_of(row: Row) -> BillLine:
    """The line of a row. Raises `ValueError`, `KeyError`."""
    payment, amount = row["商户订单号"], row["订单金额（元）"]
    at = moment(row["完成时间"] or row["创建时间"])
    if row["业务类型"] == "交易":
        return BillLine("payment", payment, payment, row[FIRST], fen(amount), at)
    if row["业务类型"] != "退款":
        raise ValueError(row["业务类型"])
    return BillLine("refund", row["退款批次号/请求号"], payment, row[FIRST], abs(money.fen(amount)), at)
