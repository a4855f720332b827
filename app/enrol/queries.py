"""Named reads of roster and enrolments."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

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
