"""What WeChat adds to a person's page: messages that went there, and bindings."""

from __future__ import annotations

from app.account.person_pages import Entry, PersonPage, Sight, Source, Window
from app.core.clock import shanghai
from app.wechat.models import Binding, MessageLeave
from app.wechat.status import LeaveStatus

STATES = {
    LeaveStatus.QUEUED: "等待发送", LeaveStatus.SENDING: "正在发送", LeaveStatus.SENT: "微信已接收",
    LeaveStatus.REFUSED: "微信拒收，改发短信", LeaveStatus.UNKNOWN: "不知是否发出，已改发短信",
    LeaveStatus.VOID: "授权已失效",
}  # fmt: skip


def messages(sight: Sight, window: Window) -> list[Entry]:
    """What was sent by WeChat."""
    query = MessageLeave.select().where(
        sight.mine(MessageLeave.person_id), sight.within(MessageLeave.programme), MessageLeave.taken_at.is_null(False)
    )
    return [
        Entry(
            row.taken_at,
            row.id,
            "微信消息",
            evidence=STATES.get(LeaveStatus(row.status), row.status)
            + (f"（{row.provider_code}）" if row.provider_code else ""),
            tone="bad" if row.status in (LeaveStatus.REFUSED, LeaveStatus.UNKNOWN) else "plain",
            programme=row.programme,
            who="系统",
        )
        for row in window.of(query, MessageLeave.taken_at, MessageLeave.id)
    ]


def bindings(sight: Sight, window: Window) -> list[Entry]:
    """Whose WeChat the account was bound to, and until when; a WeChat belongs to no programme."""
    query = Binding.select().where(sight.mine(Binding.person_id))
    return [
        Entry(
            row.bound_at,
            row.id,
            "绑定微信",
            evidence=f"{shanghai(row.ended_at):%m-%d %H:%M} 已解绑" if row.ended_at else "绑定有效",
            who="学员",
        )
        for row in window.of(query, Binding.bound_at, Binding.id)
    ]


PAGE = PersonPage(
    domain="wechat",
    sources=(Source("wechat_messages", messages), Source("bindings", bindings)),
    words={"scan.refused": "扫码时选择“不是我”"},
)
