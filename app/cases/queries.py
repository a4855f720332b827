"""What of the cases one of the staff may see: those of kinds and programmes that their rights name."""

from __future__ import annotations

import operator
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import reduce
from itertools import pairwise
from typing import Any

import peewee

from app.cases import kinds
from app.cases.kinds import Kind
from app.cases.models import Case
from app.core import audit
from app.core.errors import NOT_FOUND
from app.core.staff import EVERYWHERE, Staff

TO_DO = ("open", "second_look")
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Queue:
    """How much of a kind waits, and since when. `today`, `days`, `over`: filed within a day, earlier, past the due
    time."""

    kind: Kind
    count: int
    today: int
    days: int
    over: int
    oldest: datetime


def of_staff(staff: Staff) -> list[Kind]:
    """The kinds that they decide somewhere."""
    return [kind for kind in kinds.every() if staff.programmes(kind.right)]


def kind_of_staff(staff: Staff, name: str) -> Kind:
    """Raises `not_found` for one that is not theirs, too."""
    found = next((kind for kind in of_staff(staff) if kind.name == name), None)
    if found is None:
        raise NOT_FOUND()
    return found


def _of_kind(staff: Staff, kind: Kind) -> peewee.Expression:
    where = staff.programmes(kind.right)
    mine = Case.kind == kind.name
    return mine if EVERYWHERE in where else mine & Case.programme.in_(sorted(where))


def theirs(staff: Staff) -> peewee.Expression | None:
    """That a case is theirs to see; None where no kind is."""
    places: dict[frozenset[str], list[str]] = defaultdict(list)
    for kind in of_staff(staff):
        places[staff.programmes(kind.right)].append(kind.name)
    mine = [
        Case.kind.in_(names) if EVERYWHERE in where else Case.kind.in_(names) & Case.programme.in_(sorted(where))
        for where, names in places.items()
    ]
    return reduce(operator.or_, mine) if mine else None


def visible(staff: Staff, case_id: str) -> tuple[Case, Kind]:
    """A case, if it is theirs to see. Raises `not_found`: of others nobody learns that they are there."""
    case = Case.get_or_none(Case.id == case_id)
    kind = kinds.of(case.kind) if case is not None else None
    if case is None or kind is None or not staff.may(kind.right, case.programme or EVERYWHERE):
        raise NOT_FOUND()
    return case, kind


def seen_by(staff: Staff, case_ids: Collection[str]) -> set[str]:
    """Which of these cases are theirs to see."""
    mine = theirs(staff)
    if mine is None or not case_ids:
        return set()
    return {case_id for (case_id,) in Case.select(Case.id).where(Case.id.in_(list(case_ids)), mine).tuples()}


def queues(staff: Staff, *, now: datetime) -> list[Queue]:
    """What waits, the oldest first; empty queues are left out."""
    mine = theirs(staff)
    if mine is None:
        return []

    def count(condition: Any) -> Any:
        return peewee.fn.SUM(peewee.Case(None, ((condition, 1),), 0))

    query = Case.select(
        Case.kind,
        peewee.fn.COUNT(Case.id),
        count(Case.filed_at > now - DAY),
        count(Case.due_at < now),
        peewee.fn.MIN(Case.filed_at),
    )
    rows = query.where(mine, Case.status.in_(TO_DO)).group_by(Case.kind).tuples()
    found = []
    for name, total, today, late, oldest in rows:
        kind = kinds.of(name)
        if kind is not None:
            total, today, late = int(total), int(today or 0), int(late or 0)
            since = Case.filed_at.python_value(oldest) or now
            found.append(Queue(kind, total, today, total - today - late, late, since))
    return sorted(found, key=lambda queue: queue.oldest)


def _line(staff: Staff, kind: Kind, *more: peewee.Expression, limit: int, back: bool = False) -> list[Case]:
    """The first cases of a queue of which all of `more` is true, the oldest first (`back`: the youngest). Each status
    is asked for itself: so an index gives them in their order, and a queue of some thousands is not sorted, nor the
    decided ones of years walked through."""
    found: list[Case] = []
    for status in TO_DO:
        query = Case.select().where(Case.status == status, _of_kind(staff, kind), *more)
        by = (Case.filed_at.desc(), Case.id.desc()) if back else (Case.filed_at, Case.id)
        found.extend(query.order_by(*by).limit(limit))
    return sorted(found, key=lambda case: (case.filed_at, case.id), reverse=back)[:limit]


def waiting(staff: Staff, kind: Kind, *, limit: int) -> list[Case]:
    """The cases of a queue, the oldest first."""
    return _line(staff, kind, limit=limit)


def _beyond(case: Case) -> peewee.Expression:
    later = (Case.filed_at > case.filed_at) | (Case.id > case.id)
    return (Case.filed_at >= case.filed_at) & later


def free(staff: Staff, kind: Kind, *, after: Case | None, now: datetime, limit: int) -> list[Case]:
    """The cases of a queue that nobody else has, and that this person may decide, the oldest first."""
    unclaimed = Case.claimed_by.is_null() | (Case.claimed_by == staff.actor) | (Case.claimed_until <= now)
    not_mine = Case.proposed_by.is_null() | (Case.proposed_by != staff.actor)
    place = () if after is None else (_beyond(after),)
    return _line(staff, kind, unclaimed, not_mine, *place, limit=limit)


