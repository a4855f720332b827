"""What finance decides about payments. Money that came late or twice goes back by itself: a case comes up only where
that does not succeed, or where what the provider says does not fit, or says nothing for too long."""

from __future__ import annotations

import json

from app.cases.kinds import Decision, Deed, Evidence, Fact, Kind, noted
from app.cases.models import Case
from app.core.clock import shanghai
from app.core.money import yuan
from app.core.staff import Right
from app.pay import decisions, refunds
from app.pay.models import Order, PaymentAttempt, PaymentEvent, Refund
from app.pay.queries import CHANNEL_TITLES

STATUSES = {
    "pending": "待支付", "closing": "关闭中", "paid": "已支付", "closed": "已关闭", "created": "已发起",
    "waiting": "等待支付", "unknown": "结果不明", "disputed": "有争议", "returned": "已退回", "requested": "已申请",
    "processing": "退款中", "succeeded": "已到账", "failed": "失败", "elsewhere": "已用其他方式退回",
}  # fmt: skip
WRONG = {
    "merchant": "收款商户不是我们", "number": "订单号不符", "currency": "币种不符", "amount": "金额不符",
    "transaction": "没有平台流水号",
}  # fmt: skip
REFUNDS = {"late": "订单关闭后才到账", "double": "重复支付", "disputed": "与订单不符", "agreed": "协商退款"}


def _money(fen: int | None) -> str:
    return "不详" if fen is None else f"{yuan(fen)} 元"


def _id(case: Case) -> str:
    """The row that a case is about."""
    return str(case.subject.partition(":")[2])


def _of_order(order: Order) -> tuple[Fact, ...]:
    events = PaymentEvent.select().where(PaymentEvent.order_id == order.id).order_by(PaymentEvent.id)
    what = {"order": "订单", "attempt": "支付", "refund": "退款"}
    return (
        Fact("订单", f"{order.id}（{STATUSES.get(order.status, order.status)}）"),
        Fact("订单金额", _money(order.amount_fen)),
        *(
            Fact(
                f"{shanghai(event.at):%m-%d %H:%M:%S}",
                f"{what[event.kind]}：{STATUSES.get(event.before, event.before)} → "
                f"{STATUSES.get(event.after, event.after)}，依据 {event.evidence}",
            )
            for event in events
        ),
    )


def _of_attempt(attempt: PaymentAttempt) -> tuple[Fact, ...]:
    return (
        Fact("支付方式", CHANNEL_TITLES.get(attempt.channel, attempt.channel)),
        Fact("商户单号", attempt.out_trade_no),
        Fact("平台流水号", attempt.transaction_id or "无"),
        Fact("支付状态", STATUSES.get(attempt.status, attempt.status)),
    )


def attempt_evidence(case: Case) -> Evidence:
    """A payment, its order, and what happened to both."""
    attempt: PaymentAttempt = PaymentAttempt.get_by_id(_id(case))
    facts, told = [], json.loads(case.facts)
    if "wrong" in told:
        facts = [
            Fact("不符之处", WRONG.get(told["wrong"], told["wrong"]), bad=True),
            Fact("应收", _money(told["asked_fen"])),
            Fact("平台称已收", _money(told["paid_fen"]), bad=told["asked_fen"] != told["paid_fen"]),
            Fact("平台所说的流水号", told["transaction"] or "无"),
        ]
    return Evidence((*facts, *_of_attempt(attempt), *_of_order(Order.get_by_id(attempt.order_id))))


def refund_evidence(case: Case) -> Evidence:
    """A refund, why the money goes back, and what happened."""
    refund: Refund = Refund.get_by_id(_id(case))
    attempt: PaymentAttempt = PaymentAttempt.get_by_id(refund.attempt_id)
    code = json.loads(case.facts).get("code")
    facts = [
        Fact("退款原因", REFUNDS.get(refund.reason, refund.reason), bad=True),
        Fact("退款金额", _money(refund.amount_fen)),
        Fact("退款单号", refund.out_refund_no),
        Fact("退款状态", STATUSES.get(refund.status, refund.status)),
        Fact("已尝试", f"{refund.tries} 次"),
    ]
    if code:
        facts.insert(1, Fact("平台拒绝代码", code, bad=True))
    return Evidence((*facts, *_of_attempt(attempt), *_of_order(Order.get_by_id(refund.order_id))))


