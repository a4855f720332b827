"""What statuses and findings of transfers are called on screens."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta


def waits_words(last: date) -> str:
    """Of an order that waits for a transfer: what for, and until when."""
    return f"订单在等对公转账，{last.month} 月 {last.day} 日前到账有效，财务导入当天的对账单后自动确认"


def days_words(days: Sequence[date]) -> str:
    """How many days these are, and which: '5 天：2026-03-01 至 2026-03-04、2026-03-09'."""
    spans: list[list[date]] = []
    for day in days:
        if spans and day - spans[-1][-1] == timedelta(days=1):
            spans[-1].append(day)
        else:
            spans.append([day])
    said = (f"{span[0]} 至 {span[-1]}" if len(span) > 1 else f"{span[0]}" for span in spans)
    return f"{len(days)} 天：{'、'.join(said)}" if days else "0 天"


FINDINGS = {
    "exact": "附言码和金额一致",
    "no_code": "附言里没有附言码",
    "slip": "附言码写错了一位或少写",
    "unknown": "没有这个附言码",
    "several": "附言里有几个附言码",
    "payer": "付款户名与登记的不同",
    "short": "金额不足",
    "over": "金额多了",
    "paid": "订单已支付",
    "closed": "订单已关闭",
    "reversal": "银行冲正（负数）",
    "conflict": "与已导入的同一流水号内容不同",
}
LINES = {
    "draft": "未导入",
    "repeated": "以前导入过",
    "new": "正在核对",
    "settled": "已入账",
    "open": "待处理",
    "held": "等付款方补足",
    "returned": "已安排退回",
    "aside": "与本系统无关",
}
GONE = {
    "payout": "是登记过的退款",
    "early": "是待退款，还没有人登记已转账",
    "nothing": "没有对应的退款",
    "amount": "流水号是退款登记的，金额不同",
    "twice": "同一笔退款已有另一笔转出，可能转了两次",
    "reversal": "银行冲正（负数）",
}
OUTGOING = {
    "draft": "未导入",
    "repeated": "以前导入过",
    "matched": "已对上",
    "open": "待处理",
    "aside": "与退款无关",
}
STATEMENTS = {"draft": "待确认", "taking": "正在导入", "taken": "已导入"}
