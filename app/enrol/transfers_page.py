"""What bank transfers add to a person's page. An organisation pays so for many people at once, and a person for
themselves: it is on the page of each whose enrolment the order pays, which the orders themselves do not know."""

from __future__ import annotations

from typing import Any

from app.account.person_pages import HISTORY, Entry, PersonPage, Sight, Source, Window
from app.core.crypto import mask_name
from app.core.money import yuan
from app.enrol import queries
from app.pay.models import Order, OrderLine, PaymentAttempt, Refund
from app.pay.transfers.models import Payout, StatementLine, Transfer
from app.pay.transfers.status import LineStatus, PayoutStatus
from app.pay.transfers.words import FINDINGS, LINES

PERSONS_NAME = 4  # characters: longer names are firms'


def _theirs(sight: Sight) -> Any:
    """The condition on orders that pay an enrolment of the person's."""
    rows = sight.once("enrolments", lambda: queries.of_people(sight.person_ids, sight.programmes))
    paying = OrderLine.select(OrderLine.order_id).where(OrderLine.sku.in_([queries.sku(row.id) for row in rows]))
    return sight.within(Order.programme) & Order.id.in_(paying)


def told(sight: Sight, window: Window) -> list[Entry]:
    """The transfers that somebody chose, with the code that stands in the remark."""
    query = (
        Transfer.select(
            Transfer,
            Order.id.alias("order_id"),
            Order.programme.alias("programme"),
            Order.person_id.alias("person_id"),
        )
        .join(PaymentAttempt, on=(PaymentAttempt.id == Transfer.attempt_id))
        .join(Order, on=(Order.id == PaymentAttempt.order_id))
        .where(_theirs(sight))
        .objects()
    )
    return [
        Entry(
            row.created_at,
            row.id,
            f"选择对公转账（订单 {row.order_id}），附言码 {row.code}",
            evidence=f"登记的付款户名 {_payer(row.payer_name)}",
            programme=row.programme,
            who="学员" if row.person_id else "单位",
        )
        for row in window.of(query, Transfer.created_at, Transfer.id)
    ]


def _payer(name: str) -> str:
    return (mask_name(name) or "") if len(name) <= PERSONS_NAME else name


def came(sight: Sight, window: Window) -> list[Entry]:
    """What the bank's statements say came in for the person's orders."""
    query = (
        StatementLine.select(StatementLine, Order.id.alias("order_id"), Order.programme.alias("programme"))
        .join(PaymentAttempt, on=(PaymentAttempt.id == StatementLine.attempt_id))
        .join(Order, on=(Order.id == PaymentAttempt.order_id))
        .where(_theirs(sight), StatementLine.taken_at.is_null(False))
        .objects()
    )
    return [
        Entry(
            row.taken_at,
            row.id,
            f"银行来款 {yuan(row.amount_fen)} 元（订单 {row.order_id}）：{LINES.get(row.status, row.status)}",
            evidence=f"{row.day} 流水号 {row.number}" + (f"，{FINDINGS[row.finding]}" if row.finding else ""),
            tone="good" if row.status == LineStatus.SETTLED else "bad" if row.status == LineStatus.OPEN else "plain",
            programme=row.programme,
            who="系统",
        )
        for row in window.of(query, StatementLine.taken_at, StatementLine.id)
    ]


def _lines(sight: Sight) -> Any:
    return (
        StatementLine.select(StatementLine.id)
        .join(PaymentAttempt, on=(PaymentAttempt.id == StatementLine.attempt_id))
        .join(Order, on=(Order.id == PaymentAttempt.order_id))
        .where(_theirs(sight))
    )


def _payouts(sight: Sight) -> Any:
    """The condition on what goes back of the person's orders: of a line, or of a refund."""
    refunds = Refund.select(Refund.out_refund_no).join(Order, on=(Order.id == Refund.order_id)).where(_theirs(sight))
    return Payout.line_id.in_(_lines(sight)) | Payout.refund_no.in_(refunds)


def back(sight: Sight, window: Window) -> list[Entry]:
    """What finance has to transfer back."""
    rows = window.of(Payout.select().where(_payouts(sight)), Payout.requested_at, Payout.id)
    return [
        Entry(
            row.requested_at,
            row.id,
            f"安排转账退回 {yuan(row.amount_fen)} 元",
            evidence=f"已退，银行流水号 {row.reference}" if row.status == PayoutStatus.SENT else "等财务转账",
            tone="good" if row.status == PayoutStatus.SENT else "bad",
            programme=row.programme,
            who=row.requested_by,
        )
        for row in rows
    ]


def subjects(sight: Sight) -> dict[str, str]:
    """Lines and payouts: what was done about them stands in the audit log."""
    lines = [row_id for (row_id,) in _lines(sight).order_by(StatementLine.id.desc()).limit(100).tuples()]
    payouts = Payout.select(Payout.id).where(_payouts(sight)).order_by(Payout.id.desc()).limit(100).tuples()
    return {f"line:{row_id}": "" for row_id in lines} | {f"payout:{row_id}": "" for (row_id,) in payouts}


PAGE = PersonPage(
    domain="transfers",
    sources=(
        Source("transfers", told, rights=HISTORY),
        Source("transfers_in", came, rights=HISTORY),
        Source("transfers_back", back, rights=HISTORY),
    ),
    subjects=subjects,
    subjects_for=HISTORY,
    words={
        "transfer.settled": "来款入账",
        "transfer.open": "来款交人工处理",
        "transfer.held": "来款不足，等付款方补足",
        "transfer.returned": "来款退回",
        "transfer.aside": "来款与本系统无关",
        "transfer.payer_named": "修改付款户名",
        "transfer.given_up": "放弃对公转账",
        "payout.sent": "财务已转账退回",
    },
    silent=("transfer.new", "transfer.repeated"),
)
