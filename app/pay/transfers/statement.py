"""A bank's statement, as xlsx or CSV, read line by line. Banks name and order their columns as they like: each is
known by the names that it usually has. What cannot be read stops the file and names its row; nothing is guessed."""

from __future__ import annotations

import csv
import hashlib
import io
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

from app.core.sheet import MAX_COLUMNS, Formula, SheetRefused, Value, read_rows

MAX_FILE = 5 * 1024 * 1024
MAX_LINES = 5_000
MOST_ROWS = 2 * MAX_LINES  # with what stands above and below the table: each row takes memory
TOO_MANY = f"一份对账单最多 {MAX_LINES} 行，请按日期分段下载后分别导入。"
HEADER_WITHIN = 30  # rows above the table tell of the account
EXACT_DIGITS = 15  # a number of more digits has lost its last ones in a spreadsheet

COLUMNS: dict[str, tuple[str, ...]] = {
    "number": (
        "交易流水号", "流水号", "银行流水号", "账户明细编号-交易流水号", "账户明细编号", "日志号", "核心流水号",
        "主机流水号", "交易流水", "交易序号", "明细序号",
    ),
    "day": ("交易日期", "记账日期", "入账日期", "交易日", "记账日", "日期", "交易时间", "入账时间"),
    "income": ("贷方发生额", "贷方金额", "贷方", "收入金额", "收入", "转入金额", "存入金额", "贷方发生额/元"),
    "outgo": ("借方发生额", "借方金额", "借方", "支出金额", "支出", "转出金额", "支取金额", "借方发生额/元"),
    "amount": ("交易金额", "发生额", "金额"),
    "direction": ("借贷标志", "借贷方向", "借贷", "借/贷", "收支方向", "收支标志", "收/支"),
    "payer_name": (
        "对方户名", "对方名称", "对方账户名称", "对方单位名称", "对方单位", "收付方名称", "付款人名称", "付款方名称",
        "付款人户名", "付款方户名",
    ),
    "payer_account": ("对方账号", "对方账户", "对方账户账号", "收付方账号", "付款人账号", "付款方账号"),
    "own": ("本方账号", "账号", "账户", "查询账号"),
}  # fmt: skip
REMARKS = (
    "附言", "摘要", "用途", "备注", "交易附言", "客户附言", "交易用途", "交易摘要", "交易备注", "个性化信息",
    "用途/附言", "交易用途/摘要", "摘要/备注", "留言",
)  # fmt: skip
IN = ("贷", "贷方", "收", "收入", "C", "CR", "转入", "来账")
OUT = ("借", "借方", "支", "支出", "付", "D", "DR", "转出", "往账")
TITLES = {
    "number": "交易流水号", "day": "交易日期", "income": "贷方发生额（收入金额）", "payer_name": "对方户名",
    "payer_account": "对方账号", "remark": "附言（摘要、用途、备注）",
}  # fmt: skip


@dataclass(frozen=True)
class Line:
    """One line, of income or of money that went (then the payer is who got it). `row` is the one that Excel shows;
    `amount_fen` is negative where the bank took the line back."""

    row: int
    number: str
    day: date
    amount_fen: int
    payer_name: str
    payer_account: str
    remark: str

    @property
    def content(self) -> str:
        """What it says, as a digest: to tell whether another line with its number says the same."""
        said = (self.amount_fen, self.payer_name, self.payer_account)
        return hashlib.sha256("|".join(map(str, said)).encode()).hexdigest()


@dataclass(frozen=True)
class Told:
    """What a file says: its income, what went, how many lines are neither, its first and last day."""

    digest: str
    lines: tuple[Line, ...]
    outgo: tuple[Line, ...]
    others: int
    first_day: date
    last_day: date


