"""Small functions that arrange rows for tests; each gives a valid one, and takes what the test is about."""

from __future__ import annotations

import functools
import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

from argon2 import PasswordHasher

from app.account import service as account
from app.account.id_number import check_character
from app.account.models import Person
from app.core.clock import utcnow
from app.core.ids import new_id
from app.enrol.models import Enrolment, RosterEntry
from app.enrol.status import OPEN, Status

NOW = datetime(2021, 3, 1, 2, 0, tzinfo=UTC)  # 10:00 in Shanghai, in the yunnan programme's first month


def a_roster_entry(person: Any, **values: Any) -> RosterEntry:
    """A roster entry of `person` (a row, or its id): 塔机司机, valid for half a year from today."""
    today = utcnow().date()
    defaults: dict[str, Any] = {
        "programme": "yunnan",
        "kind_code": "TJ",
        "certificate_no": f"滇TJ(2019){new_id()[-8:].upper()}",
        "issued_on": today - timedelta(days=550),
        "expires_on": today + timedelta(days=180),
        "import_id": new_id(),
    }
    row: RosterEntry = RosterEntry.create(id=new_id(), person_id=getattr(person, "id", person), **(defaults | values))
    return row


def an_enrolment(
    person: Any,
    status: str = "studying",
    *,
    entry: RosterEntry | None = None,
    now: datetime | None = None,
    **values: Any,
) -> Enrolment:
    """An enrolment of `person` (a row, or its id) in `status`, on a roster entry of its own unless one is given.
    Paid ones were paid at `now` (default: this moment) and have about 30 days."""
    now = now or utcnow()
    entry = entry or a_roster_entry(person)
    paid = status != Status.SIGNED_UP
    defaults: dict[str, Any] = {
        "programme": entry.programme,
        "version": "2021-02-01",
        "kind_code": entry.kind_code,
        "roster_entry_id": entry.id,
        "open_entry_id": entry.id if status in OPEN else None,
        "certificate_expires_on": entry.expires_on,
        "signed_up_at": now,
        "order_id": new_id() if paid else None,
        "paid_at": now if paid else None,
        "study_deadline": now + timedelta(days=30) if paid else None,
        "passed_at": now if status in (Status.PASSED, Status.COMPLETED) else None,
        "completed_at": now if status == Status.COMPLETED else None,
    }
    row: Enrolment = Enrolment.create(person_id=getattr(person, "id", person), status=status, **(defaults | values))
    return row


_numbers = itertools.count(1)


def an_id_number(number: int | None = None) -> str:
    """A valid citizen number that no other call gave (or the one for `number`, 0 to 998,001)."""
    number = next(_numbers) if number is None else number
    born = f"{80 + number // 335664 % 20:02d}{1 + number // 27972 % 12:02d}{1 + number // 999 % 28:02d}"
    first_17 = f"53010219{born}{1 + number % 999:03d}"
    return first_17 + check_character(first_17)


PASSWORD = "Gongdi-2026"  # of every activated person, unless told otherwise


@functools.cache
def password_hash(password: str = PASSWORD) -> str:
    """The hash of a password, made once a run, by argon2 with as little work as it takes."""
    return PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(password)


def a_person(*, activated: bool = True, now: datetime = NOW, **values: Any) -> Person:
    """A person with a phone from the roster; activated, with a password of their own (`PASSWORD`) and agreed to
    everything, unless told otherwise."""
    id_number = values.pop("id_number", None) or an_id_number()
    defaults: dict[str, Any] = {
        "name": "张建国",
        "phone": f"138{next(_numbers):08d}",
        "phone_origin": "roster",
        "password_hash": password_hash() if activated else None,
        "password_set_at": now if activated else None,
        "activated_at": now if activated else None,
        "created_at": now,
    }
    person: Person = Person.create(id_number=id_number, **(defaults | values))
    if activated:
        for kind in account.CONSENT_KINDS:
            account.give_consent(person.id, kind, account.CONSENT_VERSIONS[kind], now=now)
    return person


def a_session(person: Person, *, activated: bool = True, channel: str = "web", now: datetime | None = None) -> str:
    """The token of a new session of `person`, opened now unless told otherwise."""
    return account.open_session(person.id, "yunnan", channel, activated=activated, now=now or utcnow())


def auth(person: Person, *, activated: bool = True, now: datetime | None = None) -> dict[str, str]:
    """The headers of a request of `person`."""
    return {"Authorization": f"Bearer {a_session(person, activated=activated, now=now)}"}
