"""From enrolments to an order and back: the checkout, and what a paid or closed order means for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from app.account.person_name import name_form
from app.core.db import transaction
from app.enrol import queries, service
from app.enrol.errors import (
    ALREADY_PAID,
    KIND_NOT_OFFERED,
    NOTHING_TO_PAY,
    ONE_PROGRAMME_PER_ORDER,
    PAYER_MISMATCH,
    REFUSALS,
)
from app.enrol.hints import refusal_sentence, terms
from app.enrol.models import Enrolment
from app.enrol.roster.rows import number_form
from app.enrol.sign_up import programme_in_force
from app.enrol.status import Action, Status
from app.invoice import service as invoice
from app.pay import queries as orders
from app.pay import service as pay
from app.policy import load, rules
from app.policy.schema import Programme

DIFFERS = {
    "person": PAYER_MISMATCH.sentence,
    "enterprise": "再次填写的单位信息与开票信息里的不一致，请按营业执照上的信息重新填写。",
}
NAME_DIFFERS = {
    "person": "姓名与登记的不一致，请按身份证填写。",
    "enterprise": "单位名称与开票信息里的不一致，请按营业执照填写；要改由个人付款，请先改开票信息。",
}
NUMBER_DIFFERS = {
    "person": "身份证号与登记的不一致，请按身份证填写。",
    "enterprise": "纳税人识别号与开票信息里的不一致，请按营业执照填写。",
}


@dataclass(frozen=True)
class Till:
    """What the checkout screen shows: the person's unpaid enrolments in one programme, what one, two, … of them cost
    (fen), and what to know before paying. `retype`: the payer is typed again and compared."""

    programme: Programme
    cards: list[queries.Card]
    prices_fen: list[int]
    terms: list[str]
    retype: bool


def till(person_id: str, enrolment_id: str | None, *, now: datetime) -> Till:
    """The checkout of the programme that this enrolment of the person belongs to; without one, that of the newest
    unpaid enrolment. Raises `NOT_FOUND`, `PROGRAMME_NOT_OPEN`, `NOTHING_TO_PAY`."""
    unpaid = [row for row in queries.of_person(person_id) if row.status == Status.SIGNED_UP]
    named = queries.owned([enrolment_id], person_id) if enrolment_id else unpaid[:1]
    if not named:
        raise NOTHING_TO_PAY("没有待缴费的报名，请先报名。")
    programme = programme_in_force(named[0].programme, now)
    if programme.fee is None:
        raise NOTHING_TO_PAY()
    rows = [row for row in unpaid if row.programme == programme.key]
    prices = [rules.price_fen(programme, count) for count in range(1, len(rows) + 1)]
    return Till(programme, queries.cards(rows, now=now), prices, terms(programme), programme.fee.payer_retype)


@dataclass(frozen=True)
class Checkout:
    """The order that was made: what it costs, and until when it may be paid."""

    order_id: str
    status: str
    amount_fen: int
    expires_at: datetime


def checkout(
    person_id: str, enrolment_ids: Sequence[str], *, payer_name: str, payer_number: str, now: datetime
) -> Checkout:
    """The order for these enrolments of the person, with the rules and the fee in force now. The same enrolments
    again give the same order while it is open. Raises `NOT_FOUND`, `ALREADY_PAID`, `PAYER_MISMATCH`,
    `ONE_PROGRAMME_PER_ORDER`, `NOTHING_TO_PAY`, the refusals of a sign-up, and what `pay.create_order` raises.
    Yunnan manual, step 2 (二) 1–4."""
    ids = list(dict.fromkeys(enrolment_ids))
    keys = {row.programme for row in queries.owned(ids, person_id)}
    if len(keys) > 1:
        raise ONE_PROGRAMME_PER_ORDER()
    programme = programme_in_force(keys.pop(), now)
    if programme.fee is None:
        raise NOTHING_TO_PAY()
    payer = invoice.payer(person_id)
    if programme.fee.payer_retype:
        _match_payer(payer, payer_name, payer_number)
    with transaction():
        rows = queries.owned(ids, person_id, locked=True)  # clicks at one moment come one after the other
        for row in rows:
            _check(programme, row, now)
        order = pay.create_order(
            payer=pay.Payer("person", person_id),
            programme=programme.key,
            version=programme.version.isoformat(),
            lines=_lines(programme, rows),
            expires_at=rules.order_expires_at(programme, now),
            now=now,
        )
        for row in rows:
            if row.order_id != order.id:
                version = programme.version.isoformat()
                service.move(row, Action.ORDER, now=now, reference=order.id, order_id=order.id, version=version)
        if programme.invoice is not None:
            invoice.confirm_order(order.id, payer, now=now)
    return Checkout(order.id, order.status, order.amount_fen, order.expires_at)


def _match_payer(payer: invoice.Payer, name: str, number: str) -> None:
    """Compare what was typed again with the payer's details (invoice.payers), and say which field differs, never how:
    a person types name and ID number, for an enterprise its name and taxpayer number."""
    fields = {}
    if name_form(name) != name_form(payer.name):
        fields["payer_name"] = NAME_DIFFERS[payer.kind]
    if number_form(number) != number_form(payer.number):
        fields["payer_number"] = NUMBER_DIFFERS[payer.kind]
    if fields:
        raise PAYER_MISMATCH(DIFFERS[payer.kind], fields=fields)


def _check(programme: Programme, row: Enrolment, now: datetime) -> None:
    # an order may be paid a moment before its event arrives here
    paid_already = row.order_id is not None and orders.get_order(row.order_id).paid_at is not None
    if row.status != Status.SIGNED_UP or paid_already:
        raise ALREADY_PAID(enrolment_id=row.id)
    if rules.offered_kind(programme, row.kind_code) is None:
        raise KIND_NOT_OFFERED(refusal_sentence(programme, "kind_not_offered", row.kind_code), enrolment_id=row.id)
    if code := rules.sign_up_refusal(programme, row.certificate_expires_on, now):
        raise REFUSALS[code](refusal_sentence(programme, code, row.kind_code), enrolment_id=row.id)


def _lines(programme: Programme, rows: list[Enrolment]) -> list[pay.Line]:
    """One line an enrolment; the shares of a price per order differ by one fen at most."""
    share, rest = divmod(rules.price_fen(programme, len(rows)), len(rows))
    titles = {kind.code: kind.title for kind in programme.certificate_kinds}
    return [
        pay.Line(sku=queries.sku(row.id), title=f"{titles[row.kind_code]}继续教育", amount_fen=share + (place < rest))
        for place, row in enumerate(rows)
    ]


def paid(payload: dict[str, str], now: datetime) -> None:
    """Subscriber of `order.paid`: the study period begins with the payment, by the rules of the order's version.
    Raises `status.NotAllowed` for an enrolment that another order has paid: money for nothing must be seen."""
    order_id = payload["order_id"]
    for row in queries.of_order(order_id):
        if row.order_id == order_id and row.paid_at is not None:
            continue
        paid_at = orders.get_order(order_id).paid_at
        programme = load.programme(row.programme, row.version)
        deadline = rules.study_deadline(programme, paid_at) if programme.study else None
        values = {"order_id": order_id, "paid_at": paid_at, "study_deadline": deadline}
        service.move(row, Action.PAY, now=now, reference=order_id, **values)


def closed(payload: dict[str, str], now: datetime) -> None:
    """Subscriber of `order.closed`: not paid in time; the person may order again. An order made since stays."""
    order_id = payload["order_id"]
    for row in queries.of_order(order_id):
        if row.order_id == order_id and row.status == Status.SIGNED_UP:
            service.move(row, Action.ORDER_CLOSED, now=now, reference=order_id, order_id=None)
