"""What people type into a roster, cell by cell."""

from __future__ import annotations

import unicodedata
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.account.person_name import name_form
from app.core.sheet import Formula, Row, RowError, Table, Value
from app.enrol.roster import rows
from app.enrol.roster.rows import COLUMNS, RosterRow, number_form
from app.policy import load
from app.policy.schema import Programme
from config.settings import ROOT
from tests.factories import an_id_number

TODAY = date(2021, 3, 1)
EPOCH = datetime.fromisoformat("1899-12-30")


@pytest.fixture(scope="module")
def programme() -> Programme:
    path: Path = ROOT / "config" / "programmes"
    return load.read_all(path)["yunnan", date(2021, 2, 1)]


def a_row(number: int = 2, **changes: Value) -> Row:
    values: dict[str, Value] = {
        "姓名": "张三",
        "身份证号": an_id_number(5),
        "手机号": "13800138000",
        "证书类别": "塔机司机",
        "证书编号": "滇TJ(2019)0000001",
        "发证日期": "2019-09-01",
        "到期日期": "2021-09-01",
    }
    return Row(number, values | changes)


def read(programme: Programme, *lines: Row) -> list[Any]:
    return list(rows.read(Table(COLUMNS, lines, EPOCH), programme, today=TODAY))


def the_error(programme: Programme, column: str, value: Value) -> str:
    (errors,) = read(programme, a_row(7, **{column: value}))
    assert [(error.row, error.column) for error in errors] == [(7, column)]
    sentence: str = errors[0].message
    return sentence


def test_a_row_is_read(programme: Programme) -> None:
    (row,) = read(programme, a_row())

    assert row == RosterRow(
        2, "张三", an_id_number(5), "13800138000", "TJ", "滇TJ(2019)0000001", date(2019, 9, 1), date(2021, 9, 1)
    )


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("张 三", "张三"),
        ("　张三　", "张三"),
        ("张\u00a0三", "张三"),
        ("张\u200b三\ufeff", "张三"),
        ("买买提•吾守尔", "买买提·吾守尔"),
        ("买买提・吾守尔", "买买提·吾守尔"),
        ("买买提 · 吾守尔", "买买提·吾守尔"),
        ("买买提．吾守尔", "买买提·吾守尔"),
        ("买买提.吾守尔", "买买提·吾守尔"),
        ("买买提··吾守尔", "买买提·吾守尔"),
        ("㛃䶮𬭼", "㛃䶮𬭼"),
        ("王\uf9dd", "王\uf9dd"),  # NFKC would make another character of it
        ("李\ue863", "李\ue863"),  # the private area of old GB 18030
        ("〇明", "〇明"),
        ("葛\U000e0101城", "葛\U000e0101城"),
        ("Ｊｏｈｎ　Ｓｍｉｔｈ", "John Smith"),
        ("O'Neil-Smith", "O'Neil-Smith"),
    ],
)
def test_names_take_one_form_and_keep_rare_characters(programme: Programme, typed: str, stored: str) -> None:
    (row,) = read(programme, a_row(姓名=typed))

    assert row.name == stored


@pytest.mark.parametrize(
    "name",
    ["", "  ", None, "张", "张三1", "=cmd|' /C calc'!A0", "@张三", "<svg onload=x>", "张三\x00", "·张三", "张" * 51],
)
def test_what_is_no_name_is_told(programme: Programme, name: str | None) -> None:
    assert the_error(programme, "姓名", name)


@pytest.mark.parametrize("typed", ["{}", " {} ", "'{}", "{} ", "\u200b{}"])
def test_id_numbers_are_read_however_they_were_typed(programme: Programme, typed: str) -> None:
    number = next(found for found in map(an_id_number, range(100)) if found.endswith("X"))
    wide = "".join(chr(ord(sign) + 0xFEE0) for sign in number)
    spaced = f"{number[:6]} {number[6:14]} {number[14:]}"

    for form in (number, number.lower(), wide, spaced):
        (row,) = read(programme, a_row(身份证号=typed.format(form)))
        assert row.id_number == number


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("530102198001010010", "校验码"),
        ("53010219800230001X", "校验码"),
        ("530102800101001", "18 位"),
        ("", "不能为空"),
        (530102198001010000, "数字格式"),
        (5.30102198001011e17, "数字格式"),
        (Formula(), "公式"),
    ],
)
def test_wrong_id_numbers_are_told(programme: Programme, value: Value, words: str) -> None:
    assert words in the_error(programme, "身份证号", value)


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        (13800138000, "13800138000"),
        ("138 0013 8000", "13800138000"),
        ("138-0013-8000", "13800138000"),
        ("+86 13800138000", "13800138000"),
        ("+86-138-0013-8000", "13800138000"),
        ("１３８００１３８０００", "13800138000"),
        ("", None),
        (None, None),
    ],
)
def test_phones_take_one_form(programme: Programme, typed: Value, stored: str | None) -> None:
    (row,) = read(programme, a_row(手机号=typed))

    assert row.phone == stored


@pytest.mark.parametrize("value", ["1380013800", "138001380000", "12800138000", "0871-63122229", "无", 1.38e10 + 0.5])
def test_what_is_no_mobile_number_is_told(programme: Programme, value: Value) -> None:
    (errors,) = read(programme, a_row(手机号=value))

    assert [error.column for error in errors] == ["手机号"]


