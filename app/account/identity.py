"""What two of the staff change together: the phone of an owner who has lost theirs, and who somebody is."""

from __future__ import annotations

from datetime import datetime

import peewee

from app.account import messages, sessions
from app.account.errors import ID_NUMBER_TAKEN, IDENTITY_SAME, PHONE_SAME
from app.account.models import Person
from app.core import audit, crypto, outbox
from app.core.crypto import mask_id_number, mask_name, mask_phone
from app.core.db import lock, savepoint, transaction
from app.core.engines import is_taken
from app.core.errors import CONFLICT, NOT_FOUND
from app.core.ids import new_id


def _standing(person_id: str) -> Person:
    person: Person | None = lock(Person.select().where(Person.id == person_id)).first()
    if person is None:
        raise NOT_FOUND()
    if person.merged_into is not None:
        raise CONFLICT()
    return person


def change_phone_by_support(
    person_id: str, phone: str, *, programme: str, actor: str, reason: str, now: datetime
) -> None:
    """The person has this phone now; the old one is told, and the new one. Every session ends: whoever has the old
    phone is signed in no longer. It proves nobody's identity. Raises `not_found`, `conflict`, `phone_unchanged`."""
    with transaction():
        person = _standing(person_id)
        if person.phone == phone:
            raise PHONE_SAME()
        old = mask_phone(person.phone)
        messages.tell_owner(person, programme, "phone_changed", now=now)
        person.phone, person.phone_origin = phone, "support"
        person.save(only=(Person.phone_sealed, Person.phone_index, Person.phone_origin))
        messages.tell_owner(person, programme, "phone_changed", now=now)
        sessions.end_sessions(person_id, now=now)
        audit.record(
            actor,
            "phone.changed_by_support",
            f"person:{person_id}",
            now=now,
            programme=programme,
            reason=reason,
            old=old,
            new=mask_phone(phone),
        )


def whose(id_number: str) -> Person | None:
    """Who has this (normalised) ID number, or had it before they were merged."""
    keys = crypto.indexes("person.id_number", id_number)
    return Person.get_or_none(Person.id_number_index.in_(keys))


def correct(
    person_id: str,
    *,
    name: str | None,
    id_number: str | None,
    programme: str,
    actor: str,
    reason: str,
    now: datetime,
) -> None:
    """The person is called so, or has this (normalised) ID number (None: as before). Every session ends; what was
    issued keeps its text. `account.identity_corrected` tells the others. Raises `not_found`, `conflict`,
    `identity_unchanged`, `id_number_taken` (it is another person's: they are merged instead)."""
    with transaction():
        person = _standing(person_id)
        old_name, old_number = person.name, person.id_number
        renamed = name is not None and name != old_name
        renumbered = id_number is not None and id_number != old_number
        if not renamed and not renumbered:
            raise IDENTITY_SAME()
        if renumbered and whose(str(id_number)) is not None:
            raise ID_NUMBER_TAKEN()
        person.name, person.id_number = name or old_name, id_number or old_number
        columns = (Person.name_sealed, Person.name_index, Person.id_number_sealed, Person.id_number_index)
        try:
            with savepoint():
                person.save(only=columns)
        except peewee.IntegrityError as error:  # somebody was entered with it at this moment
            if not is_taken(error):
                raise
            raise ID_NUMBER_TAKEN() from error
        sessions.end_sessions(person_id, now=now)
        messages.tell_owner(person, programme, "identity_corrected", now=now)
        audit.record(
            actor,
            "person.corrected",
            f"person:{person_id}",
            now=now,
            programme=programme,
            reason=reason,
            old=f"{mask_name(old_name)} {mask_id_number(old_number)}",
            new=f"{mask_name(person.name)} {mask_id_number(person.id_number)}",
        )
        told = {"person_id": person_id, "programme": programme, "renumbered": "yes" if renumbered else ""}
        outbox.emit("account.identity_corrected", new_id(), told, now=now)
