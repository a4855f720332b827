"""What the routes of announcements give."""

from __future__ import annotations

from apiflask import Schema
from apiflask.fields import Boolean, Integer, List, Nested, String


class AnnouncementLineOut(Schema):
    id = String(required=True)
    title = String(required=True)
    starts_at = String(required=True, metadata={"format": "date-time", "description": "从何时起显示"})
    read = Boolean(required=True, metadata={"description": "本人打开过"})


class AnnouncementsOut(Schema):
    unread = Integer(required=True)
    announcements = List(Nested(AnnouncementLineOut), required=True)


class AnnouncementOut(AnnouncementLineOut):
    body = String(required=True, metadata={"description": "纯文本，换行保留"})
