"""An invoice on its way: looked at when its time has come, sent once, asked about until its file is here.

The vendor knows each invoice by our number. The row says `sending` before the call; a call whose answer was lost, or
whose worker died, is asked about by that number, and only what the vendor does not have is sent again (fault J1).
"""

from __future__ import annotations

import base64
from datetime import datetime, timedelta
from functools import partial

import structlog

from app.core import sweep
from app.core.budget import Budget
from app.core.db import after_commit, compare_and_set, insert_once, transaction
from app.core.errors import CONFLICT
from app.core.ids import new_id
from app.core.queue import enqueue_hint
from app.invoice import payers, providers, queries, tax
from app.invoice.ledger import file_case, give_up, move
from app.invoice.models import Invoice, InvoiceFile, PayerProfile
from app.invoice.providers.protocol import Answer, Buyer, Refused, Request, Unavailable, Unknown
from app.invoice.status import Action, Status
from app.pay import queries as orders
from app.pay import service as pay
from app.pay.models import Order
from app.policy import working_days
from app.policy.schema import Invoice as Rule

log = structlog.get_logger(__name__)

ADVANCE = "jobs.entries.advance_invoice"
CALL = timedelta(seconds=60)  # a call takes seconds: a row that is `sending` for longer lost its worker
SETTLES = timedelta(minutes=5)  # before "I do not have it" is believed of a number that was sent


def plan(order: Order, rule: Rule, profile: PayerProfile, *, since: datetime, now: datetime) -> Invoice:
    """The first invoice of a paid order, in the name of `profile`, due in the programme's working days after `since`.
    Asked again it is the same one; where others followed it, the last."""
    if queries.of_order(order.id) is None:
        _insert(order, rule, profile, f"F{order.id}".upper(), order.amount_fen, since=since, now=now)
    row = queries.of_order(order.id)
    if row is None:
        raise RuntimeError(f"order {order.id} has no invoice after one was planned")
    return row


def follow(row: Invoice, profile_id: str, *, now: datetime) -> bool:
    """One that follows an invoice which is over, of the money that is kept, in the name of this profile. The money
    was looked at by whoever decided it. False if no money is kept, or another one of the order is there already. In
    the transaction of the decision."""
    order, programme = orders.get_order(row.order_id), queries.programme_of(row)
    kept_fen = orders.kept_fen(row.order_id)
    if kept_fen <= 0 or programme.invoice is None:
        return False
    turn = len(queries.every_of_order(row.order_id)) + 1
    profile = PayerProfile.get_by_id(profile_id)
    serial = f"F{order.id}N{turn}".upper()
    return _insert(
        order, programme.invoice, profile, serial, kept_fen, since=now, now=now, replaces=row.id, settled_at=now
    )


def follow_kept(row: Invoice, profile_id: str, *, now: datetime) -> None:
    """As `follow`, where money that is kept must not stay without an invoice. Raises `conflict`: the decision is
    rolled back, and tried again. (Between `migrate` and `migrate --contract` an order can have only one.)"""
    if not follow(row, profile_id, now=now) and orders.kept_fen(row.order_id) > 0:
        raise CONFLICT()


def _insert(
    order: Order,
    rule: Rule,
    profile: PayerProfile,
    serial: str,
    gross_fen: int,
    *,
    since: datetime,
    now: datetime,
    **more: str | datetime,
) -> bool:
    """Write the row, unless the order has one that is not over, or this number was given before: two unique keys."""
    programme = queries.programme_of(order)
    parts = [tax.split(amount, rule.tax_rate_permille) for amount in queries.amounts_of(order.id, gross_fen)]
    amount = tax.total(parts)
    opens, closes = working_days.window(since, rule.after_payment, programme.calendar)
    row_id = new_id()
    fresh = insert_once(
        Invoice,
        id=row_id,
        order_id=order.id,
        live_key=order.id,
        person_id=order.person_id,
        programme=order.programme,
        version=order.version,
        authority=programme.authority.secrets.invoice,
        serial=serial,
        profile_id=profile.id,
        kind=rule.kind,
        status=Status.WAITING,
        gross_fen=amount.gross_fen,
        net_fen=amount.net_fen,
        tax_fen=amount.tax_fen,
        tax_rate_permille=rule.tax_rate_permille,
        goods_name=rule.goods_name,
        goods_code=rule.goods_code,
        paid_at=order.paid_at,
        planned_at=now,
        due_from=opens,
        due_until=closes,
        next_at=opens,
        **more,
    )
    if fresh and opens <= now:
        after_commit(partial(enqueue_hint, ADVANCE, row_id))
    return fresh


