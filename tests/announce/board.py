"""Announcements for tests."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from app.announce.models import Announcement
from app.core.clock import utcnow


def an_announcement(**values: Any) -> Announcement:
    """A published one for yunnan, shown since an hour."""
    now = utcnow()
    defaults: dict[str, Any] = {
        "programme": "yunnan",
        "title": "七月考试安排",
        "body": "七月考试改在 7 月 18 日。\n请提前完成学习。",
        "status": "published",
        "starts_at": now - timedelta(hours=1),
        "ends_at": None,
        "revision": 1,
        "written_by": "staff:1",
        "written_at": now - timedelta(hours=2),
        "published_by": "staff:1",
        "published_at": now - timedelta(hours=1),
    }
    row: Announcement = Announcement.create(**(defaults | values))
    return row
