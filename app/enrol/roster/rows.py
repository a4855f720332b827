"""One row of a roster: what people type into Excel, made into what the system stores, or told what is wrong. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime

from app.account.id_number import normalise
from app.account.person_name import is_name, name_form, plain
from app.core.sheet import Formula, Row, RowError, Table, Value
from app.policy.schema import Programme

NAME, ID_NUMBER, PHONE, KIND = "姓名", "身份证号", "手机号", "证书类别"
CERTIFICATE_NO, ISSUED_ON, EXPIRES_ON = "证书编号", "发证日期", "到期日期"
COLUMNS = (NAME, ID_NUMBER, PHONE, KIND, CERTIFICATE_NO, ISSUED_ON, EXPIRES_ON)


@dataclass(frozen=True)
class RosterRow:
    """One valid row. `number` is Excel's; `phone` may be missing; days are Shanghai's."""

    number: int
    name: str
    id_number: str
    phone: str | None
    kind_code: str
    certificate_no: str
    issued_on: date | None
    expires_on: date


class _Wrong(Exception):
    """The cell's sentence."""


# --- normal forms ------------------------------------------------------------------------------------------------


def number_form(text: str) -> str:
    """An ID, phone or certificate number without spaces, in capitals, without the apostrophe that forces text."""
    return plain(text).replace(" ", "").removeprefix("'").upper()


# --- cells -------------------------------------------------------------------------------------------------------


def _text(value: Value) -> str:
    if isinstance(value, Formula):
        raise _Wrong("单元格是公式，请复制后“粘贴为数值”。")
    if isinstance(value, bool | float) or (isinstance(value, int) and not 0 <= value < 10**15):
        raise _Wrong("单元格是数字格式，数字可能已经变了，请把整列设为“文本”格式后重新填写。")
    if value is None:
        return ""
    if isinstance(value, int | str):
        return str(value)
    raise _Wrong("这里不应是日期，请按列名填写。")


def _name(value: Value) -> str:
    name = name_form(_text(value))
    if not name:
        raise _Wrong("不能为空。")
    if not is_name(name):
        raise _Wrong("只能填写姓名（2 至 50 个字，可含间隔号“·”），请核对。")
    return name


def _phone(value: Value) -> str | None:
    phone = re.sub(r"[-—]", "", number_form(_text(value)))
    phone = re.sub(r"^(\+86|0086)(?=1)", "", phone)
    if not phone:
        return None
    if not re.fullmatch(r"1[3-9][0-9]{9}", phone):
        raise _Wrong("手机号应为 11 位数字、以 1 开头；没有手机号请留空。")
    return phone


def _certificate_no(value: Value) -> str:
    number = number_form(_text(value))
    if not number:
        raise _Wrong("不能为空。")
    if not 4 <= len(number) <= 40 or not all(sign.isalnum() or sign in "()[]〔〕【】-_/." for sign in number):
        raise _Wrong("证书编号应为 4 至 40 个字，只含文字、字母、数字、括号和横线，请核对。")
    return number


_DAY = re.compile(r"(\d{4})(?:-|/|\.|年)(\d{1,2})(?:-|/|\.|月)(\d{1,2})日?(?:[ T]0{1,2}:00(?::00(?:\.0+)?)?)?")


def _day(value: Value, table: Table) -> date | None:
    """A date cell, a date number, or text such as 2021-03-01, 2021/3/1, 2021.3.1, 2021年3月1日, 20210301."""
    wrong = _Wrong("日期不对，请写成 2021-03-01 的样子。")
    if isinstance(value, Formula):
        raise _Wrong("单元格是公式，请复制后“粘贴为数值”。")
    if isinstance(value, datetime):
        day = value.date()
    elif isinstance(value, date):
        day = value
    else:
        text = plain(str(value)).removeprefix("'") if isinstance(value, str | int | float) else ""
        if value is None or (isinstance(value, str) and not text):
            return None
        try:
            if found := _DAY.fullmatch(text) or re.fullmatch(r"(\d{4})(\d\d)(\d\d)", text):
                day = date(*(int(part) for part in found.groups()))
            elif re.fullmatch(r"\d{5}(\.\d+)?", text):
                day = table.day(float(text))
            else:
                raise wrong
        except ValueError:
            raise wrong from None
    if not 1980 <= day.year <= 2100:
        raise wrong
    return day