def pause(tries: int) -> timedelta:
    """Between two looks at one invoice: 10 s, doubled up to an hour."""
    return timedelta(seconds=min(10 * 2 ** min(tries, 12), 3600))


def advance(invoice_id: str, *, now: datetime) -> None:
    """Take one invoice a step further, if its time has come. The next time is written first: two workers do not work
    on it at once."""
    row = Invoice.get_or_none(Invoice.id == invoice_id)
    if row is None or row.status not in queries.WORKED_ON or row.next_at is None or row.next_at > now:
        return
    seen = {"status": row.status, "next_at": row.next_at}
    later = now + max(pause(row.tries), CALL)
    if not compare_and_set(Invoice, row.id, seen, {"next_at": later, "tries": row.tries + 1}):
        return
    row.next_at, row.tries = later, row.tries + 1
    try:
        if row.status == Status.WAITING:
            if _may_go(row, now):
                _send(row, now)
            return
        if row.status == Status.SENDING:
            move(row, Action.LOSE, "worker lost", now=now, next_at=later)
            log.warning("invoice_unknown", invoice_id=row.id, why="worker lost")
        _ask(row, now)
    except Unavailable as error:
        log.error("invoice_vendor_unavailable", invoice_id=row.id, provider_code=error.code)
    except Unknown as error:
        log.warning("invoice_unknown", invoice_id=row.id, why=str(error))


def _may_go(row: Invoice, now: datetime) -> bool:
    """Whether the invoice may be sent now. Money that goes back needs none; while finance holds the programme none is
    sent; where the programme wants the settlement checked, the payment's provider is asked once more (ADR 20)."""
    if queries.money_went_back(row):
        give_up(row, now=now)
        return False
    if queries.hold_of(row.programme) is not None:
        return False
    rule = queries.programme_of(row).invoice
    if row.settled_at is not None or rule is None or not rule.held_until_settlement_checked:
        return True
    kept = pay.still_kept(row.order_id)
    if kept == "yes":
        return compare_and_set(Invoice, row.id, {"status": Status.WAITING, "hold": None}, {"settled_at": now})
    if kept == "no":
        with transaction():
            seen = {"status": Status.WAITING, "hold": None}
            if compare_and_set(Invoice, row.id, seen, {"hold": "settlement", "next_at": None}):
                file_case("invoice.settlement", row, {"order": row.order_id}, now=now)
    return False


def buyer_of(row: Invoice) -> Buyer:
    """In whose name the invoice is, as the vendor is told."""
    payer = payers.of_row(queries.buyer(row))
    bank = " ".join(filter(None, (payer.bank_name, payer.bank_account)))
    return Buyer(
        payer.title,
        payer.kind == "person",
        payer.taxpayer_number,
        payer.email,
        payer.phone,
        payer.address,
        bank or None,
    )


def request_of(row: Invoice) -> Request:
    """What the vendor is asked to issue."""
    return Request(
        serial=row.serial,
        ordered_at=row.paid_at,
        buyer=buyer_of(row),
        lines=queries.lines(row),
        remark=f"订单 {row.order_id}",
    )


def _send(row: Invoice, now: datetime) -> None:
    request = request_of(row)
    with transaction():  # held by somebody a moment ago: the hold wins, as long as nothing was sent
        if queries.hold_of(row.programme) is not None:
            return
        seen = {"status": row.status, "hold": None, "next_at": row.next_at}
        if not compare_and_set(Invoice, row.id, seen, {"next_at": now + CALL}):
            return
        move(row, Action.SEND, "sent", now=now, sent_at=now)
    try:
        answer = providers.for_authority(row.authority).issue(request)
    except Unavailable:
        move(row, Action.POSTPONE, "vendor unavailable", now=now, next_at=now + pause(row.tries), tries=row.tries)
        raise
    except Refused as refusal:
        _refuse(row, refusal.code, refusal.text, now)
    except Unknown as error:
        move(row, Action.LOSE, str(error), now=now, next_at=now + pause(0))
        raise
    else:
        _apply(row, answer, now)