def before(staff: Staff, kind: Kind, case: Case) -> Case | None:
    """The case before this one in its queue."""
    earlier = (Case.filed_at <= case.filed_at) & ((Case.filed_at < case.filed_at) | (Case.id < case.id))
    return next(iter(_line(staff, kind, earlier, limit=1, back=True)), None)


def count_waiting(staff: Staff, kind: Kind) -> int:
    """How many of a queue are to be decided."""
    return int(Case.select().where(_of_kind(staff, kind), Case.status.in_(TO_DO)).count())


def count_proposed(staff: Staff, kind: Kind) -> int:
    """How many of a queue wait for somebody else's look at what this person has proposed."""
    mine = (Case.status == "second_look") & (Case.proposed_by == staff.actor)
    return int(Case.select().where(_of_kind(staff, kind), mine).count())


def decided(staff: Staff, *, by: str | None, limit: int) -> list[Case]:
    """What was decided, the latest first; `by`: by this actor only."""
    mine = theirs(staff)
    if mine is None:
        return []
    query = Case.select().where(mine, Case.status == "decided")
    if by is not None:
        query = query.where(Case.decided_by == by)
    return list(query.order_by(Case.decided_at.desc(), Case.id.desc()).limit(limit))


def count_decided(staff: Staff, *, since: datetime) -> int:
    """How many cases this person has decided since then."""
    mine = (Case.status == "decided") & (Case.decided_by == staff.actor) & (Case.decided_at >= since)
    return int(Case.select().where(mine).count())


def history(case: Case) -> list[audit.Line]:
    """What was done about a case and its subject, the latest first. Of a subject that other programmes deal with as
    well (a person), theirs is left out."""
    mine = None if case.programme in (None, EVERYWHERE) else (case.programme,)
    return audit.about((f"case:{case.id}", case.subject), limit=50, programmes=mine)


@dataclass(frozen=True)
class Hour:
    """How many cases of a kind were filed, and how many decided, in one hour (0-23, Shanghai) of a day."""

    kind: str
    hour: int
    filed: int
    decided: int


def hours(staff: Staff, *, since: datetime, until: datetime) -> list[Hour]:
    """The work of a day, by kind and hour; `since` and `until` are the ends of a day in Shanghai."""
    mine = theirs(staff)
    if mine is None:
        return []
    found: dict[tuple[str, int], list[int]] = defaultdict(lambda: [0, 0])
    for place, moment, more in ((0, Case.filed_at, True), (1, Case.decided_at, Case.status == "decided")):
        # the first 13 characters of a moment are its day and hour, in every database
        hour = peewee.fn.SUBSTR(moment.cast("CHAR(26)"), peewee.SQL("1"), peewee.SQL("13")).converter(str)
        query = Case.select(Case.kind, hour, peewee.fn.COUNT(Case.id)).where(mine, moment >= since, moment < until)
        for kind, text, count in query.where(more).group_by(Case.kind, hour).tuples():
            found[kind, (int(text[11:13]) + 8) % 24][place] = int(count)
    return [Hour(kind, hour, *counts) for (kind, hour), counts in sorted(found.items())]


AGES = (timedelta(days=-1), timedelta(0), timedelta(days=1), timedelta(days=3))  # beyond the due time


@dataclass(frozen=True)
class Ages:
    """How long the cases of a kind still have: more than a day, less, over by up to a day, three days, longer."""

    kind: Kind
    count: int
    buckets: tuple[int, ...]
    oldest: datetime


def ages(staff: Staff, *, now: datetime) -> list[Ages]:
    """Every queue that is not empty, the one with most work over time first."""
    mine = theirs(staff)
    if mine is None:
        return []

    def beyond(age: timedelta) -> Any:
        return peewee.fn.SUM(peewee.Case(None, ((Case.due_at < now - age, 1),), 0))

    query = Case.select(
        Case.kind, peewee.fn.COUNT(Case.id), peewee.fn.MIN(Case.filed_at), *[beyond(age) for age in AGES]
    )
    found = []
    for name, count, oldest, *over in query.where(mine, Case.status.in_(TO_DO)).group_by(Case.kind).tuples():
        kind, steps = kinds.of(name), [int(count), *(int(number or 0) for number in over), 0]
        if kind is not None:
            buckets = tuple(before - after for before, after in pairwise(steps))
            found.append(Ages(kind, int(count), buckets, Case.filed_at.python_value(oldest) or now))
    return sorted(found, key=lambda one: (*(-number for number in reversed(one.buckets)), one.kind.title))


def filed(
    staff: Staff, programme: str, *, since: datetime, until: datetime, after: tuple[datetime, str], limit: int
) -> list[Case]:
    """Cases that were filed in a period, the oldest first, beyond `after` (when, id); of a programme (EVERYWHERE: all
    of theirs)."""
    mine = theirs(staff)
    if mine is None:
        return []
    query = Case.select().where(mine, Case.filed_at >= since, Case.filed_at < until)
    if programme != EVERYWHERE:
        query = query.where(Case.programme == programme)
    beyond = (Case.filed_at > after[0]) | ((Case.filed_at == after[0]) & (Case.id > after[1]))
    return list(query.where(Case.filed_at >= after[0], beyond).order_by(Case.filed_at, Case.id).limit(limit))
