"""What goes to a phone: codes, and notices about the account. Told to `notify` by events that carry ids only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from app.account.codes import LIVES, TEMPLATES
from app.account.models import Notice, Person, VerificationCode
from app.core import outbox
from app.core.clock import shanghai
from app.core.db import transaction

NoticeKind = Literal[
    "password_set",
    "password_reset",
    "phone_changed",
    "wechat_bound",
    "wechat_rebound",
    "wechat_unbound",
    "identity_corrected",
    "accounts_merged",
]
_WHAT: dict[str, str] = {
    "password_set": "修改密码",
    "password_reset": "重设密码",
    "phone_changed": "更换手机号",
    "wechat_bound": "绑定微信",
    "wechat_rebound": "换绑微信",
    "wechat_unbound": "解绑微信",
    "identity_corrected": "更正身份信息",
    "accounts_merged": "合并账号",
}


@dataclass(frozen=True)
class Message:
    """An SMS to send: to whom, by which of the programme's templates (a key of `authority.sms.templates`); of no
    use after `expires_at`."""

    person_id: str
    programme: str
    phone: str
    template: str
    params: list[str]
    expires_at: datetime | None = None


def code_message(code_id: str) -> Message | None:
    """The SMS of a code; params: the code, and for how many minutes it is good. None once it is used or gone,
    and where it is for nobody."""
    row = VerificationCode.get_or_none(VerificationCode.id == code_id)
    if row is None or row.code_sealed is None or row.person_id is None:
        return None
    minutes = str(int(LIVES.total_seconds() // 60))
    return Message(
        row.person_id, row.programme, row.phone, TEMPLATES[row.purpose], [row.code, minutes], row.expires_at
    )


def notice_message(notice_id: str) -> Message | None:
    """The SMS of a notice; params: what happened, and when in Shanghai. None if there is no such notice."""
    row = Notice.get_or_none(Notice.id == notice_id)
    if row is None:
        return None
    params = [_WHAT[row.kind], f"{shanghai(row.created_at):%m-%d %H:%M}"]
    return Message(row.person_id, row.programme, row.phone, "security_notice", params)


def tell_owner(person: Person, programme: str, kind: NoticeKind, *, now: datetime) -> None:
    """Have the owner told at the phone they have now; nothing where there is none. In the transaction of the deed:
    where the deed changes the phone, before it does."""
    if person.phone_sealed is None:
        return
    with transaction():
        row = Notice.create(person_id=person.id, programme=programme, kind=kind, phone=person.phone, created_at=now)
        outbox.emit("account.notice", row.id, {"notice_id": row.id}, now=now)
