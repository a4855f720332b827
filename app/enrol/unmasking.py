"""Personal data in the clear, for staff who need them: of a person on their programme's roster, for a reason, and
written down in the transaction that reads them (fault A5)."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Literal

from app.account import service as account
from app.core import audit
from app.core.db import transaction
from app.core.errors import NOT_FOUND
from app.core.staff import EVERYWHERE, Right, Staff
from app.enrol import queries
from app.enrol.errors import UNMASK_REASON
from app.enrol.models import RosterEntry

Field = Literal["name", "id_number", "phone"]
ACTION = account.UNMASKED
SHORTEST, LONGEST = 5, 200  # characters of a reason


def unmask(
    staff: Staff,
    programme: str,
    person_id: str,
    fields: Collection[Field],
    *,
    reason: str,
    now: datetime,
    also: str | None = None,
) -> dict[str, str | None]:
    """The fields of a person in the clear. Needs `support` in a programme on whose roster the person stands, or
    everywhere (`programme` EVERYWHERE: a case that belongs to none); others learn nothing. `also`: another person,
    whose data are shown beside by a case: on a roster of theirs too; counted and written down as well. Raises
    `forbidden`, `not_found`, `unmask_reason` (too short or long), `unmask_too_often` with the seconds to wait."""
    staff.require(Right.SUPPORT, programme)
    reason = " ".join(reason.split())
    if not SHORTEST <= len(reason) <= LONGEST:
        raise UNMASK_REASON(fields={"reason": UNMASK_REASON.sentence})
    mine = (RosterEntry.person_id == person_id) & (RosterEntry.programme == programme)
    if not fields or not (programme == EVERYWHERE or RosterEntry.select().where(mine).exists()):
        raise NOT_FOUND()
    if also is not None and not _on_a_roster_of(staff, also):
        raise NOT_FOUND()
    shown = [person_id, also] if also is not None else [person_id]
    with transaction():
        account.count_looks(staff.actor, len(shown), now=now)
        person = account.get_person(person_id)
        clear: dict[str, str | None] = {name: getattr(person, name) for name in sorted(set(fields))}
        for one in shown:
            audit.record(
                staff.actor,
                ACTION,
                f"person:{one}",
                now=now,
                programme=programme,
                fields=",".join(clear) if one == person_id else "id_number,name",
                reason=reason,
            )
    return clear


def _on_a_roster_of(staff: Staff, person_id: str) -> bool:
    """Whether the person, or whom they were merged into, is on a roster whose programme these staff support."""
    where = staff.programmes(Right.SUPPORT)
    person = account.get_person(person_id)
    return EVERYWHERE in where or bool(queries.rosters_of([person.merged_into or person.id], where))
