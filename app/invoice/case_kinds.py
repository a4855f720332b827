"""What finance decides about invoices (docs/ARCHITECTURE.md has the table)."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from app.cases.kinds import Decision, Deed, Evidence, Fact, Kind, Reason, noted
from app.cases.models import Case
from app.core.clock import shanghai
from app.core.crypto import mask_name
from app.core.money import yuan
from app.core.staff import Right
from app.invoice import by_hand, corrections, decisions, payers, queries
from app.invoice.models import Invoice, PayerProfile
from app.pay import queries as orders

STATUSES = {
    "waiting": "未开具", "sending": "正在提交", "unknown": "结果不明", "issuing": "开具中",
    "issued": "已开具，文件未到", "ready": "已可下载", "refused": "被拒绝",
    "disputed": "与请求不符", "cancelled": "不再开具", "reversed": "已红冲",
}  # fmt: skip
RED_STATUSES = {
    "planned": "待申请", "sending": "正在申请", "unknown": "结果不明", "applied": "已申请，等待税局或购方确认",
    "issued": "红字发票已开", "refused": "被拒绝", "withdrawn": "已撤回",
}  # fmt: skip
WORDS = {
    "order": "订单", "code": "拒绝代码", "text": "开票平台的原话", "wrong": "不符之处", "number": "发票号码",
    "due_until": "最迟应开具时间", "hold": "暂缓原因", "status": "当时状态", "words": "申请原因",
    "organisation": "单位编号",
}  # fmt: skip
AMOUNTS = {
    "asked_fen": "请求的价税合计", "issued_fen": "开出的价税合计", "asked_tax_fen": "请求的税额",
    "issued_tax_fen": "开出的税额", "gross_fen": "价税合计", "left_fen": "退款后余下的金额",
}  # fmt: skip


class Verb(Protocol):
    """One of `decisions` or `corrections`."""

    def __call__(self, invoice_id: str, *, reason: str, actor: str, now: datetime) -> None: ...


def _id(case: Case) -> str:
    return str(case.subject.removeprefix("invoice:"))


def name_of(profile: PayerProfile) -> str:
    """In whose name, as staff see it: a person's name is masked."""
    payer = payers.of_row(profile)
    if payer.kind == "person":
        return f"{mask_name(payer.title)}（个人）"
    return f"{payer.title}，{payer.taxpayer_number}"


def history_of(row: Invoice) -> list[Fact]:
    """What became of an invoice and of its red letter, step by step."""
    red = queries.red_letter_of(row.id)
    steps = [(event, STATUSES) for event in queries.history(row.id)]
    steps += [(event, RED_STATUSES) for event in queries.history(red.id)] if red is not None else []
    return [
        Fact(
            f"{shanghai(event.at):%m-%d %H:%M:%S}",
            f"{words.get(event.before, event.before)} → {words.get(event.after, event.after)}，依据 {event.evidence}",
        )
        for event, words in sorted(steps, key=lambda step: (step[0].at, step[0].id))
    ]


def evidence(case: Case) -> Evidence:
    """The invoice, what the case says of it, what is kept of its money, and its history."""
    row: Invoice = queries.by_id(_id(case))
    told = json.loads(case.facts)
    said = [Fact(WORDS[key], str(value), bad=True) for key, value in told.items() if key in WORDS and value]
    said += [Fact(AMOUNTS[key], f"{yuan(value)} 元") for key, value in told.items() if key in AMOUNTS and value]
    if told.get("profile_id"):
        said.append(Fact("申请人", "付款人" if told.get("by") == "payer" else "财务"))
        said.append(Fact("改为", name_of(PayerProfile.get_by_id(told["profile_id"])), bad=True))
    red = queries.red_letter_of(row.id)
    if red is not None:
        said.append(Fact("红字发票", RED_STATUSES[red.status] + (f"，号码 {red.number}" if red.number else "")))
    return Evidence(
        (
            *said,
            Fact("状态", STATUSES.get(row.status, row.status)),
            Fact("抬头", name_of(queries.buyer(row))),
            Fact("价税合计", f"{yuan(row.gross_fen)} 元，其中税额 {yuan(row.tax_fen)} 元"),
            Fact("订单现余", f"{yuan(orders.kept_fen(row.order_id))} 元"),
            Fact("支付时间", f"{shanghai(row.paid_at):%Y-%m-%d %H:%M}"),
            Fact("应开具", f"{shanghai(row.due_from):%m-%d} 至 {shanghai(row.due_until):%m-%d}"),
            Fact("我方流水号", row.serial),
            Fact("发票号码", row.number or "无"),
            *history_of(row),
        )
    )


