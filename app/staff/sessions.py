"""Sessions of the staff: a signed cookie that names a row. Thirty minutes without anybody there, or twelve hours, end
one; the oldest makes room for a fourth."""

from __future__ import annotations

from datetime import datetime, timedelta

from app.core import tokens
from app.core.access import StaffIdentity
from app.core.ids import new_id
from app.core.staff import Right, Staff
from app.staff.models import Member, MemberRight, MemberSession

PURPOSE = "staff session"
IDLE = timedelta(minutes=30)
LIVES = timedelta(hours=12)
SIGNING_IN = timedelta(minutes=10)  # from the password to the second factor
AT_ONCE = 3
SEEN_EVERY = timedelta(minutes=1)  # how exactly it is written down that somebody is there


def rights_of(member_id: str) -> frozenset[tuple[Right, str]]:
    """What a member may do, and where."""
    rows = MemberRight.select(MemberRight.right, MemberRight.programme).where(MemberRight.member_id == member_id)
    return frozenset((Right(right), programme) for right, programme in rows.tuples())


def open_session(member: Member, stage: str, *, now: datetime) -> str:
    """A new session and its token, always a fresh one (fault L3). A full one ends the oldest of those beyond
    `AT_ONCE`."""
    session_id, expires = new_id(), now + (LIVES if stage == "full" else SIGNING_IN)
    if stage == "full":
        _make_room(member.id, now)
    MemberSession.create(
        id=session_id, member_id=member.id, stage=stage, created_at=now, seen_at=now, expires_at=expires
    )
    return tokens.sign(PURPOSE, session_id, expires=expires)


def _make_room(member_id: str, now: datetime) -> None:
    mine = MemberSession.select(MemberSession.id).where(
        MemberSession.member_id == member_id,
        MemberSession.stage == "full",
        MemberSession.ended_at.is_null(),
        MemberSession.expires_at > now,
    )
    for (session_id,) in list(mine.order_by(MemberSession.seen_at.desc()).tuples())[AT_ONCE - 1 :]:
        end(session_id, now=now)


def authenticate(token: str, *, now: datetime, polls: bool = False) -> StaffIdentity | None:
    """Who holds `token`: its signature first, then its row, then the account. Writes down that they are there,
    unless a page `polls` by itself."""
    try:
        (session_id,) = tokens.verify(PURPOSE, token, now)
    except (tokens.BadToken, ValueError):
        return None
    session = MemberSession.get_or_none(MemberSession.id == session_id, MemberSession.ended_at.is_null())
    if session is None or session.expires_at <= now or session.seen_at <= now - IDLE:
        return None
    member = Member.get_or_none(Member.id == session.member_id, Member.disabled_at.is_null())
    if member is None:
        return None
    if session.seen_at <= now - SEEN_EVERY and not polls:
        MemberSession.update(seen_at=now).where(MemberSession.id == session_id).execute()
    staff = Staff(f"staff:{member.id}", rights_of(member.id))
    return StaffIdentity(staff, member.id, member.name, session_id, session.stage, session.expires_at)


def end(session_id: str, *, now: datetime) -> None:
    """Sign out; a second time changes nothing."""
    MemberSession.update(ended_at=now).where(
        MemberSession.id == session_id, MemberSession.ended_at.is_null()
    ).execute()


def end_all(member_id: str, *, now: datetime, keep: str | None = None) -> int:
    """End every session of a member but `keep`; gives how many ended."""
    query = MemberSession.update(ended_at=now).where(
        MemberSession.member_id == member_id, MemberSession.ended_at.is_null()
    )
    return int((query if keep is None else query.where(MemberSession.id != keep)).execute())


def forget(*, now: datetime) -> int:
    """Delete sessions that are over for long; gives how many."""
    old = MemberSession.select(MemberSession.id).where(MemberSession.expires_at < now - timedelta(days=90))
    ids = [row_id for (row_id,) in old.limit(1000).tuples()]
    return int(MemberSession.delete().where(MemberSession.id.in_(ids)).execute()) if ids else 0
