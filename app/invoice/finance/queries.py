"""Named reads for finance: invoices by what they look for, of the programmes that are theirs."""

from __future__ import annotations

import operator
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import reduce

import peewee

from app.cases.kinds import Fact
from app.core.clock import SHANGHAI, shanghai
from app.core.errors import NOT_FOUND
from app.core.money import yuan
from app.core.staff import EVERYWHERE, Right, Staff
from app.invoice import by_hand, mailing
from app.invoice import queries as invoices
from app.invoice.case_kinds import RED_STATUSES, STATUSES, history_of, name_of
from app.invoice.models import Bundle, Invoice, PayerProfile, ProgrammeHold, RedLetter
from app.invoice.status import Status
from app.pay import queries as orders

__all__ = [
    "MAX_RED_FILE",
    "RED_CASE",
    "STATUSES",
    "Found",
    "Wanted",
    "bundle",
    "bundles_of",
    "holds",
    "may_enter_red",
    "one",
    "search",
    "sheet",
]

holds, may_enter_red = invoices.holds, by_hand.may_enter
RED_CASE, MAX_RED_FILE = by_hand.CASE, by_hand.MAX_FILE
PAGE = 50
SCANNED = 5000  # rows whose sealed title is opened in one search
NUMBERS = (Invoice.number, Invoice.order_id, Invoice.serial, Invoice.id)
SHOWN = {  # a word of the page's filter → the rows
    "all": None,
    "waiting": (Status.WAITING, Status.SENDING, Status.UNKNOWN, Status.ISSUING, Status.ISSUED),
    "held": (Status.WAITING,),
    "ready": (Status.READY,),
    "trouble": (Status.REFUSED, Status.DISPUTED),
    "over": (Status.CANCELLED, Status.REVERSED),
}


@dataclass(frozen=True)
class Wanted:
    """What finance looks for. The days (Shanghai) are those of the payment; `payer` is a piece of the title, a
    taxpayer number, an order, our number or the bureau's."""

    programme: str = ""
    state: str = "all"
    since: date | None = None
    until: date | None = None
    payer: str = ""


@dataclass(frozen=True)
class Found:
    """An invoice in a list. `title`: a person's name is masked."""

    row: Invoice
    title: str
    reversing: bool


def moment(day: date) -> datetime:
    """The beginning of a day in Shanghai."""
    return datetime.combine(day, time(), SHANGHAI)


def mine(staff: Staff) -> peewee.Expression:
    """Invoices of the programmes whose money this person looks after."""
    where = staff.programmes(Right.FINANCE)
    return Invoice.id.is_null(False) if EVERYWHERE in where else Invoice.programme.in_(sorted(where))


def one(staff: Staff, invoice_id: str) -> Invoice:
    """An invoice. Raises `not_found`, for another programme's too."""
    row = Invoice.get_or_none(Invoice.id == invoice_id)
    if row is None or not staff.may(Right.FINANCE, row.programme):
        raise NOT_FOUND()
    return row


@dataclass(frozen=True)
class Hits:
    """The invoices that fit. `cut`: there are further ones, whose titles were not looked at."""

    rows: list[Found]
    cut: bool


def search(staff: Staff, wanted: Wanted, *, limit: int = PAGE) -> Hits:
    """The invoices that fit, the latest payment first; at most `limit`. A number is looked for in all of them, a
    title or a taxpayer number in the latest `SCANNED`."""
    query = Invoice.select().where(mine(staff))
    if wanted.programme:
        query = query.where(Invoice.programme == wanted.programme)
    statuses = SHOWN.get(wanted.state)
    if statuses is not None:
        query = query.where(Invoice.status.in_(statuses))
    if wanted.state == "held":
        held = ProgrammeHold.select(ProgrammeHold.programme)
        query = query.where(Invoice.hold.is_null(False) | Invoice.programme.in_(held))
    if wanted.since is not None:
        query = query.where(Invoice.paid_at >= moment(wanted.since))
    if wanted.until is not None:
        query = query.where(Invoice.paid_at < moment(wanted.until + timedelta(days=1)))
    query = query.order_by(Invoice.paid_at.desc(), Invoice.id.desc())
    cut, text = False, wanted.payer.strip()
    exact = [one == text for one in NUMBERS] + [one == text.upper() for one in NUMBERS]
    rows = list((query.where(reduce(operator.or_, exact)) if text else query).limit(limit))
    if text and not rows:
        rows = list(query.limit(SCANNED + 1))
        cut = len(rows) > SCANNED
        rows = _of_payer(rows[:SCANNED], text)[:limit]
    profiles = of_rows(rows)
    open_ = RedLetter.select(RedLetter.invoice_id).where(
        RedLetter.invoice_id.in_([row.id for row in rows]), RedLetter.next_at.is_null(False)
    )
    reversing = {invoice_id for (invoice_id,) in open_.tuples()}
    return Hits([Found(row, name_of(profiles[row.profile_id]), row.id in reversing) for row in rows], cut)


def sheet(row: Invoice) -> tuple[list[Fact], list[Fact]]:
    """What is to be known of an invoice, and how it came so far."""
    red, mail = invoices.red_letter_of(row.id), mailing.shown(row)
    facts = [
        Fact("抬头", name_of(invoices.buyer(row))),
        Fact("价税合计", f"{yuan(row.gross_fen)} 元，其中税额 {yuan(row.tax_fen)} 元"),
        Fact("订单", row.order_id),
        Fact("订单现余", f"{yuan(orders.kept_fen(row.order_id))} 元"),
        Fact("支付时间", f"{shanghai(row.paid_at):%Y-%m-%d %H:%M}"),
        Fact("应开具", f"{shanghai(row.due_from):%m-%d} 至 {shanghai(row.due_until):%m-%d}"),
        Fact("我方流水号", row.serial),
        Fact("发票号码", row.number or "无"),
    ]
    if row.hold is not None:
        facts.insert(0, Fact("暂缓", {"finance": "财务暂缓", "settlement": "核款未通过"}[row.hold], bad=True))
    if red is not None:
        number = f"，号码 {red.number}" if red.number else ""
        facts.append(Fact("红字发票", RED_STATUSES[red.status] + number))
    facts += [Fact("替换", one.number or one.serial) for one in [invoices.replaced(row)] if one is not None]
    if mail is not None:
        facts.append(Fact("邮件", mail.sentence))
    return facts, history_of(row)


def of_rows(rows: Collection[Invoice]) -> dict[str, PayerProfile]:
    """In whose names these invoices are, by the id of the details."""
    ids = {row.profile_id for row in rows}
    return {one.id: one for one in PayerProfile.select().where(PayerProfile.id.in_(sorted(ids)))} if ids else {}


def _of_payer(rows: list[Invoice], text: str) -> list[Invoice]:
    """Those in this payer's name; titles are sealed, so that they are opened one by one."""
    profiles, upper = of_rows(rows), text.upper()

    def fits(row: Invoice) -> bool:
        profile = profiles[row.profile_id]
        return upper == profile.taxpayer_number or text in (profile.title or "")

    return [row for row in rows if fits(row)]


def bundles_of(staff: Staff) -> list[Bundle]:
    """The ZIPs that this person asked for, the latest first."""
    return list(Bundle.select().where(Bundle.actor == staff.actor).order_by(Bundle.id.desc()).limit(10))


def bundle(staff: Staff, bundle_id: str) -> Bundle:
    """One's own ZIP. Raises `not_found`, for another's too."""
    row = Bundle.get_or_none(Bundle.id == bundle_id)
    if row is None or row.actor != staff.actor:
        raise NOT_FOUND()
    return row
