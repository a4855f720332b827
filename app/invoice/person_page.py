"""What the invoices add to a person's page."""

from __future__ import annotations

from app.account.person_pages import HISTORY, Entry, PersonPage, Sight, Source, Window
from app.core.money import yuan
from app.invoice.models import Invoice, InvoiceEvent
from app.invoice.status import Status

STATES = {
    Status.WAITING: "等待开具", Status.SENDING: "正在提交", Status.UNKNOWN: "提交结果不明", Status.ISSUING: "开具中",
    Status.ISSUED: "已开出，等待文件", Status.READY: "可以下载", Status.REFUSED: "被拒绝",
    Status.DISPUTED: "与申请不符", Status.CANCELLED: "已取消", Status.REVERSED: "已红冲",
}  # fmt: skip
BAD = (Status.UNKNOWN, Status.REFUSED, Status.DISPUTED, Status.CANCELLED)


def entries(sight: Sight, window: Window) -> list[Entry]:
    """Every step of an invoice, and what made it true."""
    query = (
        InvoiceEvent.select(
            InvoiceEvent,
            Invoice.programme.alias("programme"),
            Invoice.gross_fen.alias("gross_fen"),
            Invoice.order_id.alias("order_id"),
        )
        .join(Invoice, on=(Invoice.id == InvoiceEvent.invoice_id))
        .where(sight.mine(Invoice.person_id), sight.within(Invoice.programme))
        .objects()
    )
    return [
        Entry(
            row.at,
            row.id,
            f"发票{STATES.get(row.after, row.after)}（订单 {row.order_id}，{yuan(row.gross_fen)} 元）",
            evidence=row.evidence,
            tone="good" if row.after == Status.READY else "bad" if row.after in BAD else "plain",
            programme=row.programme,
            who="系统",
        )
        for row in window.of(query, InvoiceEvent.at, InvoiceEvent.id)
    ]


def subjects(sight: Sight) -> dict[str, str]:
    """The invoices."""
    return {f"invoice:{row_id}": "发票" for row_id in sight.latest(Invoice)}


PAGE = PersonPage(
    domain="invoice",
    sources=(Source("invoices", entries, rights=HISTORY),),
    subjects=subjects,
    subjects_for=HISTORY,
    words={
        "invoice.held": "暂缓开票",
        "invoice.released": "放行开票",
        "invoice.retried": "重新提交开票",
        "invoice.accepted": "接受开出的发票",
    },
)
