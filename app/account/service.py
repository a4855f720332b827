"""The person as others know it: found, created, activated, signed in, agreed.

Signing in, codes and passwords stand in their own files beside this one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.account.errors import CONSENT_NEEDED
from app.account.models import Consent, Person, Session
from app.core import audit, crypto, tokens
from app.core.access import Identity
from app.core.db import compare_and_set, transaction
from app.core.errors import NOT_FOUND
from app.core.ids import new_id

SESSION_DAYS = 30  # a full session
ACTIVATING_MINUTES = 30  # a session that opens nothing but the activation
PURPOSE = "session"
CONSENT_KINDS = ("agreement", "face")


@dataclass(frozen=True)
class NewPerson:
    """A line of a roster: a checked ID number, a name, and the phone that the source supplied (None: none)."""

    id_number: str
    name: str
    phone: str | None


@dataclass(frozen=True)
class NameConflict(Exception):
    """The person with this ID number is known under another name; `position` counts the rows from 0."""

    position: int


@dataclass(frozen=True)
class Known:
    """A person that a line of a roster names, and whether the name is the one we know."""

    person_id: str
    same_name: bool


def look_up_people(rows: Sequence[NewPerson]) -> list[Known | None]:
    """Who is known already, row by row (None: nobody yet). Writes nothing."""
    keys = [crypto.index("person.id_number", row.id_number) for row in rows]
    known = _by_index(keys)
    found: list[Known | None] = []
    for key, row in zip(keys, rows, strict=True):
        person = known.get(key)
        same = person is not None and person.name_index == crypto.index("person.name", row.name)
        found.append(Known(person.id, same) if person else None)
    return found


def _by_index(keys: Sequence[str]) -> dict[str, Person]:
    """The persons with these indexes of their ID numbers."""
    known: dict[str, Person] = {}
    distinct = list(dict.fromkeys(keys))
    for start in range(0, len(distinct), 500):
        for person in Person.select().where(Person.id_number_index.in_(distinct[start : start + 500])):
            known[person.id_number_index] = person
    return known


def find_or_create_people(rows: Sequence[NewPerson], *, now: datetime) -> list[str]:
    """The person of each row, created where the ID number is new; ids in the order of `rows`. A phone fills an empty
    one and never replaces another. Joins the caller's transaction. Raises `NameConflict`."""
    keys = [crypto.index("person.id_number", row.id_number) for row in rows]
    known = _by_index(keys)
    created: list[Person] = []
    ids: list[str] = []
    for position, (key, row) in enumerate(zip(keys, rows, strict=True)):
        found = known.get(key)
        if found is None:
            origin = "roster" if row.phone else None
            found = Person(
                id_number=row.id_number, name=row.name, phone=row.phone, phone_origin=origin, created_at=now
            )
            known[key] = found
            created.append(found)
        elif found.name_index != crypto.index("person.name", row.name):
            raise NameConflict(position)
        elif row.phone and found.phone_sealed is None:
            found.phone, found.phone_origin = row.phone, "roster"
            if found not in created:
                found.save()
        ids.append(found.id)
    with transaction():
        for start in range(0, len(created), 200):
            Person.bulk_create(created[start : start + 200])
    return ids


def get_person(person_id: str) -> Person:
    """The person. Raises `not_found`."""
    person = Person.get_or_none(Person.id == person_id)
    if person is None:
        raise NOT_FOUND()
    return person


def find_by_id_number(id_number: str) -> Person | None:
    """The person with this (normalised) ID number."""
    found: Person | None = Person.get_or_none(Person.id_number_index == crypto.index("person.id_number", id_number))
    return found


# --- sessions ----------------------------------------------------------------------------------------------------


def open_session(person_id: str, programme: str, channel: str, *, activated: bool, now: datetime) -> str:
    """A new session and its token, always a fresh one (nothing that existed before the sign-in stays valid as it)."""
    life = timedelta(days=SESSION_DAYS) if activated else timedelta(minutes=ACTIVATING_MINUTES)
    session_id = new_id()
    Session.create(
        id=session_id,
        person_id=person_id,
        programme=programme,
        channel=channel,
        activated=activated,
        created_at=now,
        expires_at=now + life,
    )
    return tokens.sign(PURPOSE, session_id, expires=now + life)


def authenticate(token: str, *, now: datetime) -> Identity | None:
    """Who holds `token`: its signature first (a forged one never reaches the database), then its row."""
    try:
        (session_id,) = tokens.verify(PURPOSE, token, now)
    except (tokens.BadToken, ValueError):
        return None
    row = (
        Session.select(Session.person_id, Session.activated, Session.expires_at)
        .where(Session.id == session_id, Session.ended_at.is_null())
        .tuples()
        .first()
    )
    if row is None or row[2] <= now:
        return None
    return Identity(person_id=row[0], session_id=session_id, activated=row[1])


def end_session(session_id: str, *, now: datetime) -> None:
    """Log out; a second time changes nothing."""
    Session.update(ended_at=now).where(Session.id == session_id, Session.ended_at.is_null()).execute()


def end_sessions(person_id: str, *, now: datetime, keep: str | None = None) -> int:
    """End every session of a person but `keep`; gives how many ended."""
    query = Session.update(ended_at=now).where(Session.person_id == person_id, Session.ended_at.is_null())
    return int(query.where(Session.id != keep).execute() if keep else query.execute())


def get_session(session_id: str) -> Session:
    """The session's row. Raises `not_found`."""
    session = Session.get_or_none(Session.id == session_id)
    if session is None:
        raise NOT_FOUND()
    return session


# --- activation and consent --------------------------------------------------------------------------------------


def activate(person_id: str, evidence: str, *, now: datetime) -> bool:
    """The person has proved who they are; `evidence` says how ('sms:<code id>', 'face_check:<id>'). Their sessions
    become full ones only through a new sign-in or a new token. False if the person was active before."""
    with transaction():
        won = compare_and_set(Person, person_id, {"activated_at": None}, {"activated_at": now})
        if won:
            audit.record(f"person:{person_id}", "person.activated", f"person:{person_id}", now=now, evidence=evidence)
    return won


def give_consent(person_id: str, kind: str, version: str, *, now: datetime) -> None:
    """Write down that the person agreed; a second time changes nothing."""
    with transaction():
        known = Consent.select().where(
            Consent.person_id == person_id, Consent.kind == kind, Consent.version == version
        )
        if known.exists():
            return
        Consent.create(person_id=person_id, kind=kind, version=version, agreed_at=now)
        audit.record(
            f"person:{person_id}", "consent.given", f"person:{person_id}", now=now, kind=kind, version=version
        )


def consents(person_id: str) -> set[str]:
    """The kinds that a person has agreed to."""
    query = Consent.select(Consent.kind).where(Consent.person_id == person_id).distinct().tuples()
    return {kind for (kind,) in query}


def require_consent(person_id: str, kind: str) -> None:
    """Raises `consent_needed`, naming the kind, unless the person has agreed."""
    if kind not in consents(person_id):
        raise CONSENT_NEEDED(consent=kind)
