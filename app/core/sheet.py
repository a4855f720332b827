"""Tables out of xlsx files that strangers made, and reports for them.

A file is measured and searched before openpyxl sees it: nothing here unpacks more than a fixed amount, follows a
link, runs a macro or believes a number that the file says about itself.
"""

from __future__ import annotations

import zipfile
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any
from xml.parsers import expat

import openpyxl
import structlog
from openpyxl.cell import WriteOnlyCell
from openpyxl.utils.datetime import from_excel

from app.core.table_file import plain

log = structlog.get_logger(__name__)

MAX_ROWS = 50_000
MAX_COLUMNS = 50
MAX_FILE = 20 * 1024 * 1024
MAX_UNPACKED = 64 * 1024 * 1024  # of all parts together; 50,000 rows of ten columns take about 30 MB
MAX_PARTS = 500
MAX_ELEMENTS = 4_000_000  # XML elements of all parts together: what a parser needs memory for
EXCEL_LAST_ROW = 1_048_576

_NOT_XLSX = "这不是有效的 xlsx 文件，请用 Excel 或 WPS 另存为“Excel 工作簿（.xlsx）”后再导入。"
_OLD_FORMAT = "这是旧版 .xls 文件，或者文件设了密码；请去掉密码、另存为 .xlsx 后再导入。"
_TOO_LARGE = f"文件太大（上限 {MAX_FILE // 1024 // 1024} MB），请拆成几个文件分别导入。"
_BOMB = "文件解开后大得不正常，已拒绝读取；请把数据复制到新建的 xlsx 文件后再导入。"
_MACROS = "文件含有宏或嵌入对象，已拒绝读取；请另存为不带宏的 .xlsx 后再导入。"
_LINKS = "文件引用了其他文件或外部数据，已拒绝读取；请把内容粘贴为数值、另存为新文件后再导入。"
_TOO_MANY = "一个文件最多 {} 行，请拆成几个文件分别导入。"

# Folders and names of parts (lower case) that a plain table has no need of.
_ACTIVE = ("xl/vbaproject", "xl/activex/", "xl/embeddings/", "xl/macrosheets/", "xl/dialogsheets/", "customui/")
_LINKED = ("xl/externallinks/", "xl/connections", "xl/querytables/", "xl/webextensions/")
_OLE = bytes.fromhex("d0cf11e0a1b11ae1")


class SheetRefused(Exception):
    """The file as a whole cannot be used; `sentence` says why, in Chinese, and what to do."""

    def __init__(self, sentence: str):
        super().__init__(sentence)
        self.sentence = sentence


@dataclass(frozen=True)
class Formula:
    """A cell that holds a formula instead of a value."""


Value = str | int | float | Decimal | bool | date | datetime | time | Formula | None


@dataclass(frozen=True)
class Row:
    """`number` is the one that Excel shows; `values` are by column name."""

    number: int
    values: dict[str, Value]


@dataclass(frozen=True)
class Table:
    """`columns` in the file's order; `rows` without blank ones; `epoch` is the day 0 of its date numbers."""

    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    epoch: datetime

    def day(self, number: float) -> date:
        """The day of a date number. Raises `ValueError` for a number outside 1980–2100."""
        if not 29_000 < number < 74_000:
            raise ValueError(number)
        moment = from_excel(number, self.epoch)
        return moment.date() if isinstance(moment, datetime) else date.fromisoformat(str(moment)[:10])


@dataclass(frozen=True)
class RowError:
    """What is wrong in one cell: Excel's row number, the column's name, a Chinese sentence."""

    row: int
    column: str
    message: str


def _measure(archive: zipfile.ZipFile) -> None:
    """Refuse by the list of contents: size, macros, links."""
    parts = archive.infolist()
    if len(parts) > MAX_PARTS or sum(part.file_size for part in parts) > MAX_UNPACKED:
        raise SheetRefused(_BOMB)
    for part in parts:
        name = part.filename.lower().lstrip("/")
        if part.flag_bits & 1:
            raise SheetRefused(_OLD_FORMAT)
        if name.startswith(_ACTIVE):
            raise SheetRefused(_MACROS)
        if name.startswith(_LINKED):
            raise SheetRefused(_LINKS)
    if not {"[Content_Types].xml", "xl/workbook.xml"} <= {part.filename for part in parts}:
        raise SheetRefused(_NOT_XLSX)
    if b"macroEnabled" in archive.read("[Content_Types].xml"):
        raise SheetRefused(_MACROS)


def _search(archive: zipfile.ZipFile) -> None:
    """Read every XML part once, keeping nothing: no document type (entities), no flood of elements."""
    elements = 0

    def count(_name: str, _attributes: Any) -> None:
        nonlocal elements
        elements += 1
        if elements > MAX_ELEMENTS:
            raise SheetRefused(_BOMB)

    def refuse(*_args: Any) -> None:
        raise SheetRefused(_NOT_XLSX)

    for part in archive.infolist():
        parser = expat.ParserCreate()
        parser.StartDoctypeDeclHandler = refuse
        parser.StartElementHandler = count
        try:
            with archive.open(part) as stream:
                while chunk := stream.read(1 << 16):
                    parser.Parse(chunk)
                parser.Parse(b"", True)
        except expat.ExpatError as error:
            if part.filename.lower().endswith((".xml", ".rels")):
                raise SheetRefused(_NOT_XLSX) from error  # other parts, such as pictures, are not XML


