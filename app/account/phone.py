"""A new phone: the password once more, and a code that comes back from the new number. The old one is told."""

from __future__ import annotations

from datetime import datetime

from app.account import codes, limits, service
from app.account.errors import PHONE_SAME
from app.core.access import Identity
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
        return service.change_phone(person.id, session.programme, row.phone, by="sms", now=now)
