"""Invoices as the other domains and the trainee's screens know them. The way of one invoice stands in issuing.py, of
a red letter in red_letters.py, what finance decides in decisions.py and corrections.py."""

from __future__ import annotations

import base64
import io
import zipfile
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from app.cases import service as cases
from app.core import tokens
from app.core.clock import shanghai
from app.core.db import transaction
from app.core.errors import Problem
from app.core.money import yuan
from app.invoice import corrections, issuing, payers, queries
from app.invoice.errors import (
    INVOICE_AUTOMATIC,
    INVOICE_LINK_OVER,
    INVOICE_MONEY_BACK,
    INVOICE_NEEDS_PAYMENT,
    INVOICE_NOT_READY,
    NO_INVOICE_HERE,
    PAYER_UNKNOWN,
)
from app.invoice.models import Invoice, InvoiceFile
from app.invoice.payers import Details, Payer, details, payer, save, save_organisation
from app.invoice.status import ENDED, Status
from app.notify import service as notify
from app.pay import queries as orders
from app.pay.models import Order
from app.pay.status import OrderStatus
from app.policy import working_days
from app.policy.schema import Invoice as Rule
from app.policy.schema import Programme

__all__ = ["Details", "Payer", "confirm_order", "details", "payer", "save", "save_organisation"]

confirm_order = payers.choose
LINK, ZIP = "invoice.pdf", "invoices.zip"
ZIP_MOST, ZIP_BYTES = 60, 20 * 1024 * 1024
LINK_MINUTES = 10
State = Literal["requestable", "planned", "held", "late", "problem", "correcting", "cancelled", "ready"]


def paid(payload: dict[str, str], now: datetime) -> None:
    """Subscriber of `order.paid`: where invoices are made by themselves, the order's is planned. Yunnan manual, step
    2 (二) 3, picture, and (三) 3."""
    order = orders.get_order(payload["order_id"])
    rule = queries.programme_of(order).invoice
    if rule is not None and rule.issued == "automatic":
        try:
            profile = payers.at_payment(order, now=now)
        except Problem as problem:
            if problem.kind is not PAYER_UNKNOWN:
                raise
            return  # watch.plan_missing makes it a case, and plans it once the organisation has said who it is
        issuing.plan(order, rule, profile, since=order.paid_at, now=now)


def request(person_id: str, order_id: str, *, now: datetime) -> Invoice:
    """The invoice of the person's order, where it is made on request; asked twice it is the same one. Its working
    days count from the request. Anywhere: the next one after one that came to nothing because of the payer's details,
    in the name of those saved now. Raises `not_found`, `no_invoice_here`, `invoice_automatic`,
    `invoice_needs_payment`, `invoice_money_back`."""
    order = orders.order_of(person_id, order_id)
    rule = queries.programme_of(order).invoice
    if rule is None:
        raise NO_INVOICE_HERE()
    before = queries.of_order(order.id)
    if before is not None and (before.status, before.ended) == (Status.CANCELLED, "details"):
        return _anew(before, person_id, now)
    if rule.issued == "automatic":
        raise INVOICE_AUTOMATIC()
    if order.status != OrderStatus.PAID:
        raise INVOICE_NEEDS_PAYMENT()
    if order.id in orders.given_back([order.id]) and not orders.kept_fen(order.id):
        raise INVOICE_MONEY_BACK()
    with transaction():
        if not rule.details_fixed_once_paid:
            profile = payers.choose(order.id, payers.payer(person_id), now=now)
        else:
            profile = payers.at_payment(order, now=now)
        return issuing.plan(order, rule, profile, since=now, now=now)


def _anew(before: Invoice, person_id: str, now: datetime) -> Invoice:
    with transaction():
        profile = payers.choose(before.order_id, payers.payer(person_id), now=now)
        if not issuing.follow(before, profile.id, now=now):
            raise INVOICE_MONEY_BACK()
    return queries.of_order(before.order_id) or before


def ask_correction(person_id: str, invoice_id: str, words: str, *, now: datetime) -> Invoice:
    """The payer asks that an invoice be taken back and issued with the details saved now; finance decides. Raises
    `not_found`, `invoice_not_ready`, `invoice_being_corrected`, `invoice_nothing_to_correct`."""
    row = queries.owned(invoice_id, person_id)
    profile = payers.current(person_id)
    corrections.ask(row, profile, words, asked_by=f"person:{person_id}", now=now)
    return queries.by_id(row.id)


