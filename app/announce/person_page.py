"""What the announcements add to a person's page: which were addressed to them, and which they have opened."""

from __future__ import annotations

from typing import Any

import peewee

from app.account.person_pages import Entry, PersonPage, Sight, Source, Window
from app.announce.models import Announcement, AnnouncementRead
from app.core.clock import shanghai
from app.core.staff import EVERYWHERE
from app.enrol.models import Enrolment


def _theirs(sight: Sight) -> Any:
    """The condition on announcements that are for somebody of the person's enrolments."""
    signed_up = Enrolment.select(Enrolment.programme).where(
        sight.mine(Enrolment.person_id), sight.within(Enrolment.programme)
    )
    anywhere = (Announcement.programme == EVERYWHERE) & peewee.fn.EXISTS(signed_up)
    return Announcement.programme.in_(signed_up) | anywhere


def _programme(row: Any) -> str | None:
    return None if row.programme == EVERYWHERE else str(row.programme)


def addressed(sight: Sight, window: Window) -> list[Entry]:
    """The announcements that were published for the person's programmes, and whether they were read."""
    query = Announcement.select().where(Announcement.published_at.is_null(False), _theirs(sight))
    rows = window.of(query, Announcement.published_at, Announcement.id)
    read = AnnouncementRead.select(AnnouncementRead.announcement_id).where(
        sight.mine(AnnouncementRead.person_id), AnnouncementRead.announcement_id.in_([row.id for row in rows])
    )
    opened = {row_id for (row_id,) in read.tuples()} if rows else set()
    return [
        Entry(
            row.published_at,
            row.id,
            f"发给学员的通知：{row.title}",
            evidence=f"{shanghai(row.starts_at):%m-%d %H:%M} 起显示"
            + (f"，{shanghai(row.withdrawn_at):%m-%d %H:%M} 撤回" if row.withdrawn_at else "")
            + ("，已读" if row.id in opened else "，未读"),
            programme=_programme(row),
            who=row.published_by or "",
        )
        for row in rows
    ]


def opened(sight: Sight, window: Window) -> list[Entry]:
    """The announcements that the person has opened, each the first time."""
    query = (
        AnnouncementRead.select(
            AnnouncementRead, Announcement.title.alias("title"), Announcement.programme.alias("programme")
        )
        .join(Announcement, on=(Announcement.id == AnnouncementRead.announcement_id))
        .where(sight.mine(AnnouncementRead.person_id), _theirs(sight))
        .objects()
    )
    return [
        Entry(row.read_at, row.id, f"打开通知：{row.title}", tone="good", programme=_programme(row), who="学员")
        for row in window.of(query, AnnouncementRead.read_at, AnnouncementRead.id)
    ]


PAGE = PersonPage(
    domain="announce", sources=(Source("announcements", addressed), Source("announcements_read", opened))
)