def entered_evidence(case: Case) -> Evidence:
    """What was entered, beside the invoice that it takes back."""
    entry, row = by_hand.entry_of(case), queries.by_id(_id(case))
    gross_fen, tax_fen = queries.issued_fen(row)
    of_it = f"-{yuan(tax_fen)} 元" if tax_fen is not None else "与原票相同"
    entered = (
        Fact("红字发票号码", entry.number, bad=True),
        Fact("开具日期", entry.day, bad=True),
        Fact("红字金额应为", f"-{yuan(gross_fen)} 元，其中税额 {of_it}"),
        Fact("登记时间", f"{shanghai(entry.entered_at):%m-%d %H:%M}"),
    )
    return Evidence((*entered, *evidence(case).facts), paper="红字发票 PDF")


def year_evidence(case: Case) -> Evidence:
    """Which year's calendar is missing."""
    return Evidence((Fact("年份", str(json.loads(case.facts)["year"]), bad=True), Fact("培训项目", case.programme)))


def order_evidence(case: Case) -> Evidence:
    """Which order of which organisation has no invoice."""
    order = orders.get_order(case.subject.removeprefix("order:"))
    paid = f"{shanghai(order.paid_at):%Y-%m-%d %H:%M}" if order.paid_at else "未支付"
    return Evidence(
        (
            Fact("单位编号", order.organisation_id or "无", bad=True),
            Fact("订单", order.id),
            Fact("金额", f"{yuan(order.amount_fen)} 元"),
            Fact("支付时间", paid),
        )
    )


def _do(verb: Verb) -> Callable[[Deed], None]:
    def do(deed: Deed) -> None:
        verb(_id(deed.case), reason=deed.words, actor=deed.actor, now=deed.now)

    return do


def _reverse(why: str) -> Callable[[Deed], None]:
    """Take it back; the next one is in the name that the case names, if it does."""

    def do(deed: Deed) -> None:
        corrections.reverse(
            _id(deed.case),
            why=why,
            profile_id=json.loads(deed.case.facts).get("profile_id"),
            reason=deed.words,
            actor=deed.actor,
            now=deed.now,
        )

    return do


def _acceptable(case: Case) -> bool:
    return json.loads(case.facts).get("wrong") in decisions.ACCEPTABLE


def _turn_down(deed: Deed) -> None:
    answer = deed.reason.key if deed.reason else "same"
    corrections.turn_down(_id(deed.case), answer, reason=deed.words, actor=deed.actor, now=deed.now)


def _issue_none(deed: Deed) -> None:
    ended = deed.reason.key if deed.reason else "none"
    corrections.issue_none(_id(deed.case), ended, reason=deed.words, actor=deed.actor, now=deed.now)


def _take(deed: Deed) -> None:
    by_hand.take(deed.case, reason=deed.words, actor=deed.actor, now=deed.now)


def _turn_down_entry(deed: Deed) -> None:
    by_hand.turn_down(deed.case, reason=deed.words, actor=deed.actor, now=deed.now)


ANSWERS = (
    Reason("same", "开票信息与付款时登记的一致，不用更正。"),
    Reason("unproven", "新的开票信息与付款单位不符，请先联系付款单位。"),
    Reason("used", "发票已用于报销或抵扣，请先在原处撤回，再申请更正。"),
)
NONE_BECAUSE = (
    Reason("details", "开票信息没有通过税务校验，请学员改好后重新申请。"),
    Reason("offline", "改由工作人员在线下开具，开好后联系学员。"),
    Reason("none", "按规定不再开具。"),
)


def _kind(name: str, title: str, what: str, *decisions_: Decision, working_days: int = 2) -> Kind:
    return Kind(
        name=f"invoice.{name}",
        title=title,
        what=what,
        right=Right.FINANCE,
        working_days=working_days,
        evidence=evidence,
        decisions=decisions_,
    )


