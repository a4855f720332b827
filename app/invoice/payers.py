"""Who pays: details that are saved before one's own payment, and that an order keeps once it is paid.

Saving writes a new row, confirming an order writes which row it was confirmed with: what held at the moment of the
payment can be read at any time later, however late the news of it comes (`invoice.details_fixed_once_paid`).
"""

from __future__ import annotations

from dataclasses import astuple, dataclass, replace
from datetime import datetime, timedelta

from app.account import service as account
from app.core.db import transaction
from app.invoice import taxpayer
from app.invoice.errors import PAYER_INVALID, PAYER_UNKNOWN
from app.invoice.models import PayerChoice, PayerProfile
from app.pay.models import Order

CLOCKS = timedelta(seconds=10)  # how far the platform's time of a payment, in whole seconds, may be behind ours


@dataclass(frozen=True)
class Details:
    """A payer as the form has it. A person's `title` is their own name, and they have no taxpayer number."""

    kind: str
    title: str
    taxpayer_number: str | None = None
    email: str | None = None
    phone: str | None = None
    address: str | None = None
    bank_name: str | None = None
    bank_account: str | None = None


@dataclass(frozen=True)
class Payer:
    """What a payer types again before paying: the person's name and ID number, or the enterprise's name and taxpayer
    number. `profile_id`: the row that says so; None, as long as nothing was saved."""

    person_id: str
    profile_id: str | None
    kind: str
    name: str
    number: str


def current(person_id: str) -> PayerProfile | None:
    """The details saved last."""
    newest = PayerProfile.select().where(PayerProfile.person_id == person_id)
    row: PayerProfile | None = newest.order_by(PayerProfile.saved_at.desc(), PayerProfile.id.desc()).first()
    return row


def details(person_id: str) -> Details:
    """The details saved last; before the first time the person themselves."""
    row = current(person_id)
    return of_row(row) if row else Details("person", account.get_person(person_id).name)


def of_row(row: PayerProfile) -> Details:
    """The details of a saved row, in the clear."""
    return Details(
        row.kind,
        row.title,
        row.taxpayer_number,
        row.email,
        row.phone,
        row.address,
        row.bank_name,
        row.bank_account,
    )


def save(person_id: str, new: Details, *, now: datetime) -> None:
    """Keep these details for orders from now on; the same ones again write nothing. A person's title is their name,
    whatever was typed."""
    if new.kind == "person":
        new = Details("person", account.get_person(person_id).name, None, new.email)
    with transaction():
        row = current(person_id)
        if row is None or of_row(row) != new:
            _write(person_id, new, now)


def _write(person_id: str | None, new: Details, now: datetime, *, organisation_id: str | None = None) -> PayerProfile:
    values = dict(zip(Details.__dataclass_fields__, astuple(new), strict=True))
    row: PayerProfile = PayerProfile.create(
        person_id=person_id, organisation_id=organisation_id, saved_at=now, **values
    )
    return row


def of_organisation(organisation_id: str) -> PayerProfile | None:
    """An organisation's details saved last."""
    newest = PayerProfile.select().where(PayerProfile.organisation_id == organisation_id)
    row: PayerProfile | None = newest.order_by(PayerProfile.saved_at.desc(), PayerProfile.id.desc()).first()
    return row


def save_organisation(organisation_id: str, new: Details, *, now: datetime) -> None:
    """Keep an organisation's details for its invoices from now on; the same ones again write nothing. Raises
    `payer_invalid`, with what is wrong by field: it has a name, and a taxpayer number that checks itself."""
    number = taxpayer.normalise(new.taxpayer_number or "")
    wrong = {}
    if len(new.title.strip()) < 2:
        wrong["title"] = "请填写单位全称，与营业执照一致。"
    if number is None:
        wrong["taxpayer_number"] = "纳税人识别号不对，请对照营业执照上的统一社会信用代码（18 位）核对。"
    if bool(new.bank_name) != bool(new.bank_account):
        wrong["bank_account" if new.bank_name else "bank_name"] = "开户行和银行账号要一起填写，或都不填。"
    if wrong:
        raise PAYER_INVALID(fields=wrong)
    new = replace(new, kind="enterprise", title=new.title.strip(), taxpayer_number=number)
    with transaction():
        row = of_organisation(organisation_id)
        if row is None or of_row(row) != new:
            _write(None, new, now, organisation_id=organisation_id)


def payer(person_id: str) -> Payer:
    """Whoever pays by the details saved last."""
    row = current(person_id)
    if row is not None and row.kind == "enterprise":
        return Payer(person_id, row.id, row.kind, row.title, row.taxpayer_number)
    person = account.get_person(person_id)
    return Payer(person_id, row.id if row else None, "person", person.name, person.id_number)


def choose(order_id: str, by: Payer, *, now: datetime) -> PayerProfile:
    """The order was confirmed by this payer: gives the details that it was confirmed with. In the transaction of the
    confirmation; details that were saved since the payer was looked up do not count."""
    with transaction():
        row = PayerProfile.get_by_id(by.profile_id) if by.profile_id else _own(by, now)
        last = _choices(order_id).first()
        if last is None or last.profile_id != row.id:
            PayerChoice.create(order_id=order_id, profile_id=row.id, chosen_at=now)
    return row


def _own(by: Payer, now: datetime) -> PayerProfile:
    """The person themselves, who has saved nothing; confirmed twice, one row."""
    row, own = current(by.person_id), Details("person", by.name)
    return row if row is not None and of_row(row) == own else _write(by.person_id, own, now)


def _choices(order_id: str) -> PayerChoice:
    """The confirmations of an order, the last one first."""
    query = PayerChoice.select().where(PayerChoice.order_id == order_id)
    return query.order_by(PayerChoice.chosen_at.desc(), PayerChoice.id.desc())


def at_payment(order: Order, *, now: datetime) -> PayerProfile:
    """The details that a paid order keeps: those of the last confirmation before the payment. An order that knows of
    none: those saved last before the payment, or the person themselves; of an organisation those that it has now.
    Raises `payer_unknown` for one that has none."""
    choices = list(_choices(order.id))
    in_time = [choice for choice in choices if choice.chosen_at <= order.paid_at + CLOCKS] or choices[-1:]
    if in_time:
        chosen: PayerProfile = PayerProfile.get_by_id(in_time[0].profile_id)
        return chosen
    if order.organisation_id is not None:
        theirs = of_organisation(order.organisation_id)
        if theirs is None:
            raise PAYER_UNKNOWN()
        return theirs
    saved = PayerProfile.select().where(
        PayerProfile.person_id == order.person_id, PayerProfile.saved_at <= order.paid_at
    )
    row: PayerProfile | None = saved.order_by(PayerProfile.saved_at.desc(), PayerProfile.id.desc()).first()
    own = Details("person", account.get_person(order.person_id).name)
    return row or _write(order.person_id, own, now)