def read(path: Path, account: str) -> Told:
    """The statement of `account` in the file `path` (xlsx, or CSV in UTF-8 or GB18030). A line that stands in it
    twice is one. Raises `SheetRefused`."""
    if path.stat().st_size > MAX_FILE:
        raise SheetRefused("对账单太大（上限 5 MB），请按日期分段下载后分别导入。")
    data = path.read_bytes()
    rows = read_rows(path) if data.startswith((b"PK", b"\xd0\xcf")) else _csv(data)
    place, columns = _header(rows)
    _own_account(rows[:place], account)
    income: dict[tuple[date, str, str], Line] = {}
    outgo: dict[tuple[date, str, str], Line] = {}
    days, others, seen = [], 0, 0
    for row, cells in rows[place + 1 :]:
        get = _getter(columns, cells)
        if not _text(get("number")) and _day(get("day")) is None:
            continue  # totals and notes below the table
        seen += 1
        if seen > MAX_LINES:
            raise SheetRefused(TOO_MANY)
        line, out, day = _line(row, get, columns, account)
        days.append(day)
        if line is None:
            others += 1
            continue
        # a fee often has the number of the transfer that it is for, a correction that of its line: both are lines
        (outgo if out else income).setdefault((line.day, line.number, line.content), line)
    if not days:
        raise SheetRefused("对账单里没有交易明细，请下载有明细的对账单。")
    digest = hashlib.sha256(data).hexdigest()
    return Told(digest, tuple(income.values()), tuple(outgo.values()), others, min(days), max(days))


def _csv(data: bytes) -> list[tuple[int, list[Value]]]:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = data.decode(encoding)
            break
        except UnicodeDecodeError:
            continue
    else:
        raise SheetRefused("读不出这个文件，请从网银下载 xlsx 或 CSV 格式的对账单。")
    if "\0" in text:
        raise SheetRefused("读不出这个文件，请从网银下载 xlsx 或 CSV 格式的对账单。")
    delimiter = "\t" if "\t" in text.split("\n", 1)[0] and "," not in text.split("\n", 1)[0] else ","
    found: list[tuple[int, list[Value]]] = []
    try:
        for number, cells in enumerate(csv.reader(io.StringIO(text), delimiter=delimiter), start=1):
            if any(cell.strip() for cell in cells):
                found.append((number, [cell.strip() for cell in cells[:MAX_COLUMNS]]))
            if len(found) > MOST_ROWS:
                raise SheetRefused(TOO_MANY)
    except csv.Error as error:
        raise SheetRefused("CSV 文件的格式不对，请从网银重新下载，不要用其他软件改动。") from error
    return found


def _name(value: Value) -> str:
    """A column's name without spaces, and without what stands in brackets: '贷方发生额（元）', '收（付）方名称'."""
    text = re.sub(r"\s", "", unicodedata.normalize("NFKC", value if isinstance(value, str) else ""))
    return re.sub(r"\((元|收入|支取|贷|借|人民币)\)", "", text).replace("(", "").replace(")", "").upper()


def _header(rows: list[tuple[int, list[Value]]]) -> tuple[int, dict[str, list[int]]]:
    """Where the row of the names is, and which columns are what; of several names of one thing the first in the list
    counts, but of remarks all."""
    best: dict[str, list[int]] = {}
    for place, (_, cells) in enumerate(rows[:HEADER_WITHIN]):
        names = [_name(cell) for cell in cells]
        found = {
            thing: [names.index(name) for name in known if name in names][:1] for thing, known in COLUMNS.items()
        }
        found["remark"] = [names.index(name) for name in REMARKS if name in names]
        if not found["income"] and found["amount"] and found["direction"]:
            found["income"] = found["amount"]
        if not [thing for thing in TITLES if not found[thing]]:
            return place, found
        if sum(map(bool, found.values())) > sum(map(bool, best.values())):
            best = found
    missing = "、".join(title for thing, title in TITLES.items() if not best.get(thing))
    raise SheetRefused(f"没有找到对账单的表头，缺少列：{missing}。请从网银下载带这些列的明细。")


def _getter(columns: dict[str, list[int]], cells: list[Value]) -> Callable[[str], Value]:
    def get(thing: str) -> Value:
        values = [cells[place] for place in columns[thing] if place < len(cells)]
        if thing == "remark":
            return " ".join(filter(None, map(_text, values)))
        return values[0] if values else None

    return get


