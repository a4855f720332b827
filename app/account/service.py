"""The account as other domains know it: people, sessions, consent, proof of identity, messages to its owner.

What its own screens do stands beside this file: login.py, activation.py, password.py, phone.py.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Literal

from app.account import codes, consents, limits, passwords, sessions
from app.account.identity import change_phone_by_support, correct, whose
from app.account.looks import NUMBER_TAKEN, UNMASKED, count_looks
from app.account.merging import Part, merge, why_not
from app.account.merging import part as on_merge
from app.account.messages import Message, NoticeKind, code_message, notice_message, tell_owner
from app.account.models import Person
from app.account.people import (
    Known,
    NameConflict,
    NewPerson,
    find_by_id_number,
    find_or_create_people,
    look_up_people,
    merged,
    named,
    others_have_phone,
)
from app.account.places import on_rosters
from app.account.sessions import (
    authenticate,
    end_session,
    end_sessions,
    get_session,
    next_step,
    open_session,
    token_of,
)
from app.core import audit
from app.core.crypto import mask_phone
from app.core.db import compare_and_set, lock, transaction
from app.core.errors import NOT_FOUND

__all__ = [
    "CONSENT_KINDS",
    "CONSENT_VERSIONS",
    "NUMBER_TAKEN",
    "UNMASKED",
    "WITHDRAWABLE",
    "Known",
    "Limit",
    "Message",
    "NameConflict",
    "NewPerson",
    "NoticeKind",
    "Part",
    "activate",
    "authenticate",
    "change_phone",
    "change_phone_by_support",
    "clear_login_limits",
    "code_message",
    "consent_given_at",
    "correct",
    "count_looks",
    "count_try",
    "end_session",
    "end_sessions",
    "find_by_id_number",
    "find_or_create_people",
    "forget",
    "forget_tries",
    "get_person",
    "get_session",
    "give_back_tries",
    "give_consent",
    "has_consent",
    "hold",
    "hold_consent",
    "look_up_people",
    "merge",
    "merged",
    "named",
    "next_step",
    "notice_message",
    "on_merge",
    "on_rosters",
    "open_session",
    "others_have_phone",
    "people",
    "require_consent",
    "require_password",
    "tell_owner",
    "token_of",
    "whose",
    "why_not",
    "withdraw_consent",
]

CONSENT_VERSIONS = consents.VERSIONS
CONSENT_KINDS = tuple(consents.VERSIONS)

has_consent = consents.agreed
consent_given_at = consents.given_at
WITHDRAWABLE = consents.WITHDRAWABLE
require_consent = consents.require
require_password = passwords.require
hold = limits.hold
Limit = limits.Limit  # of guesses at something else than a trainee's account: the same counters, other scopes
count_try = limits.count
forget_tries = limits.succeed
give_back_tries = limits.give_back


def people(ids: Collection[str]) -> list[Person]:
    """These persons, in no order; who is not there is left out."""
    return list(Person.select().where(Person.id.in_(list(ids)))) if ids else []


def get_person(person_id: str, *, locked: bool = False) -> Person:
    """The person; `locked`: nobody else's password, sessions, consents and bindings of theirs change before the
    caller's transaction ends. Raises `not_found`."""
    query = Person.select().where(Person.id == person_id)
    person: Person | None = (lock(query) if locked else query).first()
    if person is None:
        raise NOT_FOUND()
    return person


def activate(person_id: str, evidence: str, *, now: datetime, session_id: str | None = None) -> bool:
    """The person has proved who they are; `evidence` says how ('sms:<code id>', 'face:<check id>'), `session_id` in
    which session: consents that were given in others before do not count. Sessions that exist gain nothing by it:
    open a new one. False if the person was active before."""
    with transaction():
        won = compare_and_set(Person, person_id, {"activated_at": None}, {"activated_at": now})
        if won:
            audit.record(f"person:{person_id}", "person.activated", f"person:{person_id}", now=now, evidence=evidence)
            if session_id is not None:
                consents.drop_of_other_sessions(person_id, session_id, now=now)
    return won


def give_consent(person_id: str, kind: str, version: str, *, now: datetime, session_id: str | None = None) -> None:
    """Write down that the person agreed, in which session; a second time changes nothing. Raises
    `consent_outdated`."""
    with transaction():
        get_person(person_id, locked=True)  # or a password set at this moment and this consent miss each other
        consents.write(person_id, kind, version, now=now, session_id=session_id)
        sessions.complete_sessions(person_id)


def withdraw_consent(person_id: str, kind: str, *, now: datetime) -> None:
    """Take back what was agreed to, as `consents.withdraw` says. Raises `not_found`, `consent_stays`."""
    with transaction():
        get_person(person_id, locked=True)  # who holds the consent meanwhile ends first
        consents.withdraw(person_id, kind, now=now)


def hold_consent(person_id: str, kind: str) -> None:
    """Raises `consent_needed` unless the person has agreed, and will have until the caller's transaction ends."""
    get_person(person_id, locked=True)
    consents.require(person_id, kind)


def change_phone(person_id: str, programme: str, phone: str, *, by: Literal["sms", "wechat"], now: datetime) -> str:
    """The person, who has just typed the password, holds this number: a code came back from it, or WeChat says so.
    The old one is told; the same as before changes nothing. Gives it, masked. It proves nobody's identity."""
    with transaction():
        person = get_person(person_id, locked=True)
        new, old = mask_phone(phone) or "", mask_phone(person.phone)
        if person.phone == phone:
            return new
        tell_owner(person, programme, "phone_changed", now=now)
        person.phone, person.phone_origin = phone, "verified"
        person.save(only=(Person.phone_sealed, Person.phone_index, Person.phone_origin))
        who = f"person:{person_id}"
        audit.record(who, "phone.changed", who, now=now, old=old, new=new, by=by)
    return new


def clear_login_limits(
    person_id: str, *, actor: str, reason: str, now: datetime, programme: str | None = None
) -> None:
    """Support lets an owner in who is kept out by wrong passwords, theirs or strangers'; `actor` is 'staff:<id>'."""
    person = get_person(person_id)
    with transaction():
        limits.unlock(person.id_number, person.id)
        audit.record(
            actor, "login.limits_cleared", f"person:{person_id}", now=now, reason=reason, programme=programme
        )


def forget(*, now: datetime) -> int:
    """Delete codes, counters and sessions that count for nothing any more; gives how many rows."""
    return codes.forget(now=now) + limits.forget(now=now) + sessions.forget(now=now)
