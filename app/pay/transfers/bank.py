"""The centre's account as a provider of payments: what it knows is what the imported statements say; what it sends,
somebody in finance transfers by hand. It is asked as every other provider is, and answers from our own rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta

from app.cases import service as cases
from app.core.clock import utcnow
from app.core.db import insert_once, transaction
from app.pay.models import Order, PaymentAttempt
from app.pay.providers.protocol import (
    BillLine,
    Forged,
    NoBill,
    Notification,
    PayBy,
    PaymentRequest,
    PaymentTruth,
    RefundRequest,
    RefundState,
    Remittance,
)
from app.pay.status import OrderStatus
from app.pay.transfers.models import Payout, Statement, StatementLine, Transfer
from app.pay.transfers.status import Finding, LineStatus, PayoutStatus, StatementStatus
from app.policy.days import shanghai_day

PAYOUT = "pay.payout"
DAY = timedelta(days=1)


class BankAccount:
    """The account with this number."""

    acknowledgement = ""
    payer_app = None
    web_payer_app = None
    in_order = True

    def __init__(self, number: str):
        self.number = number

    def create(self, request: PaymentRequest) -> PayBy:
        attempt: PaymentAttempt = PaymentAttempt.get(PaymentAttempt.out_trade_no == request.out_trade_no)
        return remittance(attempt)

    def query(self, out_trade_no: str) -> PaymentTruth:
        """Paid by the lines that were applied to it. "absent" only when every day on which it could be paid has been
        imported, and no line is before a person that may pay it: until then nobody knows."""
        attempt: PaymentAttempt = PaymentAttempt.get(PaymentAttempt.out_trade_no == out_trade_no)
        if lines := _applied(attempt):
            return PaymentTruth(
                state="paid",
                out_trade_no=out_trade_no,
                amount_fen=sum(line.applied_fen for line in lines),
                transaction_id=transaction_id(lines[-1]),
            )
        order: Order = Order.get_by_id(attempt.order_id)
        if order.status in (OrderStatus.PAID, OrderStatus.CLOSED):
            return PaymentTruth("closed", out_trade_no)
        closing = order.status == OrderStatus.CLOSING
        told = closing and days_told(attempt, order) and not _in_question(attempt, order)
        return PaymentTruth("absent" if told else "unpaid", out_trade_no)

    def close(self, out_trade_no: str) -> None:
        """Nobody can close an account: what comes late is a case."""

    def refund(self, request: RefundRequest) -> RefundState:
        attempt: PaymentAttempt = PaymentAttempt.get(PaymentAttempt.out_trade_no == request.out_trade_no)
        order: Order = Order.get_by_id(attempt.order_id)
        pay_back(request.amount_fen, order.programme, "system", now=utcnow(), refund_no=request.out_refund_no)
        return self.query_refund(request.out_refund_no, request.out_trade_no)

    def query_refund(self, out_refund_no: str, out_trade_no: str) -> RefundState:
        payout = Payout.get_or_none(Payout.refund_no == out_refund_no)
        if payout is None:
            return "absent"
        return "succeeded" if payout.status == PayoutStatus.SENT else "processing"

    def verify_notification(self, headers: Mapping[str, str], body: bytes, now: datetime) -> Notification:
        raise Forged("a bank sends none")

    def bill(self, day: date) -> Iterator[BillLine]:
        raise NoBill("a bank's statement is imported by hand")


def remittance(attempt: PaymentAttempt) -> Remittance:
    """What whoever pays this attempt writes on the transfer."""
    transfer: Transfer = Transfer.get(Transfer.attempt_id == attempt.id)
    return Remittance(transfer.code, transfer.account_name, transfer.bank, attempt.authority)


def transaction_id(line: StatementLine) -> str:
    """What a payment that this line made, or completed, is called."""
    return f"{line.day}/{line.number}"


def _applied(attempt: PaymentAttempt) -> list[StatementLine]:
    mine = (StatementLine.attempt_id == attempt.id) & (StatementLine.applied_fen > 0)
    lines = list(StatementLine.select().where(mine))
    return sorted(lines, key=lambda line: transaction_id(line) == attempt.transaction_id)


def _in_question(attempt: PaymentAttempt, order: Order) -> bool:
    """Whether a line is undecided that may still pay this attempt: the whole amount came under another name, or too
    much; or nobody knows yet whose money it is that came to the account in time. Too little alone does not hold an
    order open."""
    first, last = _days(attempt, order)
    mine = StatementLine.attempt_id == attempt.id
    mine &= StatementLine.status.in_((LineStatus.OPEN, LineStatus.HELD))
    mine &= StatementLine.finding.in_((Finding.PAYER, Finding.OVER))
    nobodys = StatementLine.attempt_id.is_null() & (StatementLine.account == attempt.authority)
    nobodys &= StatementLine.status.in_((LineStatus.NEW, LineStatus.OPEN)) & (StatementLine.amount_fen > 0)
    nobodys &= (StatementLine.day >= first.isoformat()) & (StatementLine.day <= last.isoformat())
    return any(StatementLine.select(StatementLine.id).where(which).exists() for which in (mine, nobodys))


def _days(attempt: PaymentAttempt, order: Order) -> tuple[date, date]:
    """The first and the last day (Shanghai) on which it can be paid."""
    return shanghai_day(attempt.created_at), shanghai_day(order.expires_at)


def days_told(attempt: PaymentAttempt, order: Order) -> bool:
    """Whether the statements of every day are there on which this attempt could be paid."""
    return covered(attempt.authority, *_days(attempt, order))


def covered(account: str, first: date, last: date) -> bool:
    """Whether statements that were taken in tell of each of these days, and were made when it was over."""
    return len(_told(account, first, last)) == (last - first).days + 1


def _told(account: str, first: date, last: date) -> set[date]:
    there: set[date] = set()
    taken = Statement.select().where(Statement.account == account, Statement.status == StatementStatus.TAKEN)
    for statement in taken.where(Statement.last_day >= first.isoformat()):
        day = max(first, date.fromisoformat(statement.first_day))
        while day <= min(last, _over(statement), date.fromisoformat(statement.last_day)):
            there.add(day)
            day += DAY
    return there


def _over(statement: Statement) -> date:
    """The last day (Shanghai) that was over when it was uploaded."""
    return shanghai_day(statement.uploaded_at) - DAY


def newly_told(draft: Statement, first: date, last: date) -> list[date]:
    """Of which days nothing is told yet, and would be once this draft is taken in as telling of `first` to `last`."""
    there = _told(draft.account, first, last)
    days = (first + DAY * number for number in range((min(last, _over(draft)) - first).days + 1))
    return [day for day in days if day not in there]


def pay_back(
    amount_fen: int,
    programme: str,
    actor: str,
    *,
    now: datetime,
    line_id: str | None = None,
    refund_no: str | None = None,
) -> None:
    """Somebody is to transfer this back: once for a line or a refund, and before a person until it is done."""
    with transaction():
        fresh = insert_once(
            Payout,
            line_id=line_id,
            refund_no=refund_no,
            programme=programme,
            amount_fen=amount_fen,
            status=PayoutStatus.REQUESTED,
            requested_by=actor,
            requested_at=now,
        )
        if fresh:
            of = Payout.refund_no == refund_no if refund_no else Payout.line_id == line_id
            payout = Payout.get(of)
            facts: dict[str, str | int | None] = {"amount_fen": amount_fen, "refund_no": refund_no, "line": line_id}
            cases.file(PAYOUT, f"payout:{payout.id}", facts, programme=programme, now=now)
