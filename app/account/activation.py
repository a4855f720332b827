"""Activation: a first password is known to everybody, so that a code to the phone of the roster has to come back
(or the face has to pass the real-name check, see `face`). A phone that somebody types in proves nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from app.account import codes, limits, service
from app.account.errors import ALREADY_ACTIVATED, NO_PHONE, SMS_NOT_OFFERED
from app.account.login import SignedIn, activates_by_sms, sign_in, signed_in
from app.account.models import Session
from app.account.sessions import follow
from app.core import audit
from app.core.access import Identity
from app.core.crypto import mask_phone
from app.core.db import transaction
from app.core.errors import SIGN_IN_FIRST
from app.core.ids import new_id
from app.policy import load


@dataclass(frozen=True)
class Sent:
    """A code is on its way to `phone` (masked)."""

    phone: str | None


def _activating(who: Identity) -> Session:
    session = service.get_session(who.session_id)
    if session.proved:
        raise ALREADY_ACTIVATED()
    return session


def send_code(who: Identity, *, address: str, now: datetime) -> Sent:
    """Send a code to the phone on record. Raises `already_activated`, `no_phone_on_record`, `sms_not_offered`,
    `sms_too_often`, `login_paused`."""
    session = _activating(who)
    programme = load.in_force(session.programme, now)
    if not activates_by_sms(programme):
        raise SMS_NOT_OFFERED()
    person = service.get_person(who.person_id)
    if person.phone is None:
        raise NO_PHONE(phone=programme.authority.contacts.login)
    with transaction():
        limits.count(limits.CODES, address, now=now)
        codes.issue(
            programme,
            person.id_number,
            person,
            "activation",
            person.phone,
            asker=who.session_id,
            address=address,
            reserved=True,
            now=now,
        )
    return Sent(mask_phone(person.phone))


def confirm(who: Identity, code: str, *, address: str, now: datetime) -> SignedIn:
    """The code came back: the person is who they say. The session that asked ends, a new one begins (fault L3). With
    the same code again, because the answer was lost, it is the same new session. Raises `code_wrong`,
    `already_activated`, `sign_in_first`."""
    person = service.get_person(who.person_id)
    if service.get_session(who.session_id).followed_by is not None:
        return _again(who, person.id_number, code, now=now)
    session = _activating(who)
    row = codes.check(person.id_number, "activation", code, asker=who.session_id, now=now)
    fresh = new_id()
    with transaction():
        if follow(who.session_id, fresh, now=now):
            codes.use(row, now=now)
            limits.give_back(limits.CODES, address, 1)
            service.activate(person.id, f"sms:{row.id}", now=now, session_id=who.session_id)
            audit.record(f"person:{person.id}", "activation.by_code", f"person:{person.id}", now=now)
            return sign_in(person.id, session.programme, session.channel, proved=True, now=now, session_id=fresh)
    return _again(who, person.id_number, code, now=now)  # sent twice at one moment


def _again(who: Identity, id_number: str, code: str, *, now: datetime) -> SignedIn:
    codes.check_used(id_number, "activation", code, asker=who.session_id)
    followed_by = service.get_session(who.session_id).followed_by
    token = service.token_of(followed_by, now=now) if followed_by else None
    if token is None:
        raise SIGN_IN_FIRST()
    return signed_in(who.person_id, token, proved=True)
