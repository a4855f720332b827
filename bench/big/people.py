"""Persons, what they agreed to, and their certificates in the roster."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from app.account.models import Consent, Person
from app.account.service import CONSENT_VERSIONS
from app.enrol.models import RosterEntry
from bench.big.copying import Table, ready
from bench.big.draw import WEIGHTS, Draw, Place, index, sealed
from tests.factories import an_id_number, password_hash


@dataclass(frozen=True)
class Someone:
    """A person who was made, with the roster entries that they sign up with."""

    number: int
    id: str
    id_number: str
    name: str
    created_at: datetime
    place: Place
    entries: tuple[tuple[str, str], ...]  # id, kind


class People:
    """Three quarters have activated their account."""

    def __init__(self, draw: Draw, places: list[Place]):
        self._draw, self._places = draw, places
        self._weights = [WEIGHTS[place.key] for place in places]
        self._import = draw.id(draw.now)
        self._password = ready(password_hash())
        self.person = Table(
            Person,
            "id id_number_sealed id_number_index name_sealed name_index phone_sealed phone_index phone_origin "
            "password_hash password_set_at activated_at created_at",
        )
        self.consent = Table(Consent, "id person_id kind version agreed_at")
        self.entry = Table(
            RosterEntry,
            "id programme person_id kind_code certificate_no_sealed certificate_no_index issued_on expires_on "
            "import_id",
        )
        self.tables = (self.person, self.consent, self.entry)

    def one(self, number: int, name: str | None = None) -> Someone:
        """The person of this number; `name`: in place of a common one."""
        draw, chance = self._draw, self._draw.chance
        at = draw.ago(5 * 365, 1.3)
        row_id, id_number, name = draw.id(at), an_id_number(number), name or draw.name()
        phone = f"1{38 + number % 3}{10_000_000 + number:08d}"
        activated = draw.after(at, 0.1, 400) if chance.random() < 0.75 else None
        self.person.add(
            row_id,
            sealed("person.id_number", row_id, id_number),
            index("person.id_number", id_number),
            sealed("person.name", row_id, name),
            index("person.name", name),
            sealed("person.phone", row_id, phone),
            index("person.phone", phone),
            ready("roster"),
            self._password if activated else None,
            activated,
            activated,
            at,
        )
        if activated:
            for kind, version in CONSENT_VERSIONS.items():
                self.consent.add(draw.id(activated), row_id, ready(kind), version, activated)
        (place,) = chance.choices(self._places, self._weights)
        entries = tuple(self._entry(row_id, number, which, place, at) for which in range(1 + number % 2))
        return Someone(number, row_id, id_number, name, at, place, entries)

    def _entry(self, person_id: str, number: int, which: int, place: Place, at: datetime) -> tuple[str, str]:
        draw = self._draw
        row_id, kind = draw.id(at), draw.chance.choice(place.kinds)
        certificate = f"{kind}({at.year}){number:06d}{which}"
        expires = (draw.now + timedelta(days=draw.chance.randrange(-200, 700))).date()
        self.entry.add(
            row_id,
            ready(place.key),
            person_id,
            ready(kind),
            sealed("roster_entry.certificate_no", row_id, certificate),
            index("roster_entry.certificate_no", certificate),
            expires - timedelta(days=730),
            expires,
            self._import,
        )
        return row_id, kind
