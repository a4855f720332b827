"""What the routes of help tickets take and give."""

from __future__ import annotations

from typing import Any

from apiflask import Schema
from apiflask.fields import Boolean, File, List, Nested, String
from apiflask.validators import Length, OneOf, Regexp

from app.support.queries import TOPICS

_MOMENT = {"format": "date-time"}
_LONGEST = 1000


def _client_id(**more: Any) -> String:
    return String(
        required=True,
        validate=Regexp(r"^[A-Za-z0-9_-]{8,40}\Z", error="编号不正确，请返回后重新填写。"),
        metadata={"description": "客户端自己生成的编号：重复提交同一编号不会产生两条", **more},
    )


def _text() -> String:
    return String(
        required=True,
        validate=Length(min=2, max=_LONGEST, error=f"请写清楚遇到的问题，2 至 {_LONGEST} 个字。"),
        metadata={"description": "问题"},
    )


def _pictures() -> List:
    one = String(validate=Regexp(r"^[0-9a-z]{16}\Z", error="照片编号不正确，请重新添加照片。"))
    return List(one, load_default=list, validate=Length(max=3, error="一次最多三张照片。"))


class TicketIn(Schema):
    client_id = _client_id()
    topic = String(required=True, validate=OneOf(list(TOPICS), error="请选择是哪方面的问题。"))
    text = _text()
    pictures = _pictures()


class ReplyIn(Schema):
    client_id = _client_id()
    text = _text()
    pictures = _pictures()


class TicketPictureIn(Schema):
    picture = File(required=True, metadata={"description": "JPEG 或 PNG，最大 5 MB"})
    client_id = _client_id()


class TicketPictureOut(Schema):
    id = String(required=True)


class TopicOut(Schema):
    key = String(required=True)
    title = String(required=True)


class TicketOut(Schema):
    id = String(required=True)
    topic = String(required=True, metadata={"description": "事项的名称"})
    status = String(required=True, validate=OneOf(["waiting", "asked", "answered", "closed"]))
    status_text = String(required=True, metadata={"description": "状态，给学员看的一句话"})
    unread = Boolean(required=True, metadata={"description": "有还没看过的答复"})
    created_at = String(required=True, metadata=_MOMENT)
    changed_at = String(required=True, metadata=_MOMENT)


class TicketMessageOut(Schema):
    ours = Boolean(required=True, metadata={"description": "是否客服所写"})
    text = String(required=True)
    at = String(required=True, metadata=_MOMENT)
    pictures = List(String(), required=True, metadata={"description": "照片编号"})


class TicketsOut(Schema):
    topics = List(Nested(TopicOut), required=True)
    tickets = List(Nested(TicketOut), required=True)


class TicketDetailOut(Schema):
    ticket = Nested(TicketOut, required=True)
    messages = List(Nested(TicketMessageOut), required=True)
    may_reply = Boolean(required=True)
