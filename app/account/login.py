"""Signing in with ID number and password. The limits: docs/decisions/0010-login-limits.md."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import NoReturn

from app.account import codes, consents, limits, passwords, places, service
from app.account.errors import (
    LOGIN_CODE_NEEDED,
    LOGIN_FAILED,
    OTHER_PROGRAMME,
    PROGRAMME_NOT_OPEN,
    UNKNOWN_PROGRAMME,
)
from app.account.people import id_number_index
from app.core import audit
from app.core.db import transaction
from app.policy import load
from app.policy.schema import Programme


@dataclass(frozen=True)
class SignedIn:
    """A new session, and what its person does next. `full`: nothing is missing."""

    token: str
    next: str
    full: bool
    must_change_password: bool


def programme_in_force(key: str, now: datetime) -> Programme:
    """The programme that a form names. Raises `unknown_programme`, `programme_not_open`."""
    try:
        return load.in_force(key, now)
    except load.NotOpen as error:
        raise PROGRAMME_NOT_OPEN() from error
    except load.UnknownProgramme as error:
        raise UNKNOWN_PROGRAMME() from error


def activates_by_sms(programme: Programme) -> bool:
    """Whether a code to the phone on record proves, in this programme, who somebody is."""
    return "sms_to_supplied_phone" in programme.activation.methods


def sign_in(
    person_id: str, programme: str, channel: str, *, proved: bool, now: datetime, session_id: str | None = None
) -> SignedIn:
    """Open a session, `session_id` if that is named, and say what comes next."""
    token = service.open_session(person_id, programme, channel, activated=proved, now=now, session_id=session_id)
    return signed_in(person_id, token, proved=proved)


def signed_in(person_id: str, token: str, *, proved: bool) -> SignedIn:
    """What comes next in the session of `token`."""
    person = service.get_person(person_id)
    step = service.next_step(person, proved=proved)
    return SignedIn(token, step, step == "home", person.password_hash is None)


def login(
    programme_key: str,
    id_number: str,
    password: str,
    channel: str,
    *,
    code: str | None,
    ticket: str | None = None,
    address: str,
    now: datetime,
) -> SignedIn:
    """Sign in. A known and an unknown ID number get the same answers, for the same work (fault L5): one password
    verification, the same counters. With a first password the session opens nothing but the activation, unless the
    guard asked for a code, which is that proof. Raises `login_failed`, `login_paused`, `login_code_needed`,
    `code_wrong`, `unknown_programme`, `other_programme` (the password is right, the account is in another one)."""
    programme = programme_in_force(programme_key, now)
    tried = limits.begin_login(id_number, address, with_code=code is not None, now=now)
    proof = None
    if tried.guarded:
        if code is None:
            raise LOGIN_CODE_NEEDED(phone=programme.authority.contacts.login)
        proof = codes.check(id_number, "login", code, asker=address, ticket=ticket, now=now)
    person = service.find_by_id_number(id_number)
    others = places.elsewhere(programme, person.id if person else None, now=now)
    right = passwords.matches([programme, *others], person, password)
    if person is None or not right:
        account = f"account:{id_number_index(id_number)}"
        audit.record("system", "login.failed", account, now=now, programme=programme.key)
        raise LOGIN_FAILED()
    if others:
        _refuse_wrong_place(person.id, tried, programme, others, now=now)
    proves = proof is not None and activates_by_sms(programme)
    proved = person.password_hash is not None or proves
    with transaction():
        if proof is not None:
            codes.use(proof, now=now)
            limits.give_back(limits.CODES, address, 1)
        if service.get_person(person.id, locked=True).password_hash != person.password_hash:
            raise LOGIN_FAILED()  # it was changed while this was on its way: no session may outlive that
        if proof is not None and proves and service.activate(person.id, f"sms:{proof.id}", now=now):
            consents.drop_of_other_sessions(person.id, "", now=now)
        limits.login_succeeded(tried, own_password=proved, now=now)
        signed_in = sign_in(person.id, programme.key, channel, proved=proved, now=now)
        who = f"person:{person.id}"
        audit.record(who, "login.succeeded", who, now=now, channel=channel, full=signed_in.full)
    return signed_in


def _refuse_wrong_place(
    person_id: str, tried: limits.Try, chosen: Programme, others: list[Programme], *, now: datetime
) -> NoReturn:
    """Say where the account is, and take the try back; a code that was brought stays good for there."""
    with transaction():
        limits.login_succeeded(tried, own_password=False, now=now)
        who = f"person:{person_id}"
        audit.record(who, "login.other_programme", who, now=now, programme=chosen.key)
    where = "、".join(f"“{each.title}”" for each in others)
    raise OTHER_PROGRAMME(
        f"密码正确。您的账号不在现在选的项目里，而在{where}，请换到那里登录。",
        programmes=[{"key": each.key, "title": each.title} for each in others],
    )


def send_code(programme_key: str, id_number: str, purpose: codes.Purpose, *, address: str, now: datetime) -> str:
    """Have a code sent to the phone of the person with this ID number, if there are both: nobody learns whether.
    Gives the ticket with which the code is good from any address. `purpose`: "login" or "reset". Raises
    `login_paused` (too many from this address), `sms_too_often`, `sms_not_offered`, `unknown_programme`."""
    programme = programme_in_force(programme_key, now)
    person = service.find_by_id_number(id_number)
    phone = person.phone if person else None
    known_here = limits.knows(id_number, address, now=now)
    with transaction():
        limits.count(limits.CODES, address, now=now)
        row = codes.issue(
            programme, id_number, person, purpose, phone, asker=address, address=address, reserved=known_here, now=now
        )
    return codes.ticket_of(row)


def logout(person_id: str, session_id: str, *, everywhere: bool = False, now: datetime) -> None:
    """End this session, or (`everywhere`) all of the person's; a second time there is none to end."""
    with transaction():
        if everywhere:
            service.get_person(person_id, locked=True)  # a sign-in of this moment ends too, or comes after
            service.end_sessions(person_id, now=now)
        service.end_session(session_id, now=now)
        audit.record(f"person:{person_id}", "logout", f"session:{session_id}", now=now, everywhere=everywhere)