def _own_account(above: list[tuple[int, list[Value]]], account: str) -> None:
    """Refuse a statement that names another account above its table."""
    for _, cells in above:
        text = " ".join(_text(cell) for cell in cells)
        for number in re.findall(r"(?:账号|账户|卡号)\s*[:：]?\s*([0-9][0-9 -]{6,40}[0-9])", text):
            if re.sub(r"[ -]", "", number) != account:
                raise _other_account(number, account)


def _other_account(number: str, account: str) -> SheetRefused:
    return SheetRefused(f"这是账号 {number} 的对账单，不是收款账号 {account} 的，请重新选择。")


def _wrong(row: int, sentence: str) -> SheetRefused:
    return SheetRefused(f"第 {row} 行：{sentence}")


def _text(value: Value) -> str:
    return "" if value is None or isinstance(value, Formula) else str(value).strip().strip("\t'`=\"")


def _whole(row: int, value: Value, what: str) -> str:
    """A number that is a name: as text, every digit of it."""
    if isinstance(value, float) or (isinstance(value, int) and len(str(value)) > EXACT_DIGITS):
        raise _wrong(row, f"{what}被表格软件当成了数值，末几位已丢失。请导入网银下载的原文件，不要另存。")
    text = _text(value)
    if re.fullmatch(r"[0-9.]+E\+[0-9]+", text.upper()):
        raise _wrong(row, f"{what}被表格软件改成了科学计数。请导入网银下载的原文件，不要另存。")
    return text


def _day(value: Value) -> date | None:
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    match = re.match(r"(20\d\d)[-/.年]?([01]?\d)[-/.月]?([0-3]?\d)", _text(value))
    try:
        return date(*map(int, match.groups())) if match else None
    except ValueError:
        return None


def _fen(row: int, value: Value) -> int:
    """An amount, 0 for none."""
    if isinstance(value, Formula):
        raise _wrong(row, "金额是公式，请导入网银下载的原文件。")
    text = re.sub(r"[,，\s¥￥]", "", _text(value)).removesuffix("元")
    if text in ("", "-", "--"):
        return 0
    if not re.fullmatch(r"[+-]?[0-9]{1,13}(\.[0-9]{1,20})?", text):
        raise _wrong(row, f"看不懂金额“{text[:20]}”。")
    amount = Decimal(text) * 100
    fen = amount.to_integral_value()
    if fen != amount and not (isinstance(value, float) and abs(fen - amount) < Decimal("0.001")):
        raise _wrong(row, f"金额“{text[:20]}”不是整分。")
    return int(fen)


def _line(
    row: int, get: Callable[[str], Value], columns: dict[str, list[int]], account: str
) -> tuple[Line | None, bool, date]:
    """A line, or None for one without an amount; whether its money went; and its day."""
    day, number = _day(get("day")), _whole(row, get("number"), "流水号")
    if day is None:
        raise _wrong(row, f"看不懂日期“{_text(get('day'))[:20]}”。")
    if not number or len(number) > 48:
        raise _wrong(row, "没有流水号，或流水号太长，无法分辨这一行有没有导入过。")
    own = _whole(row, get("own"), "账号")
    if own and re.sub(r"\D", "", own) != account:
        raise _other_account(own, account)
    income, outgo = _amounts(row, get, columns)
    if income == 0 == outgo:
        return None, False, day
    name, payer = _text(get("payer_name"))[:200], _whole(row, get("payer_account"), "对方账号")[:64]
    line = Line(row, number, day, income or outgo, name, payer, _text(get("remark"))[:500])
    return line, income == 0, day


def _amounts(row: int, get: Callable[[str], Value], columns: dict[str, list[int]]) -> tuple[int, int]:
    """How much came, and how much went, in fen; one of the two, or neither."""
    income = _fen(row, get("income"))
    if columns["income"] != columns["amount"]:
        outgo = _fen(row, get("outgo"))
        if income and outgo:
            raise _wrong(row, "收入和支出都有金额。")
        return income, outgo
    direction = _text(get("direction")).upper()
    if direction in OUT:
        return 0, income
    if direction in IN:
        return income, 0
    raise _wrong(row, f"看不懂借贷标志“{direction[:10]}”。")
