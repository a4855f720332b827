"""The proof on paper: one A4 page in colour, made when it is asked for (some milliseconds), always the same.

Text is text: it can be selected, copied and read aloud. The QR code is drawn as vectors.
"""

from __future__ import annotations

import io
import threading
from dataclasses import dataclass
from datetime import date
from typing import Any

import segno
from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.lib.utils import ImageReader
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.pdfgen.canvas import Canvas

from app.certificate import fonts
from app.certificate.fonts import BOLD, REGULAR

INK, SOFT, LINE = HexColor("#1d2733"), HexColor("#5b6875"), HexColor("#c9d3dc")
BLUE, GOLD, PALE = HexColor("#12477d"), HexColor("#b8913f"), HexColor("#f2f6fa")
RED = HexColor("#b3261e")
WIDTH, HEIGHT = A4
LEFT, RIGHT = 30 * mm, WIDTH - 30 * mm
PHOTO = (25 * mm, 35 * mm)  # one inch, as the manual's picture has it
NO_LINE_STARTS_WITH = "，。；：、）》”〕％"
NO_LINE_ENDS_WITH = "（《“〔"

_lock = threading.Lock()  # ReportLab's fonts keep a state per document; one page takes milliseconds


@dataclass(frozen=True)
class Sheet:
    """What stands on the paper. `photo` is a JPEG; `verify_url` goes into the QR code."""

    number: str
    title: str
    programme: str
    authority: str
    name: str
    id_number: str
    kind: str
    certificate_no: str | None
    issued_on: date
    photo: bytes
    verify_url: str
    void_without: tuple[str, ...]
    revoked_on: date | None = None


_WORDS = {"photo": "照片", "qr": "二维码", "colour": "彩色打印"}


def render(sheet: Sheet) -> bytes:
    """The PDF file. Raises `fonts.FontMissing`."""
    name, missing = fonts.writable(sheet.name)
    with _lock:
        out = io.BytesIO()
        page = Canvas(out, pagesize=A4, invariant=1, pageCompression=1, lang="zh-CN")
        page.setTitle(f"{sheet.programme}{sheet.title} {sheet.number}")
        page.setAuthor(sheet.authority)
        page.setSubject(sheet.title)
        _frame(page)
        _head(page, sheet)
        _body(page, sheet, name, missing)
        _foot(page, sheet)
        if sheet.revoked_on is not None:
            _revoked(page, sheet.revoked_on)
        page.showPage()
        page.save()
        return out.getvalue()


def _frame(page: Any) -> None:
    page.setStrokeColor(BLUE)
    page.setLineWidth(2.2)
    page.rect(12 * mm, 12 * mm, WIDTH - 24 * mm, HEIGHT - 24 * mm)
    page.setStrokeColor(GOLD)
    page.setLineWidth(0.7)
    page.rect(14.5 * mm, 14.5 * mm, WIDTH - 29 * mm, HEIGHT - 29 * mm)
    page.setFillColor(GOLD)
    for x in (14.5 * mm, WIDTH - 14.5 * mm):
        for y in (14.5 * mm, HEIGHT - 14.5 * mm):
            _diamond(page, x, y, 2.2 * mm)


def _diamond(page: Any, x: float, y: float, half: float) -> None:
    path = page.beginPath()
    path.moveTo(x, y + half)
    for dx, dy in ((half, 0.0), (0.0, -half), (-half, 0.0)):
        path.lineTo(x + dx, y + dy)
    path.close()
    page.drawPath(path, stroke=0, fill=1)


def _spread(page: Any, text: str, y: float, font: str, size: float, gap: float) -> None:
    """`text` centred, with `gap` points between its characters."""
    width = stringWidth(text, font, size) + gap * (len(text) - 1)
    line = page.beginText((WIDTH - width) / 2, y)
    line.setFont(font, size)
    line.setCharSpace(gap)
    line.textOut(text)
    line.setCharSpace(0)
    page.drawText(line)


def _head(page: Any, sheet: Sheet) -> None:
    top = HEIGHT - 50 * mm
    page.setFillColor(SOFT)
    _spread(page, sheet.programme, top, REGULAR, 14, 1.5)
    page.setFillColor(BLUE)
    _spread(page, sheet.title, top - 19 * mm, BOLD, 36, 12)
    page.setStrokeColor(GOLD)
    page.setLineWidth(1)
    middle, y = WIDTH / 2, top - 28 * mm
    page.line(middle - 42 * mm, y, middle - 5 * mm, y)
    page.line(middle + 5 * mm, y, middle + 42 * mm, y)
    page.setFillColor(GOLD)
    _diamond(page, middle, y, 1.8 * mm)
    page.setFillColor(SOFT)
    page.setFont(REGULAR, 10.5)
    page.drawCentredString(middle, y - 8 * mm, f"证明编号：{sheet.number}")


