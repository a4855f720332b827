"""Tables for staff to take away, as CSV or xlsx, made in memory: nothing stands on a disk in the clear meanwhile.

Whatever a trainee wrote as their name stays text: no cell begins with what a spreadsheet takes for a formula
(=, +, -, @, tab, CR, LF, also after blanks and in full width), and no character is left that XML forbids or that
turns the direction of a line (fault A2)."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Iterable, Sequence
from typing import Literal
from xml.sax.saxutils import escape

Format = Literal["csv", "xlsx"]
Cell = str | int | None

TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}

# control characters, lone surrogates and what is no character; marks that turn a line or are not seen
_FORBIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]"
)
_FORMULA = re.compile(r"[\t\r\n]|\s*[=+\-@＝＋－＠|%]")


def plain(text: str) -> str:
    """The text as a cell shows it, never a formula: what might be one begins with an apostrophe."""
    text = _FORBIDDEN.sub("", text)
    return f"'{text}" if _FORMULA.match(text) else text


def make(how: Format, columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> bytes:
    """The file: a header, and the rows. Numbers stay numbers, texts are `plain`."""
    return (_csv if how == "csv" else _xlsx)(columns, rows)


def _csv(columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> bytes:
    out = io.StringIO(newline="")
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    for row in (columns, *rows):
        writer.writerow([plain(cell) if isinstance(cell, str) else "" if cell is None else cell for cell in row])
    return b"\xef\xbb\xbf" + out.getvalue().encode()  # with the mark, by which Excel knows UTF-8


_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_OOXML = "http://schemas.openxmlformats.org"
_PARTS = {
    "[Content_Types].xml": f'<Types xmlns="{_OOXML}/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Override PartName="/xl/workbook.xml" '
    'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/>'
    '<Override PartName="/xl/worksheets/sheet1.xml" '
    'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/></Types>',
    "_rels/.rels": f'<Relationships xmlns="{_OOXML}/package/2006/relationships">'
    f'<Relationship Id="rId1" Type="{_OOXML}/officeDocument/2006/relationships/officeDocument" '
    'Target="xl/workbook.xml"/></Relationships>',
    "xl/workbook.xml": f'<workbook xmlns="{_OOXML}/spreadsheetml/2006/main" '
    f'xmlns:r="{_OOXML}/officeDocument/2006/relationships">'
    '<sheets><sheet name="Sheet1" sheetId="1" r:id="rId1"/></sheets></workbook>',
    "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_OOXML}/package/2006/relationships">'
    f'<Relationship Id="rId1" Type="{_OOXML}/officeDocument/2006/relationships/worksheet" '
    'Target="worksheets/sheet1.xml"/></Relationships>',
}


def _xlsx(columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> bytes:
    """One sheet. Texts stand in their cells (`inlineStr`), so that nothing has to be known of all rows at once."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, text in _PARTS.items():
            archive.writestr(name, _HEAD + text)
        with archive.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as part:
            part.write(f'{_HEAD}<worksheet xmlns="{_OOXML}/spreadsheetml/2006/main"><sheetData>'.encode())
            for row in (columns, *rows):
                part.write(f"<row>{''.join(map(_cell, row))}</row>".encode())
            part.write(b"</sheetData></worksheet>")
    return out.getvalue()


def _cell(value: Cell) -> str:
    if value is None:
        return "<c/>"
    if isinstance(value, int):
        return f"<c><v>{value}</v></c>"
    return f'<c t="inlineStr"><is><t xml:space="preserve">{escape(plain(value))}</t></is></c>'
