"""A person's own password: set after the activation, changed, or reset by a code to the phone on record."""

from __future__ import annotations

from datetime import datetime

from app.account import codes, consents, limits, passwords, service
from app.account.errors import ACTIVATION_NEEDED, CODE_WRONG, PASSWORD_WRONG, SMS_NOT_OFFERED
from app.account.login import activates_by_sms, programme_in_force
from app.account.models import Person
from app.account.sessions import complete_sessions
from app.core import audit
from app.core.access import Identity
from app.core.db import transaction
from app.core.errors import CONFLICT
from app.policy import load


def change(who: Identity, new: str, old: str | None, *, now: datetime) -> str:
    """Set or change the password; every other session ends; gives the next step. `old`: once there is one.
    Sent again, it changes nothing. Raises `activation_needed`, `password_wrong`, `password_weak`, `login_paused`."""
    session = service.get_session(who.session_id)
    if not session.proved:
        raise ACTIVATION_NEEDED()
    person = service.get_person(who.person_id)
    programme = load.in_force(session.programme, now)
    passwords.require_strong(programme, person.id_number, new, person=person)
    before = person.password_hash
    if before is not None:
        limits.count(limits.SIGNED_IN, person.id, now=now)
        if passwords.is_own(person, new):
            limits.succeed(limits.SIGNED_IN, person.id)
            return service.next_step(person, proved=True)
        if old is None or not passwords.is_own(person, old):
            raise PASSWORD_WRONG("原密码不正确，请核对后重试。", fields={"old_password": "原密码不正确。"})
        limits.succeed(limits.SIGNED_IN, person.id)
    hashed = passwords.hash_(new)
    with transaction():
        _replace(person, before, hashed, now)
        service.end_sessions(person.id, now=now, keep=who.session_id)
        complete_sessions(person.id)
        audit.record(f"person:{person.id}", "password.set", f"person:{person.id}", now=now, first=before is None)
        if before is not None:
            service.tell_owner(person, session.programme, "password_set", now=now)
    return service.next_step(service.get_person(person.id), proved=True)


def _replace(person: Person, before: str | None, hashed: str, now: datetime) -> None:
    same = Person.password_hash.is_null() if before is None else Person.password_hash == before
    values = {"password_hash": hashed, "password_set_at": now}
    if not Person.update(values).where(Person.id == person.id, same).execute():
        raise CONFLICT()


def reset(
    programme_key: str, id_number: str, code: str, new: str, *, ticket: str | None = None, address: str, now: datetime
) -> None:
    """A forgotten password: the code came back from the phone on record. Every session ends, every limit of the
    account is lifted; where the account was not active yet, the code is the proof. Raises `code_wrong` (also for an
    unknown ID number), `password_weak`, `login_paused`, `sms_not_offered` (the account can be activated by face
    only), `unknown_programme`."""
    programme = programme_in_force(programme_key, now)
    passwords.require_strong(programme, id_number, new)
    limits.count(limits.CODES, address, now=now)
    row = codes.check(id_number, "reset", code, asker=address, ticket=ticket, now=now)
    person = service.find_by_id_number(id_number)
    if person is None or person.phone != row.phone:
        raise CODE_WRONG()  # the phone was changed in between
    if person.activated_at is None and not activates_by_sms(programme):
        raise SMS_NOT_OFFERED()  # whoever holds the code learns only that the account waits for its activation
    passwords.require_strong(programme, id_number, new, person=person)
    hashed = passwords.hash_(new)
    with transaction():
        codes.use(row, now=now)
        limits.give_back(limits.CODES, address, 2)  # asking for it, and bringing it
        _replace(person, person.password_hash, hashed, now)
        if service.activate(person.id, f"sms:{row.id}", now=now):
            consents.drop_of_other_sessions(person.id, "", now=now)
        service.end_sessions(person.id, now=now)
        limits.clear(id_number, address, now=now)
        limits.succeed(limits.SIGNED_IN, person.id)
        audit.record(f"person:{person.id}", "password.reset", f"person:{person.id}", now=now)
        service.tell_owner(person, programme.key, "password_reset", now=now)
