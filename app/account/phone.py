"""A new phone: the password once more, and a code that comes back from the new number. The old one is told."""

from __future__ import annotations

from datetime import datetime

from app.account import codes, limits, service
from app.account.errors import PHONE_SAME
from app.account.models import Person
from app.core import audit
from app.core.access import Identity
from app.core.crypto import mask_phone
from app.core.db import transaction
from app.policy import load


def send_code(who: Identity, phone: str, password: str, *, address: str, now: datetime) -> None:
    """Send a code to the new phone. Raises `password_wrong`, `phone_unchanged`, `sms_too_often`, `login_paused`."""
    person = service.require_password(who.person_id, password, now=now)
    if person.phone == phone:
        raise PHONE_SAME()
    programme = load.in_force(service.get_session(who.session_id).programme, now)
    with transaction():
        limits.count(limits.CODES, address, now=now)
        codes.issue(
            programme,
            person.id_number,
            person,
            "phone",
            phone,
            asker=who.session_id,
            address=address,
            reserved=True,
            now=now,
        )


def confirm(who: Identity, code: str, *, address: str, now: datetime) -> str:
    """The code came back: the phone it went to is the person's now. Gives it, masked. Raises `code_wrong`."""
    person = service.get_person(who.person_id)
    session = service.get_session(who.session_id)
    row = codes.check(person.id_number, "phone", code, asker=who.session_id, now=now)
    with transaction():
        codes.use(row, now=now)
        limits.give_back(limits.CODES, address, 1)
        service.tell_owner(person, session.programme, "phone_changed", now=now)
        old, person.phone, person.phone_origin = mask_phone(person.phone), row.phone, "verified"
        person.save(only=(Person.phone_sealed, Person.phone_index, Person.phone_origin))
        audit.record(
            f"person:{person.id}",
            "phone.changed",
            f"person:{person.id}",
            now=now,
            old=old,
            new=mask_phone(row.phone),
        )
    return mask_phone(row.phone) or ""
