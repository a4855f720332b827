"""What the routes of messages give."""

from __future__ import annotations

from apiflask import Schema
from apiflask.fields import List, Nested, String

_MOMENT = {"format": "date-time"}


class MessageOut(Schema):
    title = String(required=True, metadata={"description": "短信的类别，例如“激活验证码”"})
    text = String(required=True, allow_none=True, metadata={"description": "短信的内容；验证码短信不保留内容"})
    phone = String(required=True, metadata={"description": "接收短信的手机号（打码）"})
    state = String(required=True, metadata={"description": "发送情况，给学员看的一句话"})
    advice = String(required=True, allow_none=True, metadata={"description": "可能没有送达时，下一步怎么办"})
    created_at = String(required=True, metadata=_MOMENT)
    send_at = String(required=True, metadata=_MOMENT | {"description": "夜间不打扰，不急的短信早上再发"})


class MessagesOut(Schema):
    messages = List(Nested(MessageOut), required=True)
