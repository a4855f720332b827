"""Two accounts of one human being become one: each domain says what of it is its own, and moves it in one transaction
(docs/decisions/0066-identities.md)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from app.account import messages, sessions
from app.account.errors import CANNOT_MERGE
from app.account.models import Person
from app.core import audit
from app.core.crypto import mask_id_number
from app.core.db import lock, transaction
from app.core.errors import CONFLICT, NOT_FOUND


def _nothing(*_: object) -> None:
    """Nothing to do."""


@dataclass(frozen=True)
class Part:
    """What a domain has of a person. In this order, each of all domains: `before(gone)`: outside of the transaction;
    `hold(people)`: lock the rows that others write for these people; `against(keep, gone)`: a sentence, if the two
    cannot become one; `move(keep, gone, now)`, the domains above before those below."""

    name: str
    move: Callable[[str, str, datetime], None]
    before: Callable[[str], None] = _nothing
    hold: Callable[[Sequence[str]], None] = _nothing
    against: Callable[[str, str], str | None] = _nothing


_parts: dict[str, Part] = {}


def part(one: Part) -> None:
    """Declare a part; called when a process starts, in the domains' order."""
    _parts[one.name] = one


def why_not(keep_id: str, gone_id: str) -> str | None:
    """Why the two cannot become one as things are; None if they can."""
    if keep_id == gone_id:
        return "这是同一个账号，请填写另一个账号的身份证号。"
    return next((said for one in _parts.values() if (said := one.against(keep_id, gone_id))), None)


def merge(keep_id: str, gone_id: str, *, programme: str, actor: str, reason: str, now: datetime) -> bool:
    """From now on `keep` has everything of `gone`, who can no longer sign in; both are signed out and told. False if
    it was so before. Outside of a transaction. Raises `not_found`, `cannot_merge` with the reason, `conflict`."""
    for one in _parts.values():
        one.before(gone_id)
    with transaction():
        people = {row.id: row for row in _locked((keep_id, gone_id))}
        if len(people) < 2:
            raise NOT_FOUND()
        keep, gone = people[keep_id], people[gone_id]
        if gone.merged_into == keep_id:
            return False
        if keep.merged_into is not None or gone.merged_into is not None:
            raise CONFLICT()
        for one in _parts.values():
            one.hold(sorted(people))
        if said := why_not(keep_id, gone_id):
            raise CANNOT_MERGE(said)
        for one in reversed(_parts.values()):
            one.move(keep_id, gone_id, now)
        moved = (Person.id == gone_id) | (Person.merged_into == gone_id)
        Person.update(merged_into=keep_id).where(moved).execute()
        for person in (keep, gone):
            sessions.end_sessions(person.id, now=now)
            messages.tell_owner(person, programme, "accounts_merged", now=now)
            audit.record(
                actor,
                "person.merged",
                f"person:{person.id}",
                now=now,
                programme=programme,
                reason=reason,
                keep=keep_id,
                gone=mask_id_number(gone.id_number),
            )
    return True


def _locked(ids: tuple[str, str]) -> list[Person]:
    """Both, in the order of their ids: a sign-in of either comes before, and is ended, or after, and is refused."""
    return list(lock(Person.select().where(Person.id.in_(ids)).order_by(Person.id)))
