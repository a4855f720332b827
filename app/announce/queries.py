"""Named reads: a person's announcements, and what staff see of theirs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import peewee

from app.announce.models import Announcement, AnnouncementRead
from app.announce.status import Status
from app.core.errors import NOT_FOUND
from app.core.staff import EVERYWHERE, Right, Staff
from app.enrol.models import Enrolment

SHOWN = 50  # the newest of a person


@dataclass(frozen=True)
class Mail:
    """An announcement as its reader sees it."""

    id: str
    title: str
    body: str
    starts_at: datetime
    read: bool


@dataclass(frozen=True)
class Card:
    """An announcement as staff see it. `addressed`: people with an enrolment in its programme now; `read_by`: how
    many of them have opened it."""

    row: Announcement
    read_by: int
    addressed: int

    @property
    def percent(self) -> int:
        """How many of those addressed have read it, in percent, rounded down."""
        return min(100, self.read_by * 100 // self.addressed) if self.addressed else 0

    def phase(self, now: datetime) -> str:
        """What it is at `now`: its status, or 'waiting' before its time and 'over' after it."""
        if self.row.status != Status.PUBLISHED:
            return str(self.row.status)
        if self.row.starts_at > now:
            return "waiting"
        return "over" if self.row.ends_at is not None and self.row.ends_at <= now else "published"


def _shown(person_id: str, now: datetime) -> Any:
    """The condition on announcements that this person sees at `now`."""
    mine = Enrolment.select(Enrolment.programme).where(Enrolment.person_id == person_id)
    anywhere = peewee.fn.EXISTS(Enrolment.select(peewee.SQL("1")).where(Enrolment.person_id == person_id))
    return (
        (Announcement.status == Status.PUBLISHED)
        & (Announcement.starts_at <= now)
        & (Announcement.ends_at.is_null() | (Announcement.ends_at > now))
        & (Announcement.programme.in_(mine) | ((Announcement.programme == EVERYWHERE) & anywhere))
    )


def to_person(person_id: str, *, now: datetime) -> list[Mail]:
    """What this person sees now, the newest first."""
    query = Announcement.select().where(_shown(person_id, now))
    rows = list(query.order_by(Announcement.starts_at.desc(), Announcement.id.desc()).limit(SHOWN))
    read = _read_by(person_id, [row.id for row in rows])
    return [Mail(row.id, row.title, row.body, row.starts_at, row.id in read) for row in rows]


def _read_by(person_id: str, ids: list[str]) -> set[str]:
    if not ids:
        return set()
    query = AnnouncementRead.select(AnnouncementRead.announcement_id).where(
        AnnouncementRead.person_id == person_id, AnnouncementRead.announcement_id.in_(ids)
    )
    return {announcement_id for (announcement_id,) in query.tuples()}


def one_to_person(announcement_id: str, person_id: str, *, now: datetime) -> Announcement:
    """One of them. Raises `NOT_FOUND`, also for one that is not for this person."""
    row = Announcement.get_or_none(_shown(person_id, now) & (Announcement.id == announcement_id))
    if row is None:
        raise NOT_FOUND()
    return row  # type: ignore[no-any-return]


def unread(person_id: str, *, now: datetime) -> int:
    """How many of them this person has not opened."""
    return sum(not mail.read for mail in to_person(person_id, now=now))


def visible(staff: Staff, announcement_id: str) -> Announcement:
    """An announcement of a programme in which they teach ('*': who teaches everywhere). Raises `NOT_FOUND`."""
    row = Announcement.get_or_none(Announcement.id == announcement_id)
    if row is None or not staff.may(Right.TEACHING, row.programme):
        raise NOT_FOUND()
    return row  # type: ignore[no-any-return]


def cards(staff: Staff, *, limit: int = 100) -> list[Card]:
    """The announcements of the programmes in which they teach, the newest first."""
    where = staff.programmes(Right.TEACHING)
    query = Announcement.select()
    if EVERYWHERE not in where:
        query = query.where(Announcement.programme.in_(sorted(where)))
    return _cards(list(query.order_by(Announcement.id.desc()).limit(limit)))


def card(staff: Staff, announcement_id: str) -> Card:
    """One of them. Raises `NOT_FOUND`."""
    (found,) = _cards([visible(staff, announcement_id)])
    return found


def _cards(rows: list[Announcement]) -> list[Card]:
    count = peewee.fn.COUNT(AnnouncementRead.id)
    reads = AnnouncementRead.select(AnnouncementRead.announcement_id, count).where(
        AnnouncementRead.announcement_id.in_([row.id for row in rows])
    )
    by_row = dict(reads.group_by(AnnouncementRead.announcement_id).tuples()) if rows else {}
    people = {programme: addressed(programme) for programme in {row.programme for row in rows}}
    return [Card(row, by_row.get(row.id, 0), people[row.programme]) for row in rows]


def addressed(programme: str) -> int:
    """How many people have an enrolment in the programme ('*': in any)."""
    query = Enrolment.select(peewee.fn.COUNT(Enrolment.person_id.distinct()))
    return int((query if programme == EVERYWHERE else query.where(Enrolment.programme == programme)).scalar() or 0)
