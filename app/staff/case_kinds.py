"""What administrators decide about the staff's accounts."""

from __future__ import annotations

import json

from app.cases.kinds import Decision, Deed, Evidence, Fact, Kind
from app.cases.models import Case
from app.core.staff import Right
from app.staff import members
from app.staff.errors import STAFF_SAME_PERSON
from app.staff.models import Member


def _evidence(case: Case) -> Evidence:
    facts = json.loads(case.facts)
    member = Member.get_or_none(Member.id == case.subject.removeprefix("staff:"))
    names = members.names([facts["asked_by"]])
    return Evidence(
        (
            Fact("账号", member.login if member else "已删除"),
            Fact("姓名", member.name if member else ""),
            Fact("提出申请的管理员", names.get(facts["asked_by"], facts["asked_by"])),
            Fact("原因", facts["reason"]),
        )
    )


def _reset(deed: Deed) -> None:
    if deed.actor == json.loads(deed.case.facts)["asked_by"]:
        raise STAFF_SAME_PERSON()
    members.reset_factor(deed.case.subject.removeprefix("staff:"), actor=deed.actor, reason=deed.words, now=deed.now)


KINDS = (
    Kind(
        name=members.RESET,
        title="重置工作人员二次验证",
        what="一位工作人员丢失了验证器和恢复码，一位管理员申请重置；需要另一位管理员同意。",
        right=Right.ADMINISTRATOR,
        working_days=1,
        evidence=_evidence,
        decisions=(
            Decision("reset", "同意重置", _reset, tone="good"),
            Decision("refuse", "不同意", note_needed=True, tone="bad"),
        ),
    ),
)
