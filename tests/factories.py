"""Small functions that arrange rows for tests; each gives a valid one, and takes what the test is about."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from app.core.ids import new_id
from app.enrol.models import Enrolment, RosterEntry
from app.enrol.status import OPEN, Status

NOW = datetime(2021, 3, 1, 2, 0, tzinfo=UTC)  # 10:00 in Shanghai, in the yunnan programme's first month


def a_roster_entry(person: Any, **values: Any) -> RosterEntry:
    """A roster entry of `person` (a row, or its id): 塔机司机, valid for half a year more."""
    defaults: dict[str, Any] = {
        "programme": "yunnan",
        "kind_code": "TJ",
        "certificate_no": f"滇TJ(2019){new_id()[-8:].upper()}",
        "issued_on": date(2019, 9, 1),
        "expires_on": date(2021, 9, 1),
        "import_id": new_id(),
    }
    row: RosterEntry = RosterEntry.create(id=new_id(), person_id=getattr(person, "id", person), **(defaults | values))
    return row


def an_enrolment(
    person: Any, status: str = "studying", *, entry: RosterEntry | None = None, now: datetime = NOW, **values: Any
) -> Enrolment:
    """An enrolment of `person` (a row, or its id) in `status`, on a roster entry of its own unless one is given.
    Paid ones were paid at `now` and have about 30 days."""
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
