"""Made-up bank statements, as the banks hand them out: for the journey, the tests, and for trying it by hand."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from app.core.money import yuan
from app.core.sheet import Value, write_rows


@dataclass(frozen=True)
class Line:
    """One line: income, or with `out` money that went."""

    number: str
    day: date
    amount_fen: int
    payer: str = "云南某建筑工程有限公司"
    account: str = "53050161123600000888"
    remark: str = ""
    out: bool = False


COLUMNS = (
    "交易日期",
    "交易流水号",
    "借方发生额（元）",
    "贷方发生额（元）",
    "余额",
    "对方户名",
    "对方账号",
    "摘要",
    "附言",
)
OTHERS = ("交易时间", "日志号", "借贷标志", "交易金额", "对方账号", "对方名称", "用途", "备注")


def rows(account: str, lines: Sequence[Line]) -> list[list[Value]]:
    """A statement with income and outgo in a column each, the account above its table and totals below."""
    made: list[list[Value]] = [["账号：", account], ["币种：人民币"], list(COLUMNS)]
    for line in lines:
        out, income = (yuan(line.amount_fen), "") if line.out else ("", f"{line.amount_fen / 100:,.2f}")
        made.append(
            [f"{line.day:%Y%m%d}", line.number, out, income, "", line.payer, line.account, "转账", line.remark]
        )
    return [*made, ["合计", "", "", yuan(sum(line.amount_fen for line in lines if not line.out))]]


def other_rows(lines: Sequence[Line]) -> list[list[Value]]:
    """A statement of another bank: one column of amounts, and one that says which way."""
    made: list[list[Value]] = [list(OTHERS)]
    for line in lines:
        way, moment = "借" if line.out else "贷", f"{line.day:%Y-%m-%d} 10:11:12"
        made.append([moment, line.number, way, yuan(line.amount_fen), line.account, line.payer, line.remark, ""])
    return made


def write(path: Path, account: str, lines: Sequence[Line]) -> None:
    """An xlsx, or a CSV in GB18030 as banks write it, after the name of `path`."""
    if path.suffix == ".xlsx":
        write_rows(path, rows(account, lines))
        return
    text = io.StringIO()
    csv.writer(text).writerows(other_rows(lines))
    path.write_bytes(text.getvalue().encode("gb18030"))