def _value(cell: Any) -> Value:
    value = cell.value
    if cell.data_type == "f":
        return Formula()
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if isinstance(value, str | int | float | bool | date | datetime | time | None) else str(value)


def _blank(value: Value) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def _rows(sheet: Any) -> Iterator[tuple[int, list[Value]]]:
    """Row numbers and values of rows that are not blank."""
    sheet.reset_dimensions()  # what the file says of its own size may be wrong
    seen, gap = 0, None
    for number, cells in enumerate(sheet.iter_rows(max_col=MAX_COLUMNS), start=1):
        if number > EXCEL_LAST_ROW:
            raise SheetRefused(_BOMB)
        if cells is gap:
            continue
        values = [_value(cell) for cell in cells]
        if all(map(_blank, values)):
            gap = cells  # openpyxl fills a gap, which may be a million rows long, with one and the same row
            continue
        seen += 1
        if seen > MAX_ROWS + 1:
            raise SheetRefused(_TOO_MANY.format(MAX_ROWS))
        yield number, values


def _header(values: list[Value], number: int, required: Sequence[str]) -> dict[int, str]:
    """Column position → name."""
    names = {place: value.strip() for place, value in enumerate(values) if isinstance(value, str) and value.strip()}
    listed = list(names.values())
    if missing := [name for name in required if name not in listed]:
        raise SheetRefused(f"第 {number} 行（表头）缺少列：{'、'.join(missing)}。请按模板的列名填写，一字不差。")
    if twice := sorted({name for name in listed if listed.count(name) > 1}):
        raise SheetRefused(f"第 {number} 行（表头）有重复的列：{'、'.join(twice)}。请删掉多余的一列。")
    return names


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """The workbook of `path`, measured and searched. Raises `SheetRefused`."""
    if path.stat().st_size > MAX_FILE:
        raise SheetRefused(_TOO_LARGE)
    with path.open("rb") as stream:
        if stream.read(8) == _OLE:
            raise SheetRefused(_OLD_FORMAT)
    try:
        with zipfile.ZipFile(path) as archive:
            _measure(archive)
            _search(archive)
        book = openpyxl.load_workbook(path, read_only=True, data_only=False, keep_links=False)
        try:
            if not book.worksheets:
                raise SheetRefused(_NOT_XLSX)
            yield book
        finally:
            book.close()
    except SheetRefused:
        raise
    except Exception as error:  # zipfile and openpyxl raise whatever a broken file makes them trip over
        log.warning("sheet_unreadable", error=type(error).__name__)
        raise SheetRefused(_NOT_XLSX) from error


def read_table(path: Path, required: Sequence[str]) -> Table:
    """The table on the first sheet of the xlsx file `path`: the first row that is not blank holds the column names,
    the `required` ones among them, in any order. At most `MAX_ROWS` rows. Raises `SheetRefused`."""
    with _opened(path) as book:
        lines = _rows(book.worksheets[0])
        number, first = next(lines, (1, []))
        names = _header(first, number, required)
        rows = tuple(Row(line, {name: values[place] for place, name in names.items()}) for line, values in lines)
        return Table(tuple(names.values()), rows, book.epoch)


def read_rows(path: Path) -> list[tuple[int, list[Value]]]:
    """Number and cells of every row of the first sheet that is not blank: for a file of others, whose table begins
    somewhere below. At most `MAX_ROWS` rows. Raises `SheetRefused`."""
    with _opened(path) as book:
        return list(_rows(book.worksheets[0]))


# --- writing -----------------------------------------------------------------------------------------------------


def write_rows(path: Path, rows: Iterable[Sequence[Value]], *, title: str = "Sheet1") -> None:
    """An xlsx file with one sheet. Text stays text: a value such as '=1+1' or '@x' is never a formula, neither here
    nor when somebody saves the sheet as CSV and opens that."""
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet(title)
    for row in rows:
        sheet.append([_safe(sheet, value) for value in row])
    book.save(path)


def _safe(sheet: Any, value: Value) -> Any:
    if isinstance(value, Formula):
        value = "（公式）"
    if not isinstance(value, str):
        return value
    cell = WriteOnlyCell(sheet, plain(value))
    cell.data_type = "s"
    return cell


def write_report(path: Path, table: Table, errors: Iterable[RowError]) -> None:
    """The rows of `table` that have errors, as an xlsx file: their numbers, their cells, and what is wrong."""
    told: dict[int, list[str]] = defaultdict(list)
    for error in errors:
        told[error.row].append(f"{error.column}：{error.message}")

    def lines() -> Iterator[list[Value]]:
        yield ["原行号", *table.columns, "错误说明"]
        for row in table.rows:
            if row.number in told:
                yield [row.number, *row.values.values(), "\n".join(told[row.number])]

    write_rows(path, lines(), title="错误")