def number_evidence(case: Case) -> Evidence:
    """A notification about a number that we do not have."""
    merchant = json.loads(case.facts)["merchant"]
    return Evidence((Fact("商户单号", _id(case), bad=True), Fact("通知来自", merchant)))


def _give_back(deed: Deed) -> None:
    decisions.give_back(_id(deed.case), reason=deed.words, actor=deed.actor, now=deed.now)


def _dismiss(deed: Deed) -> None:
    decisions.dismiss(_id(deed.case), reason=deed.words, actor=deed.actor, now=deed.now)


def _lay_aside(deed: Deed) -> None:
    decisions.require_no_dispute(_id(deed.case))


def _ask(deed: Deed) -> None:
    decisions.ask_again(_id(deed.case), reason=deed.words, actor=deed.actor, now=deed.now)


def _retry(deed: Deed) -> None:
    decisions.retry_refund(_id(deed.case), reason=deed.words, actor=deed.actor, now=deed.now)


def _leave(deed: Deed) -> None:
    decisions.leave_refund(_id(deed.case), reason=deed.words, actor=deed.actor, now=deed.now)


LEAVE = Decision("elsewhere", "已用其他方式退回，系统不再退", _leave, note_needed=True, outside=True)

KINDS = (
    Kind(
        name="pay.mismatch",
        title="支付与订单不符",
        what="支付平台确认收到的款与订单不符，没有开通任何内容。款若已到我们账上，应原路退回；没有到账，可结束争议。",
        right=Right.FINANCE,
        working_days=1,
        evidence=attempt_evidence,
        decisions=(
            Decision("give_back", "全额原路退回", _give_back, tone="bad", second_look=True, outside=True),
            Decision("dismiss", "款未到账，结束争议", _dismiss, note_needed=True, outside=True),
            Decision("counted", "这笔早已正常入账，核实后结案", _lay_aside, note_needed=True),
        ),
    ),
    Kind(
        name="pay.unknown_for_long",
        title="支付结果长时间不明",
        what="一笔支付超过一天没有得到平台的答复。请再查询一次；平台有答复后，系统按答复自动处理。",
        right=Right.FINANCE,
        working_days=1,
        evidence=attempt_evidence,
        decisions=(
            Decision("ask", "再向平台查询一次", _ask, tone="good", outside=True),
            noted(label="已在平台后台核实，结案"),
        ),
    ),
    Kind(
        name="pay.unknown_number",
        title="平台通知了未知订单",
        what="支付平台通知了一个我们没有的商户单号。请在平台后台核实这笔款的来源。",
        right=Right.FINANCE,
        evidence=number_evidence,
        decisions=(noted(label="已核实，结案"),),
    ),
    Kind(
        name="pay.refund_refused",
        title="退款被平台拒绝",
        what="退款（迟到或重复的支付）被平台拒绝，常见原因是商户余额不足。系统会按同一退款单号继续尝试。",
        right=Right.FINANCE,
        working_days=1,
        evidence=refund_evidence,
        decisions=(
            Decision("wait", "原因已排除，等待到账", tone="good", closes=False),
            LEAVE,
        ),
    ),
    Kind(
        name=refunds.SLOW,
        title="退款长时间没有结果",
        what="一笔退款申请一天后平台还没有回答，或平台受理十天后还没有到账。请到平台商户后台核对；系统会继续查询，到账后自动结案。",
        right=Right.FINANCE,
        working_days=1,
        evidence=refund_evidence,
        decisions=(
            noted("wait", "已联系平台，继续等待（一周后没有到账会再提醒）"),
            LEAVE,
        ),
    ),
    Kind(
        name="pay.refund_failed",
        title="退款失败",
        what="平台确认退款失败。重新发起会使用同一退款单号，不会退两次；到账后自动结案。",
        right=Right.FINANCE,
        working_days=1,
        evidence=refund_evidence,
        decisions=(
            Decision("retry", "重新发起退款", _retry, tone="good", closes=False),
            LEAVE,
        ),
    ),
)
