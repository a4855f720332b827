"""Bank statements as banks hand them out: read, or refused with a sentence that names the row."""

from __future__ import annotations

import csv
import io
from datetime import date
from pathlib import Path

import pytest

from app.core.sheet import MAX_COLUMNS, SheetRefused, Value, write_rows
from app.pay.transfers import statement
from ops import statements
from ops.invented import ACCOUNT
from tests.pay.transfers.bank import a_line

DAY = date(2026, 11, 25)
HEAD: list[Value] = ["交易日期", "交易流水号", "贷方发生额", "借方发生额", "对方户名", "对方账号", "附言"]


def told(path: Path, rows: list[list[Value]], *, encoding: str = "gb18030") -> statement.Told:
    """What the file of these rows says."""
    if path.suffix == ".xlsx":
        write_rows(path, rows)
    else:
        text = io.StringIO()
        csv.writer(text).writerows(rows)
        path.write_bytes(text.getvalue().encode(encoding))
    return statement.read(path, ACCOUNT)


def row(**values: Value) -> list[Value]:
    """A row of income under `HEAD`."""
    said: dict[str, Value] = {
        "day": "20261125", "number": "1001", "income": "200.00", "outgo": "", "name": "某公司", "account": "5305",
        "remark": "x",
    }  # fmt: skip
    return list((said | values).values())


@pytest.mark.parametrize("suffix", [".xlsx", ".csv"])
def test_two_banks_columns_say_the_same(tmp_path: Path, suffix: str) -> None:
    lines = [a_line(20000, "ZK 1", day=DAY), a_line(123456789, "y", day=DAY), a_line(5, "z", day=DAY, out=True)]
    path = tmp_path / f"a{suffix}"
    statements.write(path, ACCOUNT, lines)
    read = statement.read(path, ACCOUNT)
    assert [(line.number, line.amount_fen, line.day) for line in read.lines] == [
        (line.number, line.amount_fen, DAY) for line in lines[:2]
    ]
    assert ([line.amount_fen for line in read.outgo], read.others) == ([5], 0)
    assert (read.first_day, read.last_day) == (DAY, DAY)
    assert "ZK 1" in read.lines[0].remark


@pytest.mark.parametrize("encoding", ["gb18030", "utf-8-sig"])
def test_a_csv_in_either_encoding_is_read(tmp_path: Path, encoding: str) -> None:
    assert told(tmp_path / "a.csv", [HEAD, row()], encoding=encoding).lines[0].payer_name == "某公司"


@pytest.mark.parametrize(
    ("value", "fen"), [("200", 20000), ("1,234.56", 123456), ("￥0.01", 1), ("-5.00", -500), (200.1, 20010), (7, 700)]
)
def test_an_amount_is_read_to_the_fen(tmp_path: Path, value: Value, fen: int) -> None:
    assert told(tmp_path / "a.xlsx", [HEAD, row(income=value)]).lines[0].amount_fen == fen


@pytest.mark.parametrize("value", ["2026-11-25", "2026/11/25 10:00:01", "20261125", "2026年11月25日", DAY, 20261125])
def test_a_day_is_read_as_banks_write_it(tmp_path: Path, value: Value) -> None:
    assert told(tmp_path / "a.xlsx", [HEAD, row(day=value)]).first_day == DAY


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        ([["日期", "金额"], ["1", "2"]], "缺少列"),
        ([HEAD], "没有交易明细"),
        ([HEAD, row(income="20O.00")], "第 2 行：看不懂金额"),
        ([HEAD, row(income="0.001")], "第 2 行：金额“0.001”不是整分"),
        ([HEAD, row(income="1e99")], "看不懂金额"),
        ([HEAD, row(income="1E+999999999")], "看不懂金额"),
        ([HEAD, row(income="٢٠٠")], "看不懂金额"),
        ([HEAD, row(day="26年11月")], "第 2 行：看不懂日期"),
        ([HEAD, row(number="")], "第 2 行：没有流水号"),
        ([HEAD, row(outgo="1.00")], "收入和支出都有金额"),
        ([HEAD, row(number="1.23E+15")], "科学计数"),
        ([["账号：62220000111122"], HEAD, row()], "不是收款账号"),
        ([[*HEAD, "本方账号"], [*row(), "62220000111122"]], "不是收款账号"),
    ],
)
def test_what_cannot_be_read_names_its_row(tmp_path: Path, rows: list[list[Value]], sentence: str) -> None:
    with pytest.raises(SheetRefused, match=sentence):
        told(tmp_path / "a.csv", rows)


def test_a_number_that_a_spreadsheet_has_cut_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SheetRefused, match="末几位已丢失"):
        told(tmp_path / "a.xlsx", [HEAD, row(number=1234567890123456789)])


def test_the_same_line_twice_is_one(tmp_path: Path) -> None:
    assert len(told(tmp_path / "a.csv", [HEAD, row(), row()]).lines) == 1


def test_one_number_twice_is_two_lines_where_they_say_something_else(tmp_path: Path) -> None:
    read = told(tmp_path / "a.csv", [HEAD, row(), row(income="-200.00"), row()])
    assert [line.amount_fen for line in read.lines] == [20000, -20000]


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"x" * (statement.MAX_FILE + 1))
    with pytest.raises(SheetRefused, match="太大"):
        statement.read(path, ACCOUNT)


def test_too_many_lines_are_refused(tmp_path: Path) -> None:
    rows = [HEAD, *(row(number=str(number)) for number in range(statement.MAX_LINES + 1))]
    with pytest.raises(SheetRefused, match="最多"):
        told(tmp_path / "a.csv", rows)


def test_a_small_file_of_very_many_rows_is_refused_before_it_fills_the_memory(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"a\n" * (statement.MOST_ROWS + 1))
    with pytest.raises(SheetRefused, match="最多"):
        statement.read(path, ACCOUNT)


def test_of_a_row_with_very_many_cells_the_first_are_read() -> None:
    ((_, cells),) = statement._csv(b"a," * 200_000)
    assert len(cells) == MAX_COLUMNS
