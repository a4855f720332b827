"""Files from strangers: what is read, what is refused before it costs anything; nothing written is a formula."""

from __future__ import annotations

import time
import tracemalloc
import zipfile
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path

import openpyxl
import pytest

from app.core import sheet
from app.core.sheet import Formula, RowError, SheetRefused, read_table, write_report, write_rows

WORKSHEET = "xl/worksheets/sheet1.xml"
NAMESPACE = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


@pytest.fixture
def plain_file(tmp_path: Path) -> Path:
    path = tmp_path / "plain.xlsx"
    write_rows(path, [["姓名", "编号"], ["张三", "1"], ["李四", "2"]])
    return path


def rebuilt(path: Path, change: Callable[[dict[str, bytes]], None]) -> Path:
    """The same file with its parts changed."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    change(parts)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return path


def with_rows(path: Path, rows_xml: str) -> Path:
    """The same file with another table."""
    xml = f'<worksheet xmlns="{NAMESPACE}"><dimension ref="A1:A1"/><sheetData>{rows_xml}</sheetData></worksheet>'
    return rebuilt(path, lambda parts: parts.update({WORKSHEET: xml.encode()}))


def text_row(number: int, *values: str) -> str:
    cells = "".join(f'<c t="inlineStr"><is><t>{value}</t></is></c>' for value in values)
    return f'<row r="{number}">{cells}</row>'


def refused(path: Path) -> str:
    with pytest.raises(SheetRefused) as caught:
        read_table(path, ["姓名"])
    return caught.value.sentence


def test_a_table_is_read_by_its_column_names_in_any_order(tmp_path: Path) -> None:
    path = tmp_path / "table.xlsx"
    book = openpyxl.Workbook()
    page = book.active
    page.append([])
    page.append(["备注", " 编号 ", "姓名", None])
    page.append(["x", 13800138000, "张三", "no column"])
    page.append([None, " ", "", None])
    page.append([None, 2.5, date(2021, 3, 1), None])
    book.save(path)

    table = read_table(path, ["姓名", "编号"])

    assert table.columns == ("备注", "编号", "姓名")
    assert [(row.number, row.values["姓名"], row.values["编号"]) for row in table.rows] == [
        (3, "张三", 13800138000),
        (5, datetime.fromisoformat("2021-03-01"), 2.5),
    ]


def test_what_a_file_says_of_its_own_size_is_not_believed(plain_file: Path) -> None:
    path = with_rows(plain_file, text_row(1, "姓名") + text_row(2, "张三") + text_row(3, "李四"))

    assert [row.values["姓名"] for row in read_table(path, ["姓名"]).rows] == ["张三", "李四"]


def test_a_formula_is_told_from_text_that_looks_like_one(plain_file: Path) -> None:
    cells = '<c r="A2"><f>1+1</f><v>2</v></c>'
    array = '<c r="A4"><f t="array" ref="A4">SUM(B1:B9)</f><v>2</v></c>'
    rows = text_row(1, "姓名") + f'<row r="2">{cells}</row>' + text_row(3, "=1+1") + f'<row r="4">{array}</row>'

    table = read_table(with_rows(plain_file, rows), ["姓名"])

    assert [row.values["姓名"] for row in table.rows] == [Formula(), "=1+1", Formula()]


@pytest.mark.parametrize("epoch_1904", [False, True])
def test_date_numbers_follow_the_epoch_of_the_file(tmp_path: Path, epoch_1904: bool) -> None:
    path = tmp_path / "dates.xlsx"
    book = openpyxl.Workbook()
    if epoch_1904:
        book.epoch = openpyxl.utils.datetime.CALENDAR_MAC_1904
    book.active.append(["姓名"])
    book.active.append(["张三"])
    book.save(path)
    table = read_table(path, ["姓名"])

    # the two epochs are 1462 days apart
    assert table.day(44256 - 1462 * epoch_1904) == date(2021, 3, 1)
    with pytest.raises(ValueError, match="99999"):
        table.day(99999)


def test_a_missing_and_a_doubled_column_are_named(tmp_path: Path) -> None:
    path = tmp_path / "table.xlsx"
    write_rows(path, [["姓 名", "编号", "编号"], ["张三", "1", "2"]])

    with pytest.raises(SheetRefused, match="缺少列：姓名、到期日期"):
        read_table(path, ["姓名", "编号", "到期日期"])
    with pytest.raises(SheetRefused, match="重复的列：编号"):
        read_table(path, ["编号"])


def test_an_empty_workbook_says_which_columns_it_needs(tmp_path: Path) -> None:
    path = tmp_path / "empty.xlsx"
    write_rows(path, [])

    assert "缺少列：姓名" in refused(path)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "不是有效的 xlsx"),
        ("姓名,编号\n张三,1\n".encode("gb18030"), "不是有效的 xlsx"),
        (b"<html><table><tr><td>x</td></tr></table></html>", "不是有效的 xlsx"),
        (bytes.fromhex("d0cf11e0a1b11ae1") + b"\0" * 600, "旧版 .xls"),
        (b"PK\x03\x04" + b"\xff" * 200, "不是有效的 xlsx"),
    ],
)
def test_what_is_not_xlsx_is_refused(tmp_path: Path, content: bytes, sentence: str) -> None:
    path = tmp_path / "file.xlsx"
    path.write_bytes(content)

    assert sentence in refused(path)


def test_a_zip_that_is_no_workbook_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "file.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.txt", "hello")

    assert "不是有效的 xlsx" in refused(path)


def test_a_file_cut_off_in_the_middle_is_refused(plain_file: Path) -> None:
    plain_file.write_bytes(plain_file.read_bytes()[:-300])

    assert "不是有效的 xlsx" in refused(plain_file)


def test_a_zip_bomb_is_refused_by_its_list_of_contents(plain_file: Path) -> None:
    rebuilt(plain_file, lambda parts: parts.update({"xl/sharedStrings.xml": b" " * (200 * 1024 * 1024)}))
    assert plain_file.stat().st_size < 1024 * 1024

    tracemalloc.start()
    began = time.perf_counter()
    assert "大得不正常" in refused(plain_file)
    assert time.perf_counter() - began < 1
    assert tracemalloc.get_traced_memory()[1] < 5 * 1024 * 1024
    tracemalloc.stop()


def test_a_zip_that_lies_about_its_size_is_refused(plain_file: Path) -> None:
    size = 100 * 1024 * 1024
    rebuilt(plain_file, lambda parts: parts.update({"xl/sharedStrings.xml": b" " * size}))
    content = plain_file.read_bytes()
    # the size stands in the local header and in the directory
    plain_file.write_bytes(content.replace(size.to_bytes(4, "little"), (1000).to_bytes(4, "little")))

    assert "不是有效的 xlsx" in refused(plain_file)


def test_a_flood_of_parts_is_refused(plain_file: Path) -> None:
    many = {f"xl/x{number}.xml": b"<a/>" for number in range(sheet.MAX_PARTS)}

    assert "大得不正常" in refused(rebuilt(plain_file, lambda parts: parts.update(many)))


def test_a_flood_of_elements_is_refused(plain_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read_table(plain_file, ["姓名"])
    monkeypatch.setattr(sheet, "MAX_ELEMENTS", 1000)

    assert "大得不正常" in refused(rebuilt(plain_file, lambda parts: parts.update({"xl/y.xml": flood()})))


def flood() -> bytes:
    return b"<a>" + b"<b/>" * 1000 + b"</a>"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_entities_are_refused_before_they_are_expanded(plain_file: Path, encoding: str) -> None:
    entities = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10 if n else "x" * 10}">' for n in range(9))
    xml = f'<?xml version="1.0" encoding="{encoding}"?><!DOCTYPE x [{entities}]><sst xmlns="{NAMESPACE}">&e8;</sst>'
    rebuilt(plain_file, lambda parts: parts.update({"xl/sharedStrings.xml": xml.encode(encoding)}))

    began = time.perf_counter()
    assert "不是有效的 xlsx" in refused(plain_file)
    assert time.perf_counter() - began < 1


@pytest.mark.parametrize(
    ("part", "sentence"),
    [
        ("xl/vbaProject.bin", "宏"),
        ("xl/activeX/activeX1.bin", "宏"),
        ("xl/embeddings/oleObject1.bin", "宏"),
        ("xl/externalLinks/externalLink1.xml", "引用了其他文件"),
        ("xl/connections.xml", "引用了其他文件"),
    ],
)
def test_macros_objects_and_links_are_refused(plain_file: Path, part: str, sentence: str) -> None:
    assert sentence in refused(rebuilt(plain_file, lambda parts: parts.update({part: b"<a/>"})))


def test_a_file_that_calls_itself_macro_enabled_is_refused(plain_file: Path) -> None:
    def enable(parts: dict[str, bytes]) -> None:
        types = parts["[Content_Types].xml"]
        parts["[Content_Types].xml"] = types.replace(
            b"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml",
            b"application/vnd.ms-excel.sheet.macroEnabled.main+xml",
        )

    assert "宏" in refused(rebuilt(plain_file, enable))


def test_too_many_rows_are_refused(plain_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheet, "MAX_ROWS", 100)
    rows = [text_row(1, "姓名"), *(text_row(number, "张三") for number in range(2, 102))]
    assert len(read_table(with_rows(plain_file, "".join(rows)), ["姓名"]).rows) == 100

    rows.append(text_row(102, "李四"))
    assert "最多 100 行" in refused(with_rows(plain_file, "".join(rows)))


def test_a_million_rows_are_refused(plain_file: Path) -> None:
    with_rows(plain_file, '<row><c t="b"><v>1</v></c></row>' * 1_000_000)

    assert refused(plain_file)


def test_a_row_number_beyond_the_last_one_is_refused(plain_file: Path) -> None:
    path = with_rows(plain_file, text_row(1, "姓名") + text_row(999_999_999_999, "张三"))

    assert refused(path)


def test_an_oversized_file_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "large.xlsx"
    with path.open("wb") as stream:
        stream.truncate(sheet.MAX_FILE + 1)

    assert "20 MB" in refused(path)


@pytest.mark.parametrize("value", ["=1+1", "=cmd|' /C calc'!A0", "+1", "-1", "@SUM(1)", "\t=1", "\r=1"])
def test_text_is_never_written_as_a_formula(tmp_path: Path, value: str) -> None:
    path = tmp_path / "out.xlsx"

    write_rows(path, [["姓名"], [value]])

    cell = openpyxl.load_workbook(path).active["A2"]
    assert cell.data_type == "s"
    assert cell.value.startswith("'")
    with zipfile.ZipFile(path) as archive:
        assert b"<f>" not in archive.read(WORKSHEET)


def test_signs_that_xml_cannot_hold_are_dropped(tmp_path: Path) -> None:
    path = tmp_path / "out.xlsx"

    write_rows(path, [["张\x00三\x0b", "<svg onload=x>"]])

    row = next(openpyxl.load_workbook(path).active.values)
    assert row == ("张三", "<svg onload=x>")


def test_the_report_holds_the_wrong_rows_and_why(tmp_path: Path) -> None:
    source, report = tmp_path / "in.xlsx", tmp_path / "out.xlsx"
    write_rows(source, [["姓名", "编号"], ["张三", "1"], ["=坏", "2"], ["王五", "3"]])
    table = read_table(source, ["姓名"])

    write_report(report, table, [RowError(3, "姓名", "请核对。"), RowError(3, "编号", "不能为空。")])

    assert list(openpyxl.load_workbook(report).active.values) == [
        ("原行号", "姓名", "编号", "错误说明"),
        (3, "'=坏", "2", "姓名：请核对。\n编号：不能为空。"),
    ]


def test_a_report_can_be_corrected_and_read_again(tmp_path: Path) -> None:
    source, report = tmp_path / "in.xlsx", tmp_path / "out.xlsx"
    write_rows(source, [["姓名"], ["张三"]])
    write_report(report, read_table(source, ["姓名"]), [RowError(2, "姓名", "请核对。")])

    assert [row.values["姓名"] for row in read_table(report, ["姓名"]).rows] == ["张三"]
