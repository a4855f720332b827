"""What administrators decide about the staff's accounts."""

from __future__ import annotations

import json

from app.cases import hands
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
            *((Fact("原因", facts["reason"]),) if "reason" in facts else ()),
        )
    )


def _require_another(deed: Deed) -> None:
    asked_by = json.loads(deed.case.facts)["asked_by"]
    if deed.actor == asked_by:
        raise STAFF_SAME_PERSON()
    hands.require_another(asked_by, deed.actor)


def _require_another_hand(deed: Deed) -> None:
    """In whose hand the account is now, not who asked: its link may have been made anew since."""
    if hands.same(deed.case.subject, deed.actor):
        raise STAFF_SAME_PERSON()


def _agree(deed: Deed) -> None:
    _require_another_hand(deed)
    members.agree(deed.case.subject.removeprefix("staff:"), actor=deed.actor, now=deed.now)


def _refuse(deed: Deed) -> None:
    """The account stays in its maker's hand; not that they do away with the question themselves."""
    _require_another_hand(deed)


def _reset(deed: Deed) -> None:
    _require_another(deed)
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
    Kind(
        name=members.AGREEMENT,
        title="确认新的工作人员账号",
        what="一位管理员建立了账号。请与本人当面核对后确认；在此之前，这个账号不能与建立它的管理员互相复核。",
        right=Right.ADMINISTRATOR,
        evidence=_evidence,
        decisions=(
            Decision("agree", "已与本人核对，同意", _agree, tone="good"),
            Decision("refuse", "不同意", _refuse, note_needed=True, tone="bad"),
        ),
    ),
)
