"""WeChat identities: login codes that came in, which openid belongs to whom; leaves to send a message; tickets that a
phone scans."""

from __future__ import annotations

from typing import Any

import peewee

from app.core import crypto
from app.core.crypto import Sealed
from app.core.db import BaseModel, UtcField
from app.wechat.status import LeaveStatus, TicketStatus


class LoginCode(BaseModel):
    """A code of `wx.login` that somebody brought. Its row is made before WeChat is asked, and `code_index` is unique:
    a code that comes twice, or fifty times at once, is asked for once. `bound_at`: its openid was bound by it."""

    code_index = peewee.CharField(32, unique=True)
    programme = peewee.CharField(32)
    appid = peewee.CharField(64)
    address_index = peewee.CharField(32)
    openid = Sealed()
    openid_sealed = peewee.TextField(null=True)
    created_at = UtcField(index=True)
    bound_at = UtcField(null=True)

    class Meta:
        indexes = ((("address_index", "created_at"), False),)


def openid_keys(appid: str, openid: str) -> list[str]:
    """What `openid_key` is for an openid of a mini-program: as it is written today, then as rows may have it."""
    return [f"{appid}:{index}" for index in crypto.indexes("binding.openid", openid)]


class Binding(BaseModel):
    """A person's openid in one mini-program. While it holds, `openid_key` and `person_key` are set and unique: one
    openid a person and one person an openid, for each appid. They are cleared when it ends. `bound_at`: when the
    password was typed for it, to bind it or to confirm it after the password had changed."""

    keyed = ("openid_key",)

    person_id = peewee.CharField(16, index=True)
    appid = peewee.CharField(64)
    openid = Sealed(indexed=True)
    openid_sealed = peewee.TextField()
    openid_index = peewee.CharField(32, index=True)
    openid_key = peewee.CharField(100, null=True, unique=True)
    person_key = peewee.CharField(100, null=True, unique=True)
    bound_at = UtcField()
    ended_at = UtcField(null=True)

    def rekeyed(self) -> dict[str, Any]:
        """The unique key goes with the openid's index."""
        return {"openid_key": self.openid_key and openid_keys(self.appid, self.openid)[0]}


class Authorisation(BaseModel):
    """A page was sent to WeChat to ask whose WeChat it is open in. The id is the state that comes back, good once and
    for `session_id` only. `back`: where the page goes on."""

    person_id = peewee.CharField(16)
    session_id = peewee.CharField(16)
    programme = peewee.CharField(32)
    back = peewee.CharField(200)
    created_at = UtcField(index=True)
    used_at = UtcField(null=True)

    class Meta:
        indexes = ((("person_id", "created_at"), False),)


class PayerOpenid(BaseModel):
    """The openid, in an official account, that a person pays with. `key`: the account's appid and the person, so that
    there is one. It opens no account."""

    key = peewee.CharField(100, unique=True)
    openid = Sealed()
    openid_sealed = peewee.TextField()
    authorised_at = UtcField()


class MessageLeave(BaseModel):
    """A person allows one subscribe message by one template, in the WeChat of `binding_id`. `request_id` names the
    phone's question, so that its answer counts once however often it is sent. `key`: the business key of the message
    that took the leave; `params` (a JSON list) is forgotten once nobody needs it. `urgent` False: it does not ring at
    night; `send_at`: not before."""

    person_id = peewee.CharField(16)
    binding_id = peewee.CharField(16)
    programme = peewee.CharField(32)
    template = peewee.CharField(32)
    template_id = peewee.CharField(64)
    request_id = peewee.CharField(48)
    status = peewee.CharField(16, default=LeaveStatus.STANDING)
    key = peewee.CharField(96, null=True, unique=True)
    params = Sealed()
    params_sealed = peewee.TextField(null=True)
    given_at = UtcField()
    urgent = peewee.BooleanField(null=True)
    taken_at = UtcField(null=True)
    send_at = UtcField(null=True)
    began_at = UtcField(null=True)
    settled_at = UtcField(null=True, index=True)
    provider_code = peewee.CharField(32, null=True)

    class Meta:
        indexes = (
            (("person_id", "request_id", "template"), True),
            (("person_id", "template", "status"), False),
            (("status", "taken_at"), False),
        )


class ScanTicket(BaseModel):
    """What a web page asks of a phone, by a code that the phone scans. The id is in the code; `secret_hash` is of the
    secret that only the page has. `owner_id`: who alone may confirm it (for "study_now"); `subject`: an enrolment.
    `device`: what the phone tells of the page's browser. `person_id`, `phone_session_id`: who scanned it, signed in
    by which session. `session_id`: the session that it opened (for "login")."""

    purpose = peewee.CharField(16)
    programme = peewee.CharField(32)
    subject = peewee.CharField(16, default="")
    owner_id = peewee.CharField(16, null=True)
    secret_hash = peewee.CharField(64)
    asker_index = peewee.CharField(32)
    device = peewee.CharField(32)
    status = peewee.CharField(16, default=TicketStatus.WAITING)
    person_id = peewee.CharField(16, null=True)
    phone_session_id = peewee.CharField(16, null=True)
    session_id = peewee.CharField(16, null=True)
    created_at = UtcField()
    expires_at = UtcField(index=True)
    scanned_at = UtcField(null=True)
    confirmed_at = UtcField(null=True)
    used_at = UtcField(null=True)

    class Meta:
        indexes = ((("asker_index", "created_at"), False),)
