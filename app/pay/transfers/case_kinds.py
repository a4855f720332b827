"""What finance decides about transfers: money that did not find its order by itself, and what is transferred back."""

from __future__ import annotations

from app.cases.kinds import Decision, Deed, Evidence, Fact, Kind, noted
from app.cases.models import Case
from app.core.clock import shanghai
from app.core.staff import Right
from app.pay.models import Refund
from app.pay.transfers import decisions, ledger, outgoing, queries
from app.pay.transfers.bank import PAYOUT
from app.pay.transfers.line_facts import SUGGESTED, became, line_evidence, money, of_line, placed, row_of
from app.pay.transfers.models import OutgoingLine, Payout, StatementLine
from app.pay.transfers.service import MISSING
from app.pay.transfers.words import GONE


def payout_evidence(case: Case) -> Evidence:
    """How much goes back, to whom, and why."""
    payout: Payout = Payout.get_by_id(row_of(case))
    facts = [Fact("退款金额", money(payout.amount_fen), bad=True)]
    if payout.line_id is not None:
        lines, why = [StatementLine.get_by_id(payout.line_id)], "来款不能入账，或多付的部分"
    else:
        refund: Refund = Refund.get(Refund.out_refund_no == payout.refund_no)
        mine = (StatementLine.attempt_id == refund.attempt_id) & (StatementLine.applied_fen > 0)
        lines, why = list(StatementLine.select().where(mine)), f"订单 {refund.order_id} 的退款"
        facts.append(Fact("退款单号", refund.out_refund_no))
    facts.append(Fact("退款原因", why))
    facts += [fact for line in lines for fact in of_line(line)]
    went = queries.outgoing_of(payout)
    if went is not None:
        facts.insert(0, Fact("对账单", f"{went.day} 已转出，流水号 {went.number}，请不要再转", bad=True))
    return Evidence((*facts, Fact("申请时间", f"{shanghai(payout.requested_at):%m-%d %H:%M}")))


def _went(case: Case) -> OutgoingLine | None:
    """The line of a statement that the payout of this case is, if its money has gone already."""
    payout: Payout | None = Payout.get_or_none(Payout.id == row_of(case))
    return queries.outgoing_of(payout) if payout is not None else None


def payout_now(case: Case) -> str | None:
    """What is left to do where the money has gone already."""
    if _went(case) is None:
        return None
    return "对账单里已有这笔转出，不要再转账。请核对已填好的流水号后提交；另一位同事核对银行回单后确认。"


def payout_number(case: Case) -> str:
    """The bank's number of the money that has gone already."""
    went = _went(case)
    return went.number if went is not None else ""


def unseen_evidence(case: Case) -> Evidence:
    """What was said to be transferred and is in no statement."""
    payout: Payout = Payout.get_by_id(row_of(case))
    said = (
        Fact("登记的流水号", str(payout.reference), bad=True),
        Fact("登记转账的时间", f"{shanghai(payout.sent_at):%m-%d %H:%M}"),
        Fact("退款编号", payout.id),
    )
    return Evidence((*said, *payout_evidence(case).facts))


SUGGESTIONS = {
    "nothing": "核对付款审批：是退款的填退款编号；不是的，注明用途后结案。",
    "amount": "与网银回单核对：转错金额的，向收款方追回或补付后注明。",
    "twice": "与收款方核实：确实转了两次的，追回多转的一笔后注明。",
    "reversal": "银行退回了一笔转出：核对是哪一笔退款，需要的重新转账后注明。",
}


