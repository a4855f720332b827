"""One day as an xlsx file: every line of every bill, beside ours, and what was decided about the differences."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

from app.core.clock import shanghai
from app.core.sheet import Value, write_rows
from app.pay.reconciliation import queries
from app.pay.reconciliation.models import Bill, BillRow, Difference
from app.pay.reconciliation.sentences import CHANNELS, DECIDED, FINDINGS, KINDS, SUGGESTIONS

HEADER = (
    "支付平台", "商户", "类型", "我方单号", "对应付款单号", "平台单号", "平台时间", "平台金额（元）",
    "我方金额（元）", "结果", "建议", "处理情况", "处理人", "说明",
)  # fmt: skip


def write(path: Path, day: date, bill_ids: Collection[str] | None = None) -> int:
    """Write the sheet of `day`, of all its bills or of these; gives how many lines it has. A text out of a file is
    never a formula."""
    counted = 0

    def rows() -> Iterator[list[Value]]:
        nonlocal counted
        yield list(HEADER)
        for bill in queries.bills_of(day):
            if bill_ids is not None and bill.id not in bill_ids:
                continue
            for row in _rows(bill):
                counted += 1
                yield row

    write_rows(path, rows(), title=day.isoformat())
    return counted


def _rows(bill: Bill) -> Iterator[list[Value]]:
    found = queries.differences(bill)
    of_line = {row.line_id: row for row in found if row.line_id}
    for line in queries.every_line(bill):
        yield _row(bill, line, of_line.get(line.id))
    for row in found:
        if row.line_id is None:
            yield _row(bill, None, row)


def _row(bill: Bill, line: BillRow | None, about: Difference | None) -> list[Value]:
    kind, number = (line.kind, line.number) if line is not None else (about.kind, about.number) if about else ("", "")
    open_ = about is not None and about.status == "open"
    finding = line.finding if line is not None else about.finding if about and about.status != "settled" else "match"
    return [
        CHANNELS.get(bill.kind, bill.kind),
        bill.merchant,
        KINDS.get(kind, kind),
        number,
        line.payment if line is not None else None,
        line.provider_number if line is not None else None,
        _moment(line.at) if line is not None else None,
        _yuan(line.amount_fen if line is not None else None),
        _yuan(about.our_fen if about is not None and about.status != "settled" else line and line.amount_fen),
        FINDINGS.get(finding or "", "待核对"),
        SUGGESTIONS[about.suggestion] if open_ and about is not None else None,
        DECIDED[about.status] if about is not None else None,
        about.decided_by if about is not None else None,
        about.reason if about is not None else None,
    ]


def _yuan(fen: int | None) -> Decimal | None:
    return None if fen is None else Decimal(fen) / 100


def _moment(at: datetime) -> datetime:
    """Shanghai's clock without a zone: a sheet knows none."""
    return shanghai(at).replace(tzinfo=None)
