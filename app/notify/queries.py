"""What was sent to a person, for those who help them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from app.core.crypto import mask_phone
from app.notify.models import Sms
from app.notify.status import Status

STATES: dict[Status, str] = {
    Status.QUEUED: "等待发送",
    Status.SENDING: "正在发送",
    Status.SENT: "已发出，等待回执",
    Status.FAILED: "没有发出",
    Status.UNKNOWN: "不知是否发出，正在向短信服务商查询",
    Status.DELIVERED: "已送达手机",
    Status.UNDELIVERED: "没有送达手机",
}


@dataclass(frozen=True)
class Message:
    """One SMS; `phone` is masked, `state` a sentence, `provider_code` the provider's own word for what went wrong."""

    template: str
    phone: str
    state: str
    created_at: datetime
    send_at: datetime
    reported_at: datetime | None
    provider_code: str | None


def sent_to(person_id: str, *, limit: int = 50) -> list[Message]:
    """The last messages to this person, the newest first."""
    rows = Sms.select().where(Sms.person_id == person_id).order_by(Sms.created_at.desc(), Sms.id.desc())
    return [
        Message(
            template=row.template,
            phone=mask_phone(row.phone) or "",
            state=STATES[Status(row.status)],
            created_at=row.created_at,
            send_at=row.send_at,
            reported_at=row.reported_at,
            provider_code=row.provider_code,
        )
        for row in rows.limit(limit)
    ]