def outgoing_evidence(case: Case) -> Evidence:
    """The money that went, what to do about it, and the payouts that it might be."""
    line: OutgoingLine = OutgoingLine.get_by_id(row_of(case))
    facts = [
        Fact("原因", GONE.get(line.finding, line.finding), bad=True),
        Fact("建议", SUGGESTIONS.get(line.finding, "")),
        Fact("转出金额", money(line.amount_fen)),
        Fact("收款方", f"{line.payee_name or '不详'}，账号 {line.payee_account or '不详'}"),
        Fact("附言", line.remark or "无"),
        Fact("转出日", f"{line.day}，流水号 {line.number}"),
    ]
    found = sorted(queries.owed([line]), key=lambda one: one.payout.requested_at, reverse=True)
    found.sort(key=lambda one: _unlikely(one, line))
    for one in found[:SUGGESTED]:
        payout, names = one.payout, "、".join(sorted({source.payer_name for source in one.sources}))
        state = f"已登记，流水号 {payout.reference}" if payout.reference else "待转账"
        if payout.outgoing_id is not None:
            state += "，已对上另一笔转出"
        facts.append(Fact("可能的退款", f"编号 {payout.id}，{money(payout.amount_fen)}，{names}（{state}）"))
    return Evidence(tuple(facts))


def _unlikely(one: queries.Owed, line: OutgoingLine) -> tuple[bool, bool, bool]:
    """What speaks against a line being this payout, the worst first."""
    return one.payout.outgoing_id is not None, not outgoing.is_payee(one, line), one.account != line.account


def statement_evidence(case: Case) -> Evidence:
    """Which account's statement is missing."""
    return Evidence((Fact("收款账号", row_of(case), bad=True),))


def _attach(deed: Deed) -> None:
    decisions.attach(row_of(deed.case), deed.note, reason=deed.words, actor=deed.actor, now=deed.now)


def _accept(deed: Deed) -> None:
    decisions.accept(row_of(deed.case), reason=deed.words, actor=deed.actor, now=deed.now)


def _keep(deed: Deed) -> None:
    decisions.keep(row_of(deed.case), reason=deed.words, actor=deed.actor, now=deed.now)


def _ask_for_rest(deed: Deed) -> None:
    decisions.ask_for_rest(row_of(deed.case), reason=deed.words, actor=deed.actor, now=deed.now)


def _give_back(deed: Deed) -> None:
    decisions.give_back(row_of(deed.case), reason=deed.words, actor=deed.actor, now=deed.now)


def _set_aside(deed: Deed) -> None:
    decisions.set_aside(row_of(deed.case), reason=deed.words, actor=deed.actor, now=deed.now)


def _attach_payout(deed: Deed) -> None:
    outgoing.attach(row_of(deed.case), deed.note, reason=deed.words, actor=deed.actor, now=deed.now)


def _outgoing_aside(deed: Deed) -> None:
    outgoing.set_aside(row_of(deed.case), reason=deed.words, actor=deed.actor, now=deed.now)


def _may_attach(deed: Deed) -> None:
    decisions.may_attach(row_of(deed.case), deed.note)


def _attached(deed: Deed) -> tuple[Fact, ...]:
    return placed(row_of(deed.case), deed.note)


def _accepted(deed: Deed) -> tuple[Fact, ...]:
    return placed(row_of(deed.case), None)


def _may_attach_payout(deed: Deed) -> None:
    outgoing.may_attach(row_of(deed.case), deed.note)


def _may_be_sent(deed: Deed) -> None:
    decisions.may_be_sent(row_of(deed.case), deed.note)


def _sent(deed: Deed) -> None:
    by = deed.case.proposed_by or ""
    decisions.sent(row_of(deed.case), deed.note, told_by=by, actor=deed.actor, now=deed.now)


ATTACH = Decision(
    "attach",
    "转入订单（说明里填附言码）",
    _attach,
    tone="good",
    note_needed=True,
    second_look=True,
    meanwhile=True,
    check=_may_attach,
    proposed=_attached,
    became=became,
)
ACCEPT = Decision(
    "accept",
    "户名已核实，转入这个订单",
    _accept,
    tone="good",
    note_needed=True,
    second_look=True,
    proposed=_accepted,
    became=became,
)
KEEP = Decision("keep", "订单照收，多余部分退回", _keep, tone="good", second_look=True, became=became)
ASK = Decision("ask", "已请付款方补足，等余款", _ask_for_rest, tone="good", note_needed=True, closes=False)
BACK = Decision("give_back", "全额退回付款方", _give_back, tone="bad", note_needed=True, meanwhile=True)
ASIDE = Decision("aside", "与本系统无关，不入账", _set_aside, note_needed=True, second_look=True)


