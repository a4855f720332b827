"""What was sent to a person, and what became of it: for themselves, and for those who help them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime

from app.core.clock import shanghai
from app.core.crypto import mask_phone
from app.notify.kinds import KINDS, text_of
from app.notify.models import Sms
from app.notify.status import Status
from app.policy import load as policy
from app.policy.quiet import waking

STATES: dict[Status, str] = {
    Status.QUEUED: "等待发送",
    Status.SENDING: "正在发送",
    Status.SENT: "已发出，等待回执",
    Status.FAILED: "没有发出",
    Status.UNKNOWN: "不知是否发出，正在向短信服务商查询",
    Status.DELIVERED: "已送达手机",
    Status.UNDELIVERED: "没有送达手机",
}


NO_ANSWER = "没有收到送达回执，可能没有送达"
ASK_AGAIN = "请确认手机没有停机、没有拦截短信；一分钟后可以重新获取验证码。"
NOTHING_LOST = "没有收到短信不影响办理，请以本平台显示的内容为准。手机号换了，请在“我的”里修改。"
MISSED = (Status.FAILED, Status.UNKNOWN, Status.UNDELIVERED)


@dataclass(frozen=True)
class Message:
    """One SMS; `text` None: it held a code, or its words are forgotten; `phone` is masked, `state` and
    `advice` (for one that may not have arrived) are sentences, `provider_code` the provider's own word for what went
    wrong."""

    title: str
    text: str | None
    phone: str
    state: str
    advice: str | None
    created_at: datetime
    send_at: datetime
    reported_at: datetime | None
    provider_code: str | None


def sent_to(person_id: str, *, codes_only: bool = False, limit: int = 20, now: datetime) -> list[Message]:
    """The last messages to this person, the newest first."""
    rows = Sms.select().where(Sms.person_id == person_id)
    if codes_only:
        rows = rows.where(Sms.template.in_([name for name, kind in KINDS.items() if kind.code]))
    return [_shown(row, now) for row in rows.order_by(Sms.created_at.desc(), Sms.id.desc()).limit(limit)]


def state_of(row: Sms) -> str:
    """What became of it, in words."""
    given_up = row.status == Status.UNKNOWN and row.ask_at is None
    return NO_ANSWER if given_up else STATES[Status(row.status)]


def _waits(row: Sms, now: datetime) -> str | None:
    """Why it has not gone out, and when it will; None where it does not wait for an hour."""
    if row.status != Status.QUEUED or row.send_at <= now:
        return None
    if row.provider_code is not None:
        return "短信服务商暂时没有发出，稍后会再发"
    hour = _hour(row.send_at, now)
    quiet = policy.in_force(row.programme, now).authority.sms.quiet
    if now < waking(quiet, now) == row.send_at:
        return f"夜间不打扰，{hour}后发出"
    another_day = shanghai(row.created_at).date() < shanghai(row.send_at).date()
    return f"发给您的短信较多，{hour}后发出" if another_day else None


def _hour(moment: datetime, now: datetime) -> str:
    """A coming moment as one says it: 早上 8 点 (also at night, of its morning), 明天早上 8 点, 9 月 2 日 14:30."""
    there, here = shanghai(moment), shanghai(now)
    days = (there.date() - here.date()).days
    by_day = there.minute == 0 and 5 <= there.hour < 12
    clock = f"早上 {there.hour} 点" if by_day else f"{there:%H:%M}"
    if days == 0 or (days == 1 and by_day and here.hour >= 18):
        return clock
    return f"明天{clock}" if days == 1 else f"{there.month} 月 {there.day} 日{clock}"


def _shown(row: Sms, now: datetime) -> Message:
    status, kind = Status(row.status), KINDS[row.template]
    return Message(
        title=kind.title,
        text=None if kind.code or row.params_sealed is None else text_of(row.template, json.loads(row.params)),
        phone=mask_phone(row.phone) or "",
        state=_waits(row, now) or state_of(row),
        advice=(ASK_AGAIN if kind.code else NOTHING_LOST) if status in MISSED else None,
        created_at=row.created_at,
        send_at=row.send_at,
        reported_at=row.reported_at,
        provider_code=row.provider_code,
    )