# --- what the trainee sees ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Card:
    """A paid order and its invoice, where there is one: its state in a word and in a sentence, and the working days
    in which it is to be issued."""

    order: Order
    invoice: Invoice | None
    programme: Programme
    state: State
    sentence: str
    due_from: datetime | None
    due_until: datetime | None


def cards(person_id: str, *, now: datetime) -> list[Card]:
    """One card for each paid order of a programme that has invoices, the newest first."""
    found = queries.of_person(person_id)
    mine = [order for order in orders.orders_of(person_id) if order.status == OrderStatus.PAID]
    back = orders.given_back([order.id for order in mine])
    asked = _asked_to_correct(list(found.values()))
    made = [_card(order, found.get(order.id), order.id in back, asked, now) for order in mine]
    return [card for card in made if card is not None]


def card(invoice: Invoice, *, now: datetime) -> Card:
    """The card of one invoice."""
    order = orders.get_order(invoice.order_id)
    return _shown(order, invoice, queries.programme_of(order), _asked_to_correct([invoice]), now)


def _asked_to_correct(rows: list[Invoice]) -> set[str]:
    """Of these, the ids of those whose correction somebody has to decide, or is on its way."""
    subjects = {f"invoice:{row.id}": row.id for row in rows}
    asked = {subjects[subject] for subject in cases.open_about(corrections.CASE, subjects.keys())}
    return asked | queries.being_reversed(list(subjects.values()))


def _card(order: Order, invoice: Invoice | None, given_back: bool, asked: set[str], now: datetime) -> Card | None:
    programme = queries.programme_of(order)
    if invoice is not None:
        return _shown(order, invoice, programme, asked, now)
    if programme.invoice is None:
        return None
    if given_back:
        return Card(order, None, programme, "cancelled", _money_back(order, programme), None, None)
    if programme.invoice.issued == "on_request":
        return Card(order, None, programme, "requestable", "需要发票的，点“申请开票”。", None, None)
    opens, closes = _window(programme, programme.invoice, order.paid_at)
    return Card(order, None, programme, "planned", _expected(opens, closes), opens, closes)


def _window(programme: Programme, rule: Rule, since: datetime) -> tuple[datetime, datetime]:
    return working_days.window(since, rule.after_payment, programme.calendar)


MONEY_BACK = "这笔订单的款项已退回，不开具发票。"


def _money_back(order: Order, programme: Programme) -> str:
    """Why no invoice comes by itself."""
    if not orders.kept_fen(order.id):
        return MONEY_BACK
    phone = programme.authority.contacts.invoice
    return f"这笔订单的部分款项已退回，余下金额的发票由工作人员开具。如着急请拨打 {phone}。"


def _expected(opens: datetime, closes: datetime) -> str:
    first, last = shanghai(opens), shanghai(closes)
    days = f"{first.month}月{first.day}日"
    if first.date() != last.date():
        days += f"至{last.month}月{last.day}日"
    return f"发票会自动开具，预计{days}可以下载，开好后会发短信通知。"


NOT_ISSUED = {
    "details": "税务没有通过这次的开票信息，发票没有开出。请先核对开票信息，改好后点“申请开票”。",
    "offline": "这张发票改由工作人员在线下开具，开好后会与您联系。如着急请拨打 {}。",
    "none": "按规定，这笔订单不再开具发票。如有疑问请拨打 {}。",
}
ANSWERED = {
    "same": "更正申请没有通过：开票信息与付款时登记的一致。",
    "unproven": "更正申请没有通过：新的开票信息与付款单位不符，请先联系付款单位。",
    "used": "更正申请没有通过：发票已用于报销或抵扣，请先在原处撤回，再申请更正。",
}


def _over(order: Order, row: Invoice, programme: Programme) -> tuple[State, str]:
    """Of one that was cancelled or taken back, and that no other follows."""
    phone = programme.authority.contacts.invoice
    if row.status == Status.REVERSED:
        return "cancelled", f"款项已退回，发票 {row.number} 已红冲，不能再使用。如有疑问请拨打 {phone}。"
    if row.ended is not None:
        return ("requestable" if row.ended == "details" else "cancelled"), NOT_ISSUED[row.ended].format(phone)
    return "cancelled", _money_back(order, programme)


def _ready(row: Invoice, asked: set[str], phone: str) -> tuple[State, str]:
    """Of one that can be downloaded."""
    if row.id in asked:
        return "correcting", f"更正正在办理，办好后这里会换成新的发票。原发票先不要使用。如着急请拨打 {phone}。"
    said = "发票已开具，可以下载。"
    before = queries.replaced(row)
    if before is not None and before.status == Status.REVERSED:
        said = "新的发票已开具，可以下载。原来的发票已红冲，不能再使用。"
    return "ready", said + ANSWERED.get(row.answer or "", "")


