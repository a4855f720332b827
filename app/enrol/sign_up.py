"""Signing up: which certificates of the roster may be signed up for, and what stands in the way.

Yunnan manual, step 1 and step 2 (二) 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from app.account.errors import PROGRAMME_NOT_OPEN
from app.core.db import insert_once, transaction
from app.core.errors import CONFLICT, NOT_FOUND
from app.core.ids import new_id
from app.core.money import yuan
from app.enrol import queries
from app.enrol.errors import REFUSALS
from app.enrol.hints import Hint, refusal_sentence, warning_hint
from app.enrol.models import Enrolment, EnrolmentEvent, RosterEntry
from app.enrol.status import Status
from app.policy import load, rules
from app.policy.schema import Programme

_DONE = (Status.PASSED, Status.COMPLETED)


@dataclass(frozen=True)
class Offer:
    """One certificate of the person. Without a `refusal` it may be signed up for; `enrolment` is the one that is
    open already."""

    entry: RosterEntry
    kind_title: str
    refusal: Hint | None
    warning: Hint | None
    enrolment: Enrolment | None


@dataclass(frozen=True)
class Page:
    """What the sign-up screen shows. `notice`: nothing in the roster, or not the kind that was asked for."""

    programme: Programme
    offers: list[Offer]
    notice: Hint | None


def page(person_id: str, programme_key: str, *, kind: str | None = None, now: datetime) -> Page:
    """The person's certificates in the roster of the programme; only those of the kind with the code `kind`, if
    given. Raises `NOT_FOUND` for an unknown programme."""
    programme = programme_in_force(programme_key, now)
    listed = queries.entries(person_id, programme_key)
    shown = [entry for entry in listed if kind in (None, entry.kind_code)]
    return Page(programme, [_offer(programme, entry, now) for entry in shown], _notice(programme, listed, shown))


def programme_in_force(key: str, now: datetime) -> Programme:
    """The programme's version in force now. Raises `NOT_FOUND`, `PROGRAMME_NOT_OPEN`."""
    try:
        return load.in_force(key, now)
    except load.NotOpen:
        raise PROGRAMME_NOT_OPEN() from None
    except load.UnknownProgramme:
        raise NOT_FOUND("没有这个培训项目，请返回首页重新选择。") from None


def sign_up(person_id: str, entry_ids: list[str], *, now: datetime) -> list[Enrolment]:
    """Sign up for these certificates, all or none; for one that is signed up for already, its open enrolment. Raises
    `NOT_FOUND` for an entry that is not the person's, and the refusals of `errors.REFUSALS`."""
    rows = []
    with transaction():
        # an import must not change a certificate's kind while it is signed up for
        for entry in queries.owned_entries(list(dict.fromkeys(entry_ids)), person_id, locked=True):
            rows.append(_open_enrolment(entry) or _enrol(entry, now))
    return rows


def _open_enrolment(entry: RosterEntry) -> Enrolment | None:
    row: Enrolment | None = Enrolment.get_or_none(Enrolment.open_entry_id == entry.id)
    return row


def _enrol(entry: RosterEntry, now: datetime) -> Enrolment:
    programme = programme_in_force(entry.programme, now)
    if code := refusal(programme, entry, now):
        raise REFUSALS[code](refusal_sentence(programme, code, entry.kind_code), roster_entry_id=entry.id)
    enrolment_id = new_id()
    fresh = insert_once(
        Enrolment,
        id=enrolment_id,
        person_id=entry.person_id,
        programme=programme.key,
        version=programme.version.isoformat(),
        kind_code=entry.kind_code,
        roster_entry_id=entry.id,
        open_entry_id=open_key(entry),
        certificate_expires_on=entry.expires_on,
        status=Status.SIGNED_UP,
        signed_up_at=now,
    )
    if fresh:
        EnrolmentEvent.create(enrolment_id=enrolment_id, at=now, action="sign_up", status=Status.SIGNED_UP)
        return Enrolment.get_by_id(enrolment_id)
    other = _open_enrolment(entry)  # a second click was faster
    if other is None:
        raise CONFLICT()
    return other


def open_key(entry: RosterEntry) -> str:
    """The unique key under which an enrolment is open: one at a time for each certificate."""
    return str(entry.id)


def refusal(programme: Programme, entry: RosterEntry, now: datetime) -> str | None:
    """Why this certificate cannot be signed up for now: a code of `errors.REFUSALS`, or None."""
    if rules.offered_kind(programme, entry.kind_code) is None:
        return "kind_not_offered"
    # with a new expiry, a renewed certificate may be signed up for again
    done = Enrolment.select().where(Enrolment.roster_entry_id == entry.id, Enrolment.status.in_(_DONE))
    if any(row.certificate_expires_on == entry.expires_on for row in done):
        return "already_completed"
    return rules.sign_up_refusal(programme, entry.expires_on, now)


def _offer(programme: Programme, entry: RosterEntry, now: datetime) -> Offer:
    kind = rules.certificate_kind(programme, entry.kind_code)
    row = _open_enrolment(entry)
    code = None if row else refusal(programme, entry, now)
    warning = _warning(programme, entry, now)
    return Offer(
        entry=entry,
        kind_title=kind.title if kind else entry.kind_code,
        refusal=Hint(code, refusal_sentence(programme, code, entry.kind_code)) if code else None,
        warning=warning if code is None and (row is None or row.status == Status.SIGNED_UP) else None,
        enrolment=row,
    )


def _warning(programme: Programme, entry: RosterEntry, now: datetime) -> Hint | None:
    lapsed = Enrolment.select().where(Enrolment.roster_entry_id == entry.id, Enrolment.status == Status.LAPSED)
    if programme.extension and any(row.certificate_expires_on == entry.expires_on for row in lapsed):
        phone = rules.contacts(programme, entry.kind_code).extension
        fee = f"费用 {yuan(programme.extension.fee_fen)} 元" if programme.extension.fee_fen else "免费"
        sentence = f"上次缴费后学习期限已过，可以申请延期（{fee}），请先拨打 {phone}；重新报名要再次缴费。"
        return Hint("lapsed_before", sentence)
    code = rules.sign_up_warning(programme, entry.expires_on, now, kind=entry.kind_code)
    return warning_hint(programme, code, entry.kind_code) if code else None


def _notice(programme: Programme, listed: list[RosterEntry], shown: list[RosterEntry]) -> Hint | None:
    phone = programme.authority.contacts.sign_up
    regulator = programme.authority.regulator
    if not listed:
        return Hint("not_in_roster", f"{regulator}的名单里没有您的证书。请核对证件信息，或拨打 {phone} 查询。")
    if not shown:
        kinds = [rules.certificate_kind(programme, entry.kind_code) for entry in listed]
        titles = "、".join(dict.fromkeys(kind.title for kind in kinds if kind))
        return Hint("wrong_kind", f"名单里您的证书类别是：{titles}。请按此选择；如登记有误请拨打 {phone} 更正。")
    return None
