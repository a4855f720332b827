"""What the payments add to a person's page: every step of an order with the provider's evidence, and the question to
the provider when somebody has paid and their order says otherwise."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from app.account.person_pages import HISTORY, Entry, Finder, Help, Offer, PersonPage, Plea, Sight, Source, Window
from app.core.clock import shanghai
from app.core.money import yuan
from app.core.staff import Reason
from app.pay import decisions
from app.pay.case_kinds import STATUSES
from app.pay.channels import ONLINE
from app.pay.models import Order, PaymentAttempt, PaymentEvent, Refund
from app.pay.queries import CHANNEL_TITLES
from app.pay.status import OPEN_ATTEMPTS, AttemptStatus, OrderStatus
from app.pay.transfers import queries as transfers
from app.pay.transfers.words import waits_words

RECENT = timedelta(days=90)  # for how long providers answer about a payment
WHAT = {"order": "订单", "attempt": "支付", "refund": "退款"}
BAD = ("unknown", "disputed", "failed", "closed")
ASKED = (Reason("paid", "学员说已经付款，订单仍显示未支付。"),)


def _by_number(text: str, programmes: Collection[str] | None, limit: int) -> list[str]:
    """By an order's id, or our or the provider's number of a payment, as the payer's phone shows it."""
    number = text.strip()
    if not 8 <= len(number) <= 64 or not number.isascii():
        return []
    payments = PaymentAttempt.select(PaymentAttempt.order_id)
    orders = {number.lower()}
    for same in (PaymentAttempt.out_trade_no == number, PaymentAttempt.transaction_id == number):
        orders |= {order_id for (order_id,) in payments.where(same).limit(limit).tuples()}
    query = Order.select(Order.person_id).where(Order.id.in_(orders), Order.person_id.is_null(False))
    if programmes is not None:
        query = query.where(Order.programme.in_(list(programmes)))
    return [person_id for (person_id,) in query.limit(limit).tuples()]


def entries(sight: Sight, window: Window) -> list[Entry]:
    """Every change of an order, a payment, a refund, and what made it true."""
    query = (
        PaymentEvent.select(PaymentEvent, Order.programme.alias("programme"), Order.amount_fen.alias("amount_fen"))
        .join(Order, on=(Order.id == PaymentEvent.order_id))
        .where(sight.mine(Order.person_id), sight.within(Order.programme))
        .objects()
    )
    return [
        Entry(
            row.at,
            row.id,
            f"{WHAT.get(row.kind, row.kind)}：{STATUSES.get(row.after, row.after)}"
            f"（订单 {row.order_id}，{yuan(row.amount_fen)} 元）",
            evidence=_evidence(row.evidence),
            tone="good" if row.after in ("paid", "succeeded") else "bad" if row.after in BAD else "plain",
            programme=row.programme,
            who="系统",
        )
        for row in window.of(query, PaymentEvent.at, PaymentEvent.id)
    ]


def _evidence(text: str) -> str:
    """What made it true, as a payer can read it out: the provider's number, or our own mark."""
    kind, _, number = text.partition(":")
    return f"平台流水号 {number}" if kind == "transaction" and number else f"依据 {text}" if text else ""


def made(sight: Sight, window: Window) -> list[Entry]:
    """The orders as they were made."""
    query = Order.select().where(sight.mine(Order.person_id), sight.within(Order.programme))
    return [
        Entry(
            row.created_at,
            row.id,
            f"下单 {row.id}，{yuan(row.amount_fen)} 元，{shanghai(row.expires_at):%m-%d %H:%M} 前支付有效",
            programme=row.programme,
            who="学员",
        )
        for row in window.of(query, Order.created_at, Order.id)
    ]


def _in_doubt(sight: Sight, now: datetime) -> list[Offer]:
    """Payments that may have the money although their order is not paid by it. Not transfers: of those the answer is
    only whether a statement was imported, and not that nobody paid."""
    query = (
        PaymentAttempt.select(PaymentAttempt, Order.programme.alias("programme"), Order.status.alias("order_status"))
        .join(Order, on=(Order.id == PaymentAttempt.order_id))
        .where(
            sight.mine(Order.person_id),
            sight.within(Order.programme),
            PaymentAttempt.channel.in_(list(ONLINE)),
            PaymentAttempt.created_at > now - RECENT,
            PaymentAttempt.status.in_((*OPEN_ATTEMPTS, AttemptStatus.CLOSED)),
            Order.status != OrderStatus.PAID,
        )
        .order_by(PaymentAttempt.created_at.desc())
        .limit(10)
        .objects()
    )
    return [
        Offer(
            row.id,
            f"订单 {row.order_id}，{yuan(row.amount_fen)} 元，{CHANNEL_TITLES.get(row.channel, row.channel)}",
            f"订单{STATUSES.get(row.order_status, row.order_status)}，支付{STATUSES.get(row.status, row.status)}，"
            f"商户单号 {row.out_trade_no}",
            row.programme,
        )
        for row in query
    ]


def _ask(plea: Plea) -> str:
    decisions.ask_again(plea.offer.target, reason=plea.words, actor=plea.staff.actor, now=plea.now)
    attempt = PaymentAttempt.get_by_id(plea.offer.target)
    order = Order.get_by_id(attempt.order_id)
    if order.status == OrderStatus.PAID:
        return "平台确认已收款：订单已支付，课程已开通，学员刷新首页就能学习。"
    if attempt.status == AttemptStatus.DISPUTED:
        return "平台收到的款与订单不符，已转财务处理，请告诉学员不要再付一次。"
    if Refund.select(Refund.id).where(Refund.attempt_id == attempt.id).exists():
        return "平台确认已收款，但订单早已关闭：款项正原路退回，学员可以重新下单。"
    last = transfers.waits_until(order)
    if last is not None:
        return f"这笔支付平台没有收到款。{waits_words(last)}，请学员不要用其他方式再付。"
    return "平台答复没有收到这笔款，学员可以重新支付；若银行已扣款，请学员提供扣款凭证。"


def subjects(sight: Sight) -> dict[str, str]:
    """Orders, payments and refunds."""
    orders = sight.latest(Order)
    found = {f"order:{row_id}": f"订单 {row_id}" for row_id in orders}
    payments = PaymentAttempt.select(PaymentAttempt.id).where(PaymentAttempt.order_id.in_(orders)).tuples()
    refunds = Refund.select(Refund.id).where(Refund.order_id.in_(orders)).tuples()
    return (
        found
        | {f"attempt:{row_id}": "支付" for (row_id,) in payments}
        | {f"refund:{row_id}": "退款" for (row_id,) in refunds}
    )


PAGE = PersonPage(
    domain="pay",
    sources=(Source("payments", entries, rights=HISTORY), Source("orders", made, rights=HISTORY)),
    subjects=subjects,
    subjects_for=HISTORY,
    helps=(
        Help(
            "pay.ask",
            "现在就问支付平台",
            _in_doubt,
            _ask,
            reasons=ASKED,
            told="确认收款后，学员会收到缴费成功的短信。",
            outside=True,
        ),
    ),
    finders=(Finder("订单号、商户单号或交易单号", _by_number),),
    words={
        "payment.given_back": "原路退回",
        "payment.dismissed": "结束争议",
        "payment.asked_again": "再次查询支付平台",
        "payment.refunded": "协商退款",
        "refund.retried": "重新发起退款",
        "refund.left": "不再退款，已用其他方式退回",
    },
)