def _ask(row: Invoice, now: datetime) -> None:
    vendor = providers.for_authority(row.authority)
    answer = vendor.query(row.serial)
    if answer.state != "absent":
        _apply(row, answer, now)
    elif row.status == Status.UNKNOWN and row.sent_at is not None and now - row.sent_at >= SETTLES:
        if queries.money_went_back(row):
            give_up(row, now=now)
            return
        log.info("invoice_sent_again", invoice_id=row.id)
        _send(row, now)
    else:  # not there yet; one that the vendor said it had, and lost, becomes late: a case
        log.warning("invoice_absent", invoice_id=row.id, status=row.status)
        _look_again(row, now)


def _look_again(row: Invoice, now: datetime) -> None:
    compare_and_set(
        Invoice, row.id, {"status": row.status, "next_at": row.next_at}, {"next_at": now + pause(row.tries)}
    )


def _apply(row: Invoice, answer: Answer, now: datetime) -> None:
    """Write down what the vendor says; go on to the file where it is named."""
    if answer.state in ("processing", "absent"):
        if not move(row, Action.TAKE, "vendor", now=now, next_at=now + pause(0), vendor_serial=answer.vendor_serial):
            _look_again(row, now)
        return
    if answer.state == "failed":
        _refuse(row, "failed", answer.reason, now)
        return
    wrong = mismatch(row, answer)
    if wrong == "void" or (wrong is not None and row.status != Status.ISSUED):  # what a person accepted stays
        _dispute(row, answer, wrong, now)
        return
    if answer.number is None:
        raise Unknown("issued without a number")
    facts = {"number": answer.number, "issued_at": answer.issued_at or now, "vendor_serial": answer.vendor_serial}
    move(row, Action.ISSUE, f"number:{answer.number}", now=now, next_at=now + CALL, **facts)
    if row.status == Status.ISSUED:
        _fetch(row, answer, now)


def mismatch(row: Invoice, answer: Answer) -> str | None:
    """What of an invoice that exists is not what was asked for, or None. An amount that the vendor leaves out is none
    that was checked."""
    if answer.state == "void":
        return "void"
    if answer.gross_fen != row.gross_fen:
        return "amount" if answer.gross_fen is not None else "amount left out"
    return None if answer.tax_fen == row.tax_fen else "tax"


def _dispute(row: Invoice, answer: Answer, wrong: str, now: datetime) -> None:
    facts = {"wrong": wrong, "number": answer.number, "asked_fen": row.gross_fen, "issued_fen": answer.gross_fen}
    facts |= {"asked_tax_fen": row.tax_fen, "issued_tax_fen": answer.tax_fen}
    with transaction():
        values = {
            "number": answer.number,
            "issued_at": answer.issued_at or now,
            "vendor_serial": answer.vendor_serial,
        }
        if move(row, Action.DISPUTE, f"mismatch:{wrong}", now=now, next_at=None, **values):
            file_case("invoice.mismatch", row, facts, now=now)


def _refuse(row: Invoice, code: str, text: str, now: datetime) -> None:
    """The vendor issued nothing, for a reason that only a person can mend: the case holds its words, sealed."""
    with transaction():
        if not move(row, Action.REFUSE, f"vendor:{code}", now=now, next_at=None):
            return
        file_case("invoice.refused", row, {"code": code, "text": text[:500]}, now=now)
    log.error("invoice_refused", invoice_id=row.id, provider_code=code)


def _fetch(row: Invoice, answer: Answer, now: datetime) -> None:
    if answer.pdf_url is None:
        log.info("invoice_without_file", invoice_id=row.id)
        _look_again(Invoice.get_by_id(row.id), now)
        return
    pdf = providers.for_authority(row.authority).download(answer.pdf_url)
    with transaction():
        if move(row, Action.FILE, "file", now=now, next_at=None, ready_at=now):
            InvoiceFile.create(id=row.id, pdf=base64.b64encode(pdf).decode())


def work(*, now: datetime, limit: int = 200) -> int:
    """Scheduled: every invoice whose time has come, as far as the time of one run goes; gives how many."""
    budget = Budget()
    rows = (Invoice(id=row_id) for row_id in queries.due(now, limit) if not budget.spent())

    def step(row: Invoice) -> bool:
        advance(row.id, now=now)
        return True

    done, _ = sweep.each("invoice.work", rows, step)
    return done