KINDS = (
    _kind(
        "settlement",
        "开票前核款未通过",
        "开票前再次询问，支付平台没有确认这笔款在我们账上，发票暂缓。请到支付平台核对。",
        Decision("release", "款已核实，放行开票", _do(decisions.release), tone="good", batch=True),
        noted("keep", "继续暂缓，结案"),
    ),
    _kind(
        "refused",
        "开票被拒绝",
        "开票平台或税务没有开出发票，原话见左侧。请先在那里排除原因，再重新提交（同一流水号，不会开两张）。",
        Decision("retry", "原因已排除，重新提交", _do(decisions.retry), tone="good", batch=True),
        Decision("done", "不再开具，告诉付款人", _issue_none, tone="bad", reasons=NONE_BECAUSE),
    ),
    _kind(
        "mismatch",
        "开出的发票与请求不符",
        "开出的金额或税额与请求不同，或发票在平台被作废。只是税额不同的，可以照开出的接受；其他的红冲后按订单重开（已作废的直接重开）。已在电子税务局自行红冲的，请到这张发票的页面登记。",
        Decision("accept", "照开出的接受", _do(decisions.accept), second_look=True, fits=_acceptable),
        Decision("reverse", "红冲，按订单重开", _reverse("mistake"), tone="good", second_look=True),
    ),
    _kind(
        "late",
        "发票超过期限未开",
        "已过最后一个工作日，发票还没有开出。请查看原因：暂缓、平台停机或被拒绝。开出后自动结案。",
        noted(label="已查明原因，结案"),
        working_days=1,
    ),
    _kind(
        "correction",
        "申请更正发票",
        "付款人或财务申请更正一张已开的发票。同意后由系统红冲原票，并按“改为”的信息和订单现余金额重开一张。",
        Decision("correct", "同意：红冲并重开", _reverse("mistake"), tone="good", second_look=True),
        Decision("refuse", "不更正，告诉付款人", _turn_down, tone="bad", reasons=ANSWERS),
        working_days=3,
    ),
    _kind(
        "red_letter",
        "退款后需要红冲",
        "发票开出后款已退回。系统可以红冲原票；订单还有余款的，再按余款重开一张。已在电子税务局自行红冲的，请到这张发票的页面登记。",
        Decision("reverse", "红冲，有余款的重开", _reverse("money_back"), tone="good", second_look=True),
        working_days=5,
    ),
    _kind(
        "red_refused",
        "红冲被拒绝",
        "红字发票没有开出，原话见左侧。排除原因后可以重新申请（换新的申请号）；不再红冲的，原发票继续有效。",
        Decision("retry", "原因已排除，重新申请", _do(corrections.retry_red), tone="good", batch=True),
        Decision("accept", "金额不同或未给出，但已开出，照开出的接受", _do(corrections.accept_red), second_look=True),
        Decision("withdraw", "不再红冲", _do(corrections.withdraw), tone="bad", note_needed=True, second_look=True),
    ),
    _kind(
        "red_waiting",
        "红冲三天没有结果",
        "红字发票申请三天没有结果。多半是购方还没有在电子税务局确认，请联系购方；开出后自动结案。",
        noted(label="已联系，结案"),
    ),
    Kind(
        name=by_hand.CASE,
        title="核对自行开具的红字发票",
        what="请对照 PDF 核对号码、日期、金额和原发票号码。确认后，原发票记为已红冲，有余款的重开一张。",
        right=Right.FINANCE,
        working_days=2,
        evidence=entered_evidence,
        paper=by_hand.paper,
        decisions=(
            Decision("take", "核对无误，原票红冲", _take, tone="good", second_look=True),
            Decision("refuse", "登记有误，退回重填", _turn_down_entry, tone="bad", note_needed=True),
        ),
    ),
    _kind(
        "part_kept",
        "部分退款，余额待开票",
        "开票前退回了一部分款，系统没有开票。核对“订单现余”后，可以按余款开具一张。",
        Decision("issue", "按余款开具", _do(corrections.issue_kept), tone="good", batch=True),
        noted(label="余款不用开票，结案"),
        working_days=5,
    ),
    Kind(
        name="invoice.no_payer",
        title="单位未登记开票信息",
        what="单位的订单已支付，但没有登记单位全称和纳税人识别号，发票开不出。请联系单位，由运维登记（save-organisation）；登记后系统自动开具并结案。",
        right=Right.FINANCE,
        working_days=2,
        evidence=order_evidence,
        decisions=(noted(label="单位不要发票，结案"),),
    ),
    Kind(
        name="invoice.calendar_unknown",
        title="明年的节假日未知",
        what="三十天内进入新的一年，系统还不知道那年的节假日和调休；开票期限会按周一至周五计算。"
        "请管理员按国务院的通知，在“基础数据”的“法定节假日与调休”里录入，再结案。",
        right=Right.FINANCE,
        working_days=10,
        evidence=year_evidence,
        decisions=(noted(label="日历已更新"),),
    ),
)
