"""What finance sees of a line of income: the line, its order, what a decision would make of it and has made of it."""

from __future__ import annotations

from app.cases import kinds
from app.cases.kinds import Deed, Evidence, Fact
from app.cases.models import Case
from app.core.money import yuan
from app.pay.models import Order, OrderLine, PaymentAttempt
from app.pay.transfers import codes, matching, queries
from app.pay.transfers.ledger import KIND_OF
from app.pay.transfers.models import Statement, StatementLine, Transfer
from app.pay.transfers.status import Finding, LineStatus
from app.pay.transfers.words import FINDINGS, LINES
from app.policy.days import shanghai_day

SUGGESTED = 5


def row_of(case: Case) -> str:
    """The row that a case is about."""
    return str(case.subject.partition(":")[2])


def money(fen: int) -> str:
    """Fen as it is shown."""
    return f"{yuan(fen)} 元"


def line_evidence(case: Case) -> Evidence:
    """The line, the order that it was meant for, or those that it might be for."""
    line: StatementLine = StatementLine.get_by_id(row_of(case))
    facts = [
        Fact("原因", FINDINGS.get(line.finding, line.finding), bad=True),
        Fact("来款金额", money(line.amount_fen)),
        *of_line(line),
        Fact("状态", LINES[line.status]),
    ]
    if line.attempt_id is not None:
        attempt: PaymentAttempt = PaymentAttempt.get_by_id(line.attempt_id)
        return Evidence((*facts, *_of_order(attempt, line), *_parted(attempt, line)))
    return Evidence((*facts, *_suggested(line)))


def of_line(line: StatementLine) -> tuple[Fact, ...]:
    """Who paid, with which words, when."""
    return (
        Fact("付款方", f"{line.payer_name or '不详'}，账号 {line.payer_account or '不详'}"),
        Fact("附言", line.remark or "无"),
        Fact("入账日", f"{line.day}，流水号 {line.number}"),
    )


def _of_order(attempt: PaymentAttempt, line: StatementLine) -> tuple[Fact, ...]:
    order: Order = Order.get_by_id(attempt.order_id)
    transfer: Transfer = Transfer.get(Transfer.attempt_id == attempt.id)
    came = _came(attempt, line)
    sold = OrderLine.select().where(OrderLine.order_id == order.id).order_by(OrderLine.id)
    words = {"pending": "等待转账", "closing": "已到期，等对账单或待处理的来款", "paid": "已支付", "closed": "已关闭"}
    return (
        Fact("订单", f"{order.id}（{words[order.status]}）"),
        Fact("订单内容", "、".join(one.title for one in sold)),
        Fact("订单金额", money(order.amount_fen)),
        Fact("此前已收", money(came)),
        _registered(transfer.payer_name, line.payer_name),
        Fact("附言码", codes.shown(transfer.code)),
        Fact("转账截止", f"{shanghai_day(order.expires_at)}"),
    )


def _registered(named: str, told: str) -> Fact:
    if codes.same_payer(named, told):
        return Fact("登记的付款户名", named)
    return Fact("登记的付款户名", f"{named}，与来款的付款方 {told or '不详'} 不同", bad=True)


def _came(attempt: PaymentAttempt, line: StatementLine) -> int:
    """What came for the order before, without this line."""
    return sum(part.amount_fen for part in queries.parts(attempt.id) if part.id != line.id)


def _parted(attempt: PaymentAttempt, line: StatementLine) -> tuple[Fact, ...]:
    """Of more than the order asks for: what would be kept, and what would go back."""
    all_, rest = _together(attempt, line)
    if line.finding != Finding.OVER or line.status != LineStatus.OPEN or rest <= 0:
        return ()
    return (
        Fact("来款合计", money(all_)),
        Fact("照收时入账", money(attempt.amount_fen)),
        Fact("照收时退回", money(rest), bad=True),
    )


def _together(attempt: PaymentAttempt, line: StatementLine) -> tuple[int, int]:
    """All that came for the order with this line, and how much more than the order that is."""
    all_ = _came(attempt, line) + line.amount_fen
    return all_, all_ - attempt.amount_fen


def placed(line_id: str, typed: str | None) -> tuple[Fact, ...]:
    """What would follow if a line were given to the order with the code that was `typed`, or to its own."""
    line: StatementLine = StatementLine.get_by_id(line_id)
    code = codes.read(typed) if typed is not None else queries.codes_of([line.attempt_id]).get(line.attempt_id)
    transfer = queries.with_code(code, line.account) if code is not None else None
    if transfer is None:
        return (Fact("同意后", "没有这个附言码，不能执行，请退回重办", bad=True),)
    attempt: PaymentAttempt = PaymentAttempt.get_by_id(transfer.attempt_id)
    order = _of_order(attempt, line) if typed is not None else ()  # its own is beside it already
    return (*order, _would_be(attempt, line))


def _would_be(attempt: PaymentAttempt, line: StatementLine) -> Fact:
    order: Order = Order.get_by_id(attempt.order_id)
    all_, rest = _together(attempt, line)
    due, came = attempt.amount_fen, all_ - line.amount_fen
    finding = matching.judge(line.amount_fen, due, came, order.status, same_payer=True)
    if finding == Finding.EXACT:
        also = f"，此前已收的 {money(came)}待处理" if came and line.amount_fen == due else ""
        return Fact("同意后", f"入账 {money(due)}，订单付清{also}")
    if finding == Finding.SHORT:
        return Fact("同意后", f"不入账，转为“来款金额不足”：合计 {money(all_)}，还差 {money(-rest)}", bad=True)
    if finding == Finding.OVER:
        return Fact("同意后", f"不入账，转为“来款金额多了”：合计 {money(all_)}，多 {money(rest)}", bad=True)
    return Fact("同意后", "订单已支付或已关闭，不能执行，请退回重办", bad=True)


def became(deed: Deed) -> str:
    """What a line that was given to an order has become."""
    line: StatementLine = StatementLine.get_by_id(row_of(deed.case))
    if line.status == LineStatus.SETTLED:
        back = f"，{money(line.back_fen)}转到“对公转账待退款”" if line.back_fen else ""
        return f"已复核并执行：来款入账 {money(line.applied_fen)}，订单已付清{back}。"
    kind = kinds.of(KIND_OF[Finding(line.finding)])
    title = kind.title if kind is not None else FINDINGS[line.finding]
    return f"已复核，还没有入账：这笔来款 {money(line.amount_fen)}转到“{title}”，等待处理。"


def _suggested(line: StatementLine) -> list[Fact]:
    """Waiting orders of this amount or this payer: to compare, nothing more."""
    found = []
    for row in queries.waiting({Statement.get_by_id(line.statement_id).programme}):
        payer = codes.same_payer(row.transfer.payer_name, line.payer_name)
        if row.attempt.authority == line.account and (payer or row.order.amount_fen == line.amount_fen):
            why = "户名相同" if payer else "金额相同"
            said = f"{codes.shown(row.transfer.code)}，{money(row.order.amount_fen)}，{row.transfer.payer_name}"
            found.append(Fact(f"可能的订单（{why}）", said))
    return found[:SUGGESTED]
