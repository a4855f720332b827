"""What of a person is of announcements: which they have opened."""

from __future__ import annotations

from datetime import datetime

from app.account import service as account
from app.announce.models import AnnouncementRead


def move(keep: str, gone: str, _now: datetime) -> None:
    """In the merge's transaction; one that both have opened stays opened once."""
    mine = AnnouncementRead.select(AnnouncementRead.announcement_id).where(AnnouncementRead.person_id == keep)
    known = [announcement_id for (announcement_id,) in mine.tuples()]
    theirs = AnnouncementRead.person_id == gone
    if known:
        AnnouncementRead.delete().where(theirs, AnnouncementRead.announcement_id.in_(known)).execute()
    AnnouncementRead.update(person_id=keep).where(theirs).execute()


PART = account.Part("announce", move)
