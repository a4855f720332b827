"""What finance decides about the providers' bills."""

from __future__ import annotations

import json
from typing import Literal

from app.cases.kinds import Decision, Deed, Evidence, Fact, Kind, noted
from app.cases.models import Case
from app.core.money import yuan
from app.core.staff import Right
from app.pay.reconciliation import service
from app.pay.reconciliation.bills import MISSING
from app.pay.reconciliation.differences import CASE
from app.pay.reconciliation.sentences import FINDINGS, SUGGESTIONS
from app.pay.reconciliation.sentences import KINDS as BOOKED


def _money(fen: int | None) -> str:
    return "无" if fen is None else f"{yuan(fen)} 元"


def difference_evidence(case: Case) -> Evidence:
    """Both sides of what does not match, and what is advised."""
    told = json.loads(case.facts)
    return Evidence(
        (
            Fact("差异", FINDINGS.get(told["finding"], told["finding"]), bad=True),
            Fact("平台账单", _money(told["their_fen"])),
            Fact("我方账目", _money(told["our_fen"]) + (f"（{told['our_status']}）" if told["our_status"] else "")),
            Fact("类别", BOOKED.get(told["kind"], told["kind"])),
            Fact("单号", told["number"] or "无"),
            Fact("账单日", f"{told['day']}，商户 {told['merchant']}"),
            Fact("建议", SUGGESTIONS.get(told["suggestion"], told["suggestion"])),
        )
    )


def bill_evidence(case: Case) -> Evidence:
    """Which day's bill is not there."""
    told = json.loads(case.facts)
    return Evidence(
        (
            Fact("账单日", told["day"], bad=True),
            Fact("商户", told["merchant"]),
            Fact("已尝试", f"{told['tries']} 次"),
        )
    )


def _resolve(deed: Deed, action: Literal["ask", "explain"]) -> None:
    difference_id = deed.case.subject.removeprefix("difference:")
    service.resolve(difference_id, action, reason=deed.words, actor=deed.actor, now=deed.now)


def _ask(deed: Deed) -> None:
    _resolve(deed, "ask")


def _explain(deed: Deed) -> None:
    _resolve(deed, "explain")


DECIDED = (
    Kind(
        name=CASE,
        title="对账差异",
        what="平台账单与我方账目有一笔对不上。可以再查询一次；一致后自动结案，否则写明原因和处理结果。",
        right=Right.FINANCE,
        working_days=1,
        evidence=difference_evidence,
        decisions=(
            Decision("ask", "再向平台查询一次", _ask, tone="good", outside=True),
            Decision("explain", "已查明，说明原因", _explain, note_needed=True, outside=True),
        ),
    ),
    Kind(
        name=MISSING,
        title="平台账单缺失",
        what="某一天的平台账单多日没有取到，系统会继续尝试。请到平台商户后台查看。",
        right=Right.FINANCE,
        evidence=bill_evidence,
        decisions=(noted(label="已查明原因，结案"),),
    ),
)