ITS_PAYOUT = Decision(
    "payout",
    "是这笔退款（说明里填退款编号）",
    _attach_payout,
    tone="good",
    note_needed=True,
    second_look=True,
    check=_may_attach_payout,
)
SENT = Decision(
    "sent",
    "已转账，填银行流水号",
    _sent,
    tone="good",
    note_needed=True,
    second_look=True,
    check=_may_be_sent,
    note_begins=payout_number,
)
SEEN = Decision("seen", "已查明或已重新转账，注明后结案", note_needed=True, second_look=True)
NO_PAYOUT = Decision("aside", "不是退款，或已追回，注明后结案", _outgoing_aside, note_needed=True, second_look=True)


def _of_lines(name: str, title: str, what: str, *options: Decision) -> Kind:
    return Kind(
        name=name,
        title=title,
        what=what,
        right=Right.FINANCE,
        working_days=1,
        evidence=line_evidence,
        decisions=options,
    )


KINDS = (
    _of_lines(
        ledger.UNKNOWN,
        "来款找不到订单",
        "一笔来款的附言码认不出，没有入账。请与付款方核实：是某个订单的，转入那个订单；不是的，退回或注明。",
        ATTACH,
        BACK,
        ASIDE,
    ),
    _of_lines(
        ledger.PAYER,
        "来款户名不符",
        "附言码认得出，付款户名却与登记的不同，没有入账。请与付款方核实后决定。",
        ACCEPT,
        ATTACH,
        BACK,
    ),
    _of_lines(
        ledger.SHORT,
        "来款金额不足",
        "来款比订单少，没有入账。可以请付款方在截止日前补足，余款到账后自动入账；也可以退回。",
        ASK,
        BACK,
        ATTACH,
    ),
    _of_lines(
        ledger.OVER,
        "来款金额多了",
        "来款比订单多，没有入账。可以照订单金额入账并退回多余部分，也可以全额退回。",
        KEEP,
        BACK,
        ATTACH,
    ),
    _of_lines(
        ledger.LATE,
        "来款时订单已支付或已关闭",
        "订单已经支付或已经关闭，这笔来款没有入账。请退回付款方；确是另一个订单的，转入那个订单。",
        BACK,
        ATTACH,
        ASIDE,
    ),
    Kind(
        name=PAYOUT,
        title="对公转账待退款",
        what="请在网银向付款方转账退回，再填银行的交易流水号；另一位同事核对银行回单后确认。",
        right=Right.FINANCE,
        working_days=2,
        evidence=payout_evidence,
        what_now=payout_now,
        decisions=(SENT,),
    ),
    Kind(
        name=outgoing.UNSEEN,
        title="登记已退款，对账单里没有",
        what="登记了已转账退回，当天的对账单里却没有这笔转出，钱可能没有转走。"
        "请在网银查流水号：没有转出的，现在转账；其他日子转出的，导入那天的对账单。对账单里找到后自动结案。",
        right=Right.FINANCE,
        working_days=1,
        evidence=unseen_evidence,
        decisions=(SEEN,),
    ),
    Kind(
        name=outgoing.KIND,
        title="转出与退款对不上",
        what="收款账户转出了一笔钱，与登记的退款对不上。请核对网银回单，说明是哪笔退款；与退款无关的，注明用途。",
        right=Right.FINANCE,
        working_days=1,
        evidence=outgoing_evidence,
        decisions=(ITS_PAYOUT, NO_PAYOUT),
    ),
    Kind(
        name=MISSING,
        title="缺少银行对账单",
        what="有订单已过转账截止日，最后一天的对账单还没有导入，订单无法关闭。请在那天过完后下载对账单导入，并勾选“在截止日结束后下载”，导入后自动结案。",
        right=Right.FINANCE,
        working_days=1,
        evidence=statement_evidence,
        decisions=(noted(label="已查明原因，结案"),),
    ),
)
