"""Named reads of roster and enrolments."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

import peewee

from app.core.db import lock
from app.core.errors import NOT_FOUND
from app.enrol.hints import Hint, warning_hint
from app.enrol.models import Enrolment, EnrolmentEvent, RosterEntry
from app.enrol.status import Status
from app.pay import queries as orders
from app.policy import load, rules
from app.policy.schema import Programme


@dataclass(frozen=True)
class Card:
    """An enrolment as its owner sees it. `warning`: what to know before paying. `contact`: whom to call
    about studying."""

    enrolment: Enrolment
    programme: Programme
    kind_title: str
    certificate_no: str
    warning: Hint | None
    contact: str


def sku(enrolment_id: str) -> str:
    """Under which name an enrolment is sold."""
    return f"enrolment:{enrolment_id}"


def of_order(order_id: str) -> list[Enrolment]:
    """The enrolments that an order sells, in its order."""
    prefix = sku("")
    ids = [name.removeprefix(prefix) for name in orders.skus(order_id) if name.startswith(prefix)]
    found = {row.id: row for row in Enrolment.select().where(Enrolment.id.in_(ids))}
    return [found[row_id] for row_id in ids]


def of_person(person_id: str) -> list[Enrolment]:
    """The person's enrolments, in every programme, newest first."""
    return list(Enrolment.select().where(Enrolment.person_id == person_id).order_by(Enrolment.id.desc()))


def of_people(person_ids: Sequence[str], programmes: Collection[str] | None) -> list[Enrolment]:
    """The latest enrolments of these persons in these programmes (None: in all), at most 100."""
    query = Enrolment.select().where(Enrolment.person_id.in_(list(person_ids)))
    if programmes is not None:
        query = query.where(Enrolment.programme.in_(sorted(programmes)))
    return list(query.order_by(Enrolment.id.desc()).limit(100))


def programmes_of(person_id: str) -> set[str]:
    """On which programmes' rosters the person stands."""
    return rosters_of([person_id], None).get(person_id, set())


def rosters_of(person_ids: Collection[str], programmes: Collection[str] | None) -> dict[str, set[str]]:
    """On which of these programmes' rosters (None: of all) each person stands; who is on none is not there."""
    query = RosterEntry.select(RosterEntry.person_id, RosterEntry.programme).where(
        RosterEntry.person_id.in_(list(person_ids))
    )
    if programmes is not None:
        query = query.where(RosterEntry.programme.in_(sorted(programmes)))
    found: dict[str, set[str]] = {}
    for person_id, programme in query.distinct().tuples():
        found.setdefault(person_id, set()).add(programme)
    return found


def owned(enrolment_ids: list[str], person_id: str, *, locked: bool = False) -> list[Enrolment]:
    """These enrolments, in this order; `locked`: until the end of the transaction. Raises `NOT_FOUND` if one is
    missing or another person's."""
    query = Enrolment.select().where(Enrolment.id.in_(enrolment_ids)).order_by(Enrolment.id)
    found = {row.id: row for row in (lock(query) if locked else query)}
    if any(row_id not in found or found[row_id].person_id != person_id for row_id in enrolment_ids):
        raise NOT_FOUND("没有找到这项报名，请刷新页面后重试。")
    return [found[row_id] for row_id in enrolment_ids]


def programme_of(enrolment_id: str, person_id: str) -> Programme:
    """The programme version under which the person signed up. Raises `NOT_FOUND`."""
    (enrolment,) = owned([enrolment_id], person_id)
    return load.programme(enrolment.programme, enrolment.version)


def owned_entries(entry_ids: list[str], person_id: str, *, locked: bool = False) -> list[RosterEntry]:
    """These roster entries, in this order; `locked`: until the end of the transaction. Raises `NOT_FOUND` if one is
    missing or another person's."""
    query = RosterEntry.select().where(RosterEntry.id.in_(entry_ids)).order_by(RosterEntry.id)
    found = {row.id: row for row in (lock(query) if locked else query)}
    if any(row_id not in found or found[row_id].person_id != person_id for row_id in entry_ids):
        raise NOT_FOUND("没有找到这条证书信息，请刷新页面后重新勾选。")
    return [found[row_id] for row_id in entry_ids]


def entries(person_id: str, programme: str) -> list[RosterEntry]:
    """The person's certificates in the roster of a programme, oldest first."""
    mine = (RosterEntry.person_id == person_id) & (RosterEntry.programme == programme)
    return list(RosterEntry.select().where(mine).order_by(RosterEntry.id))


def cards(rows: list[Enrolment], *, now: datetime) -> list[Card]:
    """The cards of enrolments, in the same order."""
    wanted = [row.roster_entry_id for row in rows]
    by_id = {entry.id: entry for entry in RosterEntry.select().where(RosterEntry.id.in_(wanted))}
    return [_card(row, by_id[row.roster_entry_id], now) for row in rows]


def _card(row: Enrolment, entry: RosterEntry, now: datetime) -> Card:
    programme = load.programme(row.programme, row.version)
    kind = rules.certificate_kind(programme, row.kind_code)
    unpaid = row.status == Status.SIGNED_UP
    code = rules.sign_up_warning(programme, row.certificate_expires_on, now, kind=row.kind_code) if unpaid else None
    return Card(
        enrolment=row,
        programme=programme,
        kind_title=kind.title if kind else row.kind_code,
        certificate_no=entry.certificate_no,
        warning=warning_hint(programme, code, row.kind_code) if code else None,
        contact=rules.contacts(programme, row.kind_code).study,
    )


def history(enrolment_id: str) -> list[EnrolmentEvent]:
    """The enrolment's history, oldest first."""
    query = EnrolmentEvent.select().where(EnrolmentEvent.enrolment_id == enrolment_id)
    return list(query.order_by(EnrolmentEvent.id))


def signed_up(
    programmes: Collection[str], *, since: datetime, until: datetime, after: tuple[datetime, str], limit: int
) -> list[Enrolment]:
    """Enrolments of these programmes whose sign-up was in a period, the oldest first, beyond `after` (when, id)."""
    at, row_id = Enrolment.signed_up_at, Enrolment.id
    beyond = (at > after[0]) | ((at == after[0]) & (row_id > after[1]))
    query = Enrolment.select().where(at >= max(since, after[0]), at < until, beyond)
    return list(query.where(Enrolment.programme.in_(sorted(programmes))).order_by(at, row_id).limit(limit))


@dataclass(frozen=True)
class Cohort:
    """Who signed up in a period, and how many of them have paid and passed since."""

    programme: str
    signed_up: int
    paid: int
    passed: int


def cohorts(*, since: datetime, until: datetime) -> list[Cohort]:
    """By programme, as things stand."""
    count = peewee.fn.COUNT
    query = Enrolment.select(
        Enrolment.programme, count(Enrolment.id), count(Enrolment.paid_at), count(Enrolment.passed_at)
    ).where(Enrolment.signed_up_at >= since, Enrolment.signed_up_at < until)
    return [Cohort(*row) for row in query.group_by(Enrolment.programme).tuples()]


def first_sign_up() -> datetime | None:
    """When the first of all enrolments was made."""
    row = Enrolment.select(Enrolment.signed_up_at).order_by(Enrolment.signed_up_at).first()
    return row.signed_up_at if row is not None else None
