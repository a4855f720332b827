"""Sessions: a signed token that names a row (docs/decisions/0007-sessions.md)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise, repeat
from typing import Any, Literal

from app.account.consents import VERSIONS, agreed
from app.account.models import SESSION_COLUMNS, Person, Session
from app.core import canaries, tokens
from app.core.access import Identity, Reading
from app.core.db import compare_and_set, lock, transaction
from app.core.errors import NOT_FOUND
from app.core.ids import new_id
from app.core.rotation import Use
from app.core.statement import Statement

PURPOSE = "session"
LIVES = {
    "web": timedelta(days=1),
    "phone_web": timedelta(days=7),
    "mini_program": timedelta(days=30),
    "app": timedelta(days=30),
}
ACTIVATING_LIVES = timedelta(minutes=30)

Step = Literal["activate", "password", "consent", "home"]


def next_step(person: Person, *, proved: bool) -> Step:
    """What the person does next to get in: the stages of getting a full session, in order."""
    if not proved:
        return "activate"
    if person.password_hash is None:
        return "password"
    return "home" if agreed(person.id, "agreement") else "consent"


def open_session(
    person_id: str, programme: str, channel: str, *, activated: bool, now: datetime, session_id: str | None = None
) -> str:
    """A new session and its token, always a fresh one (fault L3). `activated`: the person has proved who they are;
    the session is a full one as soon as they also have a password of their own and agreed to the user agreement.
    `session_id`: a fresh one, for who has to name it beforehand. Raises `not_found`, also for who was merged into
    another person."""
    life = LIVES[channel] if activated else ACTIVATING_LIVES
    session_id = session_id or new_id()
    with transaction():
        person = lock(Person.select().where(Person.id == person_id)).first()  # or a merge misses this session
        if person is None or person.merged_into is not None:
            raise NOT_FOUND()
        full = next_step(person, proved=activated) == "home"
        Session.create(
            id=session_id,
            person_id=person_id,
            programme=programme,
            channel=channel,
            proved=activated,
            activated=full,
            agreement=VERSIONS["agreement"] if full else None,
            created_at=now,
            expires_at=now + life,
        )
    return tokens.sign(PURPOSE, session_id, expires=now + life)


_READ = Statement(
    lambda slot: Session.select(*SESSION_COLUMNS).where(Session.id == slot, Session.ended_at.is_null()),
)


def _read(session_id: str) -> list[tuple[Any, ...]]:
    found: list[tuple[Any, ...]] = _READ(session_id).fetchall()
    return found


_READ_FOLLOWED = Statement(
    lambda slot: Session.select(*SESSION_COLUMNS).where(
        Session.id == slot, Session.ended_at.is_null() | Session.followed_by.is_null(False)
    ),
)


def or_followed(session_id: str) -> list[tuple[Any, ...]]:
    """A `Reading` of a session that goes on, or that the activation ended: for the repeated activation alone."""
    found: list[tuple[Any, ...]] = _READ_FOLLOWED(session_id).fetchall()
    return found


def authenticate(token: str, *, now: datetime, reading: Reading | None = None) -> Identity | None:
    """Who holds `token`: its signature first (a forged one never reaches the database), then its row. A session is
    a full one under the version of the agreement that is in force only. `reading` gives the rows of a session that
    has not ended, which begin with `SESSION_COLUMNS`; the rest goes with the identity."""
    try:
        (session_id,) = tokens.verify(PURPOSE, token, now)
    except (tokens.BadToken, ValueError):
        return None
    rows = (reading or _read)(session_id)
    if not rows:
        return None
    person_id, activated, expires_at, agreement = rows[0][: len(SESSION_COLUMNS)]
    over = Session.expires_at.python_value(expires_at)
    if over is None or over <= now:
        return None
    full = bool(activated) and agreement == VERSIONS["agreement"]
    return Identity(person_id, session_id, full, [row[len(SESSION_COLUMNS) :] for row in rows])


def complete_sessions(person_id: str) -> None:
    """Make the person's proved sessions full ones, if nothing is missing any more."""
    person = Person.get_by_id(person_id)
    if next_step(person, proved=True) != "home":
        return
    Session.update(activated=True, agreement=VERSIONS["agreement"]).where(
        Session.person_id == person_id,
        Session.proved,
        Session.ended_at.is_null(),
    ).execute()


def end_session(session_id: str, *, now: datetime) -> None:
    """Log out; a second time changes nothing."""
    Session.update(ended_at=now).where(Session.id == session_id, Session.ended_at.is_null()).execute()


def follow(session_id: str, by: str, *, now: datetime) -> bool:
    """End a session in favour of the session `by`: True for one caller ever."""
    return compare_and_set(Session, session_id, {"ended_at": None}, {"ended_at": now, "followed_by": by})


def end_sessions(person_id: str, *, now: datetime, keep: str | None = None, channel: str | None = None) -> int:
    """End every session of a person (of one channel) but `keep`; gives how many ended."""
    query = Session.update(ended_at=now).where(Session.person_id == person_id, Session.ended_at.is_null())
    if keep is not None:
        query = query.where(Session.id != keep)
    if channel is not None:
        query = query.where(Session.channel == channel)
    return int(query.execute())


def get_session(session_id: str) -> Session:
    """The session's row. Raises `not_found`."""
    session: Session | None = Session.get_or_none(Session.id == session_id)
    if session is None:
        raise NOT_FOUND()
    return session


def token_of(session_id: str, *, now: datetime) -> str | None:
    """The token of a session once more, for an answer that was lost on its way; None once it is over."""
    session = get_session(session_id)
    if session.ended_at is not None or session.expires_at <= now:
        return None
    return tokens.sign(PURPOSE, session_id, expires=session.expires_at)


def uses(now: datetime) -> Iterator[Use]:
    """The keys that signed the tokens of sessions which are not over (`app.core.rotation`): the one that wrote when a
    session began."""
    signing = canaries.periods(canaries.SIGNING)
    for (key_id, since), (_, until) in pairwise(signing):
        going_on = Session.ended_at.is_null() & (Session.expires_at > now)
        of_its_time = (Session.created_at >= since) & (Session.created_at < until)
        yield from repeat(
            Use(canaries.SIGNING, key_id, "session"), Session.select().where(of_its_time, going_on).count()
        )


def forget(*, now: datetime) -> int:
    """Delete sessions that are over for long; gives how many."""
    old = Session.select(Session.id).where(Session.expires_at < now - timedelta(days=90)).limit(1000)
    ids = [row_id for (row_id,) in old.tuples()]
    return int(Session.delete().where(Session.id.in_(ids)).execute()) if ids else 0