@pytest.mark.parametrize("typed", ["TJ", "tj", "ＴＪ", " 塔机司机 ", "塔机司机"])
def test_a_kind_is_named_by_its_code_or_its_title(programme: Programme, typed: str) -> None:
    (row,) = read(programme, a_row(证书类别=typed))

    assert row.kind_code == "TJ"


def test_an_unknown_kind_is_told_with_the_choices(programme: Programme) -> None:
    (errors,) = read(programme, a_row(证书类别="厨师"))

    assert "塔机司机" in errors[0].message


@pytest.mark.parametrize(
    "typed",
    [
        "2021-09-01",
        "2021/9/1",
        "2021.9.1",
        "2021年9月1日",
        "20210901",
        20210901,
        "２０２１－０９－０１",
        "2021-09-01 00:00:00.0",  # as the old system shows it
        "2021-09-01 00:00:00",
        " 2021-09-01 ",
        44440,
        "44440",
        44440.0,
        datetime.fromisoformat("2021-09-01"),
        date(2021, 9, 1),
    ],
)
def test_days_are_read_in_every_form_that_excel_gives(programme: Programme, typed: Value) -> None:
    (row,) = read(programme, a_row(到期日期=typed))

    assert row.expires_on == date(2021, 9, 1)


@pytest.mark.parametrize(
    "value",
    ["", None, "长期", "9/1/2021", "2021-13-01", "2021-02-29", "21-9-1", "2021-09", 7, 2021, 10**9, True, Formula(),
     "2021-09-01 12:00", date(1970, 1, 1), "2021-09-01'); DROP TABLE"],
)  # fmt: skip
def test_what_is_no_day_is_told(programme: Programme, value: Value) -> None:
    (errors,) = read(programme, a_row(到期日期=value))

    assert [error.column for error in errors] == ["到期日期"]


def test_the_day_of_issue_may_be_missing_but_not_be_tomorrow_or_after_the_expiry(programme: Programme) -> None:
    missing, tomorrow, after = read(
        programme,
        a_row(发证日期=None),
        a_row(发证日期="2021-03-02"),
        a_row(发证日期="2021-02-01", 到期日期="2021-02-01"),
    )

    assert missing.issued_on is None
    assert [error.column for error in tomorrow] == ["发证日期"]
    assert [error.column for error in after] == ["到期日期"]


def test_each_wrong_cell_of_a_row_is_told(programme: Programme) -> None:
    (errors,) = read(programme, Row(9, dict.fromkeys(COLUMNS)))

    assert [error.column for error in errors] == ["姓名", "身份证号", "证书类别", "证书编号", "到期日期"]


def clash(*lines: RosterRow) -> list[RowError]:
    return list(rows.clashes(lines))


def test_rows_that_contradict_each_other_are_told() -> None:
    def line(number: int, name: str, who: int, phone: str | None, certificate: str) -> RosterRow:
        return RosterRow(number, name, an_id_number(who), phone, "TJ", certificate, None, date(2021, 9, 1))

    assert clash(line(2, "张三", 1, "13800138000", "A001"), line(3, "张三", 1, None, "A002")) == []
    (same,) = clash(line(2, "张三", 1, None, "A001"), line(3, "李四", 2, None, "A001"))
    assert (same.row, same.column, "第 2 行" in same.message) == (3, "证书编号", True)
    (name,) = clash(line(2, "张三", 1, None, "A001"), line(5, "张山", 1, None, "A002"))
    assert (name.row, name.column) == (5, "姓名")
    (phone,) = clash(
        line(2, "张三", 1, None, "A001"),
        line(3, "张三", 1, "13800138000", "A2"),
        line(4, "张三", 1, "13800138001", "A3"),
    )
    assert (phone.row, phone.column, "第 3 行" in phone.message) == (4, "手机号", True)


# --- properties --------------------------------------------------------------------------------------------------

HAN = st.characters(categories=["Lo"], include_characters="·•・ 　\u200b")


@settings(max_examples=200, deadline=None)
@given(st.text(st.one_of(HAN, st.characters(max_codepoint=0xFFFF)), max_size=20))
def test_forms_are_stable(text: str) -> None:
    assert name_form(name_form(text)) == name_form(text)
    assert number_form(number_form(text)) == number_form(text)


@settings(max_examples=200, deadline=None)
@given(st.text(st.characters(categories=["Lo", "Co"], min_codepoint=0x370), min_size=1, max_size=20))
def test_no_letter_of_a_name_is_lost_or_replaced(name: str) -> None:
    assert name_form(name) == name
    assert name_form(f"　{' '.join(name)} ") == name


@settings(max_examples=100, deadline=None)
@given(st.lists(st.one_of(st.none(), st.text(max_size=30), st.integers(), st.floats(), st.booleans(),
       st.dates().map(lambda day: datetime.combine(day, datetime.min.time())), st.just(Formula())),
       min_size=7, max_size=7))  # fmt: skip
def test_no_cell_whatever_makes_the_reader_fail(values: list[Value]) -> None:
    programme = load.read_all(ROOT / "config" / "programmes")["yunnan", date(2021, 2, 1)]

    (outcome,) = read(programme, Row(3, dict(zip(COLUMNS, values, strict=True))))

    if isinstance(outcome, RosterRow):
        assert all(unicodedata.category(sign) != "Cc" for sign in outcome.name)
    else:
        assert {error.row for error in outcome} == {3}
        assert all(error.message.endswith("。") for error in outcome)