def _shown(order: Order, row: Invoice, programme: Programme, asked: set[str], now: datetime) -> Card:
    phone = programme.authority.contacts.invoice
    state: State
    if row.status == Status.READY:
        state, sentence = _ready(row, asked, phone)
    elif row.status in ENDED:
        state, sentence = _over(order, row, programme)
    elif row.status in (Status.REFUSED, Status.DISPUTED):
        state, sentence = "problem", f"开票遇到问题，工作人员正在处理，不需要您操作。如着急请拨打 {phone}。"
    elif row.hold is not None or (row.status == Status.WAITING and queries.hold_of(row.programme) is not None):
        state, sentence = "held", f"财务正在核对这笔款项，核对后就会开具。如着急请拨打 {phone}。"
    elif row.due_until < now:
        state, sentence = "late", f"发票比预计的晚，工作人员已收到提醒。如着急请拨打 {phone}。"
    else:
        state, sentence = "planned", _expected(row.due_from, row.due_until)
    return Card(order, row, programme, state, sentence, row.due_from, row.due_until)


def pdf_link(row: Invoice, *, now: datetime) -> str | None:
    """A link to the PDF that works for some minutes in any browser without a session; None until it is ready."""
    if row.status != Status.READY:
        return None
    ticket = tokens.sign(LINK, row.id, expires=now + timedelta(minutes=LINK_MINUTES))
    return f"/api/v1/invoices/{row.id}.pdf?ticket={ticket}"


def pdf(invoice_id: str, ticket: str, *, now: datetime) -> tuple[Invoice, bytes]:
    """The invoice and its PDF, from our own store, for the holder of a link. Raises `invoice_link_over`,
    `invoice_not_ready`."""
    try:
        if tokens.verify(LINK, ticket, now) != [invoice_id]:
            raise INVOICE_LINK_OVER()
    except tokens.BadToken as error:
        raise INVOICE_LINK_OVER() from error
    row = queries.by_id(invoice_id)
    if row.status != Status.READY:
        raise INVOICE_NOT_READY()
    return row, file_of(row)


def file_of(row: Invoice) -> bytes:
    """The PDF of an invoice, from our own store, of one that was taken back too. Raises `invoice_not_ready`."""
    file = InvoiceFile.get_or_none(InvoiceFile.id == row.id)
    if file is None:
        raise INVOICE_NOT_READY()
    return base64.b64decode(file.pdf)


def zip_link(person_id: str, cards_: list[Card], *, now: datetime) -> str | None:
    """A link to all of one's invoices that can be downloaded, if there are several."""
    if sum(one.invoice is not None and one.invoice.status == Status.READY for one in cards_) < 2:
        return None
    ticket = tokens.sign(ZIP, person_id, expires=now + timedelta(minutes=LINK_MINUTES))
    return f"/api/v1/invoices.zip?ticket={ticket}"


def zip_of(ticket: str, *, now: datetime) -> bytes:
    """The latest of a person's invoices, as many as go into one file, for the holder of a link. Raises
    `invoice_link_over`, `invoice_not_ready`."""
    try:
        (person_id,) = tokens.verify(ZIP, ticket, now)
    except (tokens.BadToken, ValueError) as error:
        raise INVOICE_LINK_OVER() from error
    rows = Invoice.select().where(Invoice.person_id == person_id, Invoice.status == Status.READY)
    made, size = io.BytesIO(), 0
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for row in rows.order_by(Invoice.id.desc()).limit(ZIP_MOST):
            file = base64.b64decode(InvoiceFile.get_by_id(row.id).pdf)
            size += len(file)
            if size > ZIP_BYTES:
                break
            archive.writestr(f"fapiao-{row.number}.pdf", file)
    if not size:
        raise INVOICE_NOT_READY()
    return made.getvalue()


def tell_ready(payload: dict[str, str], now: datetime) -> None:
    """Subscriber of `invoice.ready`: the payer is told, where the programme has such a message."""
    row = queries.by_id(payload["invoice_id"])
    if row.person_id is None:
        return  # an organisation has no phone here: it sees its invoices at the centre
    notify.tell(
        person_id=row.person_id,
        programme=row.programme,
        template="invoice_ready",
        params=[yuan(row.gross_fen)],
        key=f"invoice:{row.id}",
        now=now,
    )
