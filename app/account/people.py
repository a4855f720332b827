"""Who is known: people as rosters name them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from app.account.models import Person
from app.core import audit, crypto
from app.core.db import compare_and_set, transaction


@dataclass(frozen=True)
class NewPerson:
    """A line of a roster: a checked ID number, a name, and the phone that the source supplied (None: none)."""

    id_number: str
    name: str
    phone: str | None


class NameConflict(Exception):
    """The person with this ID number is known under another name; `position` counts the rows from 0."""

    def __init__(self, position: int):
        super().__init__(position)
        self.position = position


@dataclass(frozen=True)
class Known:
    """A person that a line of a roster names, and whether the name is the one we know."""

    person_id: str
    same_name: bool


def look_up_people(rows: Sequence[NewPerson]) -> list[Known | None]:
    """Who is known already, row by row (None: nobody yet). Writes nothing."""
    known = _by_id_number([row.id_number for row in rows])
    found: list[Known | None] = []
    for row in rows:
        person = known.get(row.id_number)
        same = person is not None and _is_called(person, row.name)
        found.append(Known(person.id, same) if person else None)
    return found


def id_number_index(id_number: str) -> str:
    """The index that names a (normalised) ID number, of a known person or not."""
    return crypto.index("person.id_number", id_number)


def standing(ids: Collection[str]) -> list[str]:
    """These persons, and in place of those who were merged the ones that they were merged into."""
    rows = Person.select(Person.id, Person.merged_into).where(Person.id.in_(list(ids))).tuples()
    return list(dict.fromkeys(into or row_id for row_id, into in rows))


def named(text: str, limit: int) -> list[str]:
    """The people of exactly this name, in the form in which names are stored."""
    found = Person.select(Person.id).where(
        Person.name_index.in_(crypto.indexes("person.name", text)), Person.merged_into.is_null()
    )
    return [row_id for (row_id,) in found.order_by(Person.id).limit(limit).tuples()]


def merged(person_id: str) -> list[str]:
    """Who was merged into this person."""
    query = Person.select(Person.id).where(Person.merged_into == person_id).order_by(Person.id)
    return [row_id for (row_id,) in query.tuples()]


def find_by_id_number(id_number: str) -> Person | None:
    """The person with this (normalised) ID number; nobody, where they were merged into another one: that one signs in
    with their own."""
    return _with_id_numbers([id_number]).get(id_number)


def _by_id_number(numbers: Sequence[str]) -> dict[str, Person]:
    """Whom a roster means by these ID numbers: who was merged is the one they were merged into."""
    known = _with_id_numbers(numbers, merged=True)
    into = {row.merged_into for row in known.values()} - {None}
    kept = {person.id: person for person in Person.select().where(Person.id.in_(list(into)))} if into else {}
    return {number: kept[row.merged_into] if row.merged_into else row for number, row in known.items()}


def _with_id_numbers(numbers: Sequence[str], *, merged: bool = False) -> dict[str, Person]:
    known: dict[str, Person] = {}
    distinct = list(dict.fromkeys(numbers))
    for start in range(0, len(distinct), 500):
        part = distinct[start : start + 500]
        whose = {key: number for number in part for key in crypto.indexes("person.id_number", number)}
        for person in Person.select().where(Person.id_number_index.in_(list(whose))):
            if merged or person.merged_into is None:
                known[whose[person.id_number_index]] = person
    return known


def _is_called(person: Person, name: str) -> bool:
    return person.name_index in crypto.indexes("person.name", name)


def find_or_create_people(rows: Sequence[NewPerson], *, now: datetime) -> list[str]:
    """The person of each row, created where the ID number is new; ids in the order of `rows`.

    As long as the account is not activated, a phone fills an empty one and replaces the roster's older one (a worker
    with a new number could not get in otherwise). An activated person's it never touches, not even where there is
    none: a code to it would open the account; they add one themselves, with their password.
    Joins the caller's transaction. Raises `NameConflict`."""
    keys = [row.id_number for row in rows]
    known = _by_id_number(keys)
    created: dict[str, Person] = {}
    changed: dict[str, Person] = {}
    for position, (key, row) in enumerate(zip(keys, rows, strict=True)):
        found = known.get(key)
        if found is None:
            origin = "roster" if row.phone else None
            found = Person(
                id_number=row.id_number, name=row.name, phone=row.phone, phone_origin=origin, created_at=now
            )
            known[key] = created[key] = found
        elif not _is_called(found, row.name):
            raise NameConflict(position)
        elif row.phone and _takes_phone(found, row.phone):
            found.phone, found.phone_origin = row.phone, "roster"
            if key not in created:
                changed[key] = found
    with transaction():
        _insert(list(created.values()))
        for person in changed.values():
            _change_phone(person, now)
        ids = {key: person.id for key, person in known.items()}
    return [ids[key] for key in keys]


def _takes_phone(person: Person, phone: str) -> bool:
    if person.activated_at is not None:
        return False
    if person.phone_sealed is None:
        return True
    same = person.phone_index in crypto.indexes("person.phone", phone)
    return not same and person.phone_origin == "roster"


def others_have_phone(phone: str, person_id: str) -> bool:
    """Whether this phone is somebody else's, too."""
    same = Person.phone_index.in_(crypto.indexes("person.phone", phone))
    return bool(Person.select().where(same, Person.merged_into.is_null(), Person.id != person_id).exists())


def _insert(people: list[Person]) -> None:
    for start in range(0, len(people), 200):
        Person.bulk_create(people[start : start + 200])


def _change_phone(person: Person, now: datetime) -> None:
    values = {name: getattr(person, name) for name in ("phone_sealed", "phone_index", "phone_origin")}
    if not compare_and_set(Person, person.id, {"activated_at": None}, values):
        return  # activated since it was read
    audit.record("system", "phone.from_roster", f"person:{person.id}", now=now)
