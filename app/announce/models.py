"""Announcements of the centre to those who are in a programme, and who has read them."""

from __future__ import annotations

import peewee

from app.core.db import BaseModel, UtcField


class Announcement(BaseModel):
    """Plain text for everybody with an enrolment in `programme` ('*': in any), shown from `starts_at` to `ends_at`
    (None: until it is withdrawn). `revision` rises with each change."""

    programme = peewee.CharField(32)
    title = peewee.CharField(64)
    body = peewee.TextField()
    status = peewee.CharField(16)
    starts_at = UtcField()
    ends_at = UtcField(null=True)
    revision = peewee.IntegerField(default=0)
    written_by = peewee.CharField(40)
    written_at = UtcField()
    published_by = peewee.CharField(40, null=True)
    published_at = UtcField(null=True)
    withdrawn_at = UtcField(null=True)

    class Meta:
        indexes = ((("status", "programme"), False),)


class AnnouncementRead(BaseModel):
    """A person opened an announcement, the first time."""

    announcement_id = peewee.CharField(16)
    person_id = peewee.CharField(16, index=True)
    read_at = UtcField()

    class Meta:
        indexes = ((("announcement_id", "person_id"), True),)
