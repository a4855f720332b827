"""WeChat Pay's trade bill: each field behind a backtick, yuan, a line of totals at the end.

Source: docs/providers.md, WeChat Pay v3, trade bill.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TextIO

from app.pay.providers.bill_file import Row, columns, fen, moment
from app.pay.providers.protocol import BillLine, RefundState, Unknown

TOTALS = "总交易单数"
NEEDED = (
    "交易时间", "商户号", "微信订单号", "商户订单号", "交易状态", "货币种类",
    "微信退款单号", "商户退款单号", "退款状态", "订单金额", "申请退款金额",
)  # fmt: skip
_REFUNDS: dict[str, RefundState] = {"SUCCESS": "succeeded", "PROCESSING": "processing"}


def _cells(line: str) -> list[str]:
    # not by the comma alone: a title may hold one, and nothing is quoted
    return [cell.strip() for cell in line.strip().removeprefix("`").split(",`")]


def _names(line: str) -> list[str]:
    return [name.strip() for name in line.split(",")]


def rows(text: TextIO, mchid: str) -> Iterator[Row]:
    """The rows of a bill. Raises `Unknown` where it is not one of this merchant's, or its totals say that something
    is missing."""
    names = _names(next(text, "").removeprefix("\ufeff"))
    count = paid = back = 0
    for line in text:
        if line.startswith(TOTALS):
            break
        if not line.startswith("`"):
            raise Unknown("a bill of another form")
        row = columns(names, _cells(line), NEEDED)
        if row["商户号"] != mchid:
            raise Unknown("another merchant's bill")
        if row["货币种类"] != "CNY":
            raise Unknown("a bill in another currency")
        count += 1
        paid += fen(row["订单金额"])
        back += fen(row["申请退款金额"])
        yield row
    else:
        raise Unknown("a bill without its totals")
    totals = columns(_names(line), _cells(next(text, "")), (TOTALS, "订单总金额", "申请退款总金额"))
    said = (int(totals[TOTALS]), fen(totals["订单总金额"]), fen(totals["申请退款总金额"]))
    if said != (count, paid, back):
        raise Unknown("a bill that is not complete")


def line_of(row: Row) -> BillLine:
    """The line of a row. Raises `ValueError`, `KeyError`."""
    payment, at = row["商户订单号"], moment(row["交易时间"])
    if row["交易状态"] == "SUCCESS":
        return BillLine("payment", payment, payment, row["微信订单号"], fen(row["订单金额"]), at)
    if row["交易状态"] != "REFUND":
        raise ValueError(row["交易状态"])
    return BillLine(
        "refund",
        row["商户退款单号"],
        payment,
        row["微信退款单号"],
        fen(row["申请退款金额"]),
        at,
        _REFUNDS.get(row["退款状态"], "failed"),
    )