# --- rows --------------------------------------------------------------------------------------------------------


def kinds_by_name(programme: Programme) -> dict[str, str]:
    """Code and title of each kind of certificate, in capitals → its code."""
    by_name = {number_form(kind.title): kind.code for kind in programme.certificate_kinds}
    return by_name | {number_form(kind.code): kind.code for kind in programme.certificate_kinds}


def read(table: Table, programme: Programme, *, today: date) -> Iterator[RosterRow | list[RowError]]:
    """Each row of `table` by itself: the row, or all that is wrong with it."""
    kinds = kinds_by_name(programme)
    choices = "、".join(kind.title for kind in programme.certificate_kinds)

    def id_number(value: Value) -> str:
        if isinstance(value, int | float) and not isinstance(value, bool):
            raise _Wrong("单元格是数字格式，末几位已经丢失，请把整列设为“文本”格式后重新填写。")
        text = number_form(_text(value))
        if not text:
            raise _Wrong("不能为空。")
        number = normalise(text)
        if number is None:
            raise _Wrong("身份证号不对（应为 18 位，末位是校验码），请对照证件核对。")
        return number

    def kind(value: Value) -> str:
        code = kinds.get(number_form(_text(value)))
        if code is None:
            raise _Wrong(f"没有这个证书类别，可以填：{choices}。")
        return code

    def issued_on(value: Value) -> date | None:
        day = _day(value, table)
        if day and day > today:
            raise _Wrong("发证日期晚于今天，请核对。")
        return day

    def expires_on(value: Value) -> date:
        day = _day(value, table)
        if day is None:
            raise _Wrong("不能为空。")
        return day

    readers: dict[str, Callable[[Value], object]] = {
        NAME: _name,
        ID_NUMBER: id_number,
        PHONE: _phone,
        KIND: kind,
        CERTIFICATE_NO: _certificate_no,
        ISSUED_ON: issued_on,
        EXPIRES_ON: expires_on,
    }
    for row in table.rows:
        yield _read_row(row, readers)


def _read_row(row: Row, readers: dict[str, Callable[[Value], object]]) -> RosterRow | list[RowError]:
    values: dict[str, object] = {}
    errors: list[RowError] = []
    for column, reader in readers.items():
        try:
            values[column] = reader(row.values[column])
        except _Wrong as wrong:
            errors.append(RowError(row.number, column, str(wrong)))
    issued, expires = values.get(ISSUED_ON), values.get(EXPIRES_ON)
    if isinstance(issued, date) and isinstance(expires, date) and issued >= expires:
        errors.append(RowError(row.number, EXPIRES_ON, "到期日期不晚于发证日期，请核对。"))
    if errors:
        return errors
    return RosterRow(row.number, *(values[column] for column in COLUMNS))  # type: ignore[arg-type]


def clashes(rows: Iterable[RosterRow]) -> Iterator[RowError]:
    """What rows of one file say against each other: a certificate twice, one ID number with two names or phones."""
    certificates: dict[str, RosterRow] = {}
    people: dict[str, RosterRow] = {}
    phones: dict[str, RosterRow] = {}
    for row in rows:
        first = certificates.setdefault(row.certificate_no, row)
        if first is not row:
            yield RowError(row.number, CERTIFICATE_NO, f"与第 {first.number} 行的证书编号重复，请删掉多余的一行。")
        first = people.setdefault(row.id_number, row)
        if first.name != row.name:
            yield RowError(row.number, NAME, f"与第 {first.number} 行身份证号相同，姓名却不同，请核对。")
        if row.phone and phones.setdefault(row.id_number, row).phone != row.phone:
            number = phones[row.id_number].number
            yield RowError(row.number, PHONE, f"与第 {number} 行身份证号相同，手机号却不同，请核对。")