def _body(page: Any, sheet: Sheet, name: str, missing: list[str]) -> None:
    top = HEIGHT - 101 * mm
    width, height = PHOTO
    photo_x, photo_y = RIGHT - width, top - height
    page.drawImage(ImageReader(io.BytesIO(sheet.photo)), photo_x, photo_y, width, height)
    page.setStrokeColor(LINE)
    page.setLineWidth(0.8)
    page.rect(photo_x, photo_y, width, height)

    rows = [("姓　　名", name), ("身份证号", sheet.id_number), ("证书类别", sheet.kind)]
    if sheet.certificate_no:
        rows.append(("证书编号", sheet.certificate_no))
    y = top - 5 * mm
    for label, value in rows:
        page.setFillColor(SOFT)
        page.setFont(REGULAR, 11)
        page.drawString(LEFT, y, label)
        page.setFillColor(INK)
        room = photo_x - 8 * mm - (LEFT + 24 * mm)
        size = 14.0
        while size > 7 and stringWidth(value, BOLD, size) > room:
            size -= 0.5
        page.setFont(BOLD, size)
        page.drawString(LEFT + 24 * mm, y, value)
        page.setStrokeColor(LINE)
        page.setLineWidth(0.5)
        page.line(LEFT + 23 * mm, y - 2.2 * mm, photo_x - 8 * mm, y - 2.2 * mm)
        y -= 10.5 * mm

    text = (
        f"　　{name}，已按规定完成“{sheet.programme}”（{sheet.kind}）全部课程的学习，各科目考试成绩合格，"
        f"准予结业，特此证明。"
    )
    y = _paragraph(page, text, top - 54 * mm, 14, 24)
    if missing:
        note = f"注：姓名中的 {'、'.join(missing)} 为生僻字的国际编码，本证明的字库暂不能印出该字，以身份证所载为准。"
        page.setFillColor(SOFT)
        _paragraph(page, note, y - 2 * mm, 9.5, 15)


def _paragraph(page: Any, text: str, y: float, size: float, leading: float) -> float:
    """Text from margin to margin, broken between any two characters but for `lines`' rules; gives the next y."""
    page.setFillColor(INK if size > 12 else SOFT)
    page.setFont(REGULAR, size)
    for line in lines(text, REGULAR, size, RIGHT - LEFT):
        page.drawString(LEFT, y, line)
        y -= leading
    return y


def lines(text: str, font: str, size: float, room: float) -> list[str]:
    """`text` broken into lines of at most `room` points (a line may hang one punctuation mark over it): none begins
    with a closing mark or ends with an opening one. Words of Latin letters and digits stay whole where they fit."""
    found, line = [], ""
    for piece in _pieces(text):
        fits = stringWidth(line + piece, font, size) <= room
        if fits or not line or piece in NO_LINE_STARTS_WITH:
            line += piece
        else:
            kept = line.rstrip(NO_LINE_ENDS_WITH) or line
            found.append(kept)
            line = line[len(kept) :] + piece
    return [*found, line]


def _pieces(text: str) -> list[str]:
    pieces: list[str] = []
    for sign in text:
        latin = sign.isascii() and sign.isalnum()
        if latin and pieces and pieces[-1][-1].isascii() and pieces[-1][-1].isalnum():
            pieces[-1] += sign
        else:
            pieces.append(sign)
    return pieces


def _foot(page: Any, sheet: Sheet) -> None:
    bottom, side = 46 * mm, 32 * mm
    _qr(page, sheet.verify_url, LEFT, bottom, side)
    page.setFillColor(SOFT)
    page.setFont(REGULAR, 9)
    page.drawCentredString(LEFT + side / 2, bottom - 5 * mm, "扫码核验真伪")

    page.setFillColor(INK)
    page.setFont(BOLD, 14)
    page.drawRightString(RIGHT, bottom + 16 * mm, sheet.authority)
    page.setFont(REGULAR, 12.5)
    day = sheet.issued_on
    page.drawRightString(RIGHT, bottom + 8 * mm, f"{day.year} 年 {day.month} 月 {day.day} 日")

    page.setFillColor(PALE)
    page.rect(20 * mm, 20 * mm, WIDTH - 40 * mm, 13 * mm, stroke=0, fill=1)
    page.setFillColor(SOFT)
    page.setFont(REGULAR, 8.5)
    page.drawCentredString(WIDTH / 2, 28 * mm, _condition(sheet.void_without))
    page.setFont(REGULAR, 8)
    page.drawCentredString(WIDTH / 2, 23 * mm, f"核验网址：{sheet.verify_url}")


def _revoked(page: Any, day: date) -> None:
    """Across the whole sheet, over everything: nobody takes a copy of it for a good proof."""
    page.saveState()
    page.translate(WIDTH / 2, HEIGHT / 2)
    page.rotate(45)
    page.setFillColor(RED)
    page.setFillAlpha(0.45)
    page.setFont(BOLD, 150)
    page.drawCentredString(0, -30, "已撤销")
    page.setFont(BOLD, 24)
    page.drawCentredString(0, -80, f"本证明已于 {day.year} 年 {day.month} 月 {day.day} 日撤销，无效")
    page.restoreState()


def _condition(void_without: tuple[str, ...]) -> str:
    words = [_WORDS[word] for word in void_without]
    return (
        f"本证明须具备{'、'.join(words)}方为有效；真伪以核验页面显示为准。" if words else "真伪以核验页面显示为准。"
    )


def _qr(page: Any, url: str, x: float, y: float, side: float) -> None:
    """The code with its quiet zone of four modules inside a square of `side` points."""
    matrix = segno.make_qr(url, error="m").matrix
    count = len(matrix)
    unit = side / (count + 8)
    page.setFillColor(HexColor("#ffffff"))
    page.rect(x, y, side, side, stroke=0, fill=1)
    page.setFillColor(HexColor("#000000"))
    path = page.beginPath()
    for row, modules in enumerate(matrix):
        column = 0
        while column < count:
            start = column
            while column < count and modules[column]:
                column += 1
            if column > start:
                path.rect(x + (start + 4) * unit, y + side - (row + 5) * unit, (column - start) * unit, unit)
            column += 1
    page.drawPath(path, stroke=0, fill=1)
