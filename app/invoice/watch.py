"""What is looked after beside the way of a single invoice: paid orders without one, money that went back, invoices
that are late, years that the calendar does not know. Each finds its work in SQL; a second time changes nothing."""

from __future__ import annotations

from datetime import datetime, timedelta

from app.cases import service as cases
from app.core import sweep
from app.core.clock import iso
from app.core.db import compare_and_set, transaction
from app.core.errors import Problem
from app.invoice import issuing, payers, queries, red_letters
from app.invoice.errors import PAYER_UNKNOWN
from app.invoice.ledger import file_case, give_up
from app.invoice.models import Invoice
from app.invoice.status import AT_VENDOR
from app.pay import queries as orders
from app.pay.models import Order
from app.policy import load, working_days
from app.policy.days import shanghai_day

LOOK_BACK = timedelta(days=60)  # the audit looks at all there are
EVENT_TAKES = timedelta(minutes=10)  # `order.paid` plans an invoice within that, or this does
LOOK_AHEAD = timedelta(days=30)
BATCH = 200
NO_PAYER = "invoice.no_payer"


def look_after(*, now: datetime) -> None:
    """Scheduled: all of it."""
    plan_missing(now=now)
    find_given_back(now=now)
    find_late(now=now)
    red_letters.find_waiting(now=now)
    watch_calendar(now=now)


def plan_missing(*, now: datetime) -> int:
    """Plan the invoices of paid orders that have none: paid before there were invoices, or an event that died. Of an
    organisation that has not said who it is: once it has, however late; unless finance decided that it wants none."""
    automatic = [one for one in load.all_programmes() if one.invoice and one.invoice.issued == "automatic"]

    def plan(order: Order) -> bool:
        rule = queries.programme_of(order).invoice
        if rule is None:
            return False
        with transaction():
            try:
                profile = payers.at_payment(order, now=now)
            except Problem as problem:
                if problem.kind is not PAYER_UNKNOWN:
                    raise
                facts = {"order": order.id, "organisation": order.organisation_id}
                cases.file(NO_PAYER, f"order:{order.id}", facts, programme=order.programme, now=now)
                return False
            issuing.plan(order, rule, profile, since=order.paid_at, now=now)
            cases.decide_about(NO_PAYER, f"order:{order.id}", "an invoice is planned", actor="system", now=now)
        return True

    asked = cases.of_kind(NO_PAYER)
    known = {case.subject.removeprefix("order:") for case in asked}
    waiting = [orders.get_order(case.subject.removeprefix("order:")) for case in asked if case.open_key is not None]
    missing = queries.without_invoice(automatic, now - EVENT_TAKES, BATCH, since=now - LOOK_BACK, but=known)
    done, _ = sweep.each("invoice.plan_missing", [*missing, *waiting], plan)
    return done


def find_given_back(*, now: datetime) -> int:
    """Money that goes back: an invoice that nobody has yet is not issued; one that exists has to be taken back by a
    red-letter one, which is a person's work."""

    def take_back(row: Invoice) -> bool:
        if row.status not in AT_VENDOR:
            return give_up(row, now=now)
        seen = {"status": row.status, "red_letter_at": row.red_letter_at}
        with transaction():
            if not compare_and_set(Invoice, row.id, seen, {"red_letter_at": now}):
                return False
            facts = {"order": row.order_id, "number": row.number, "gross_fen": row.gross_fen}
            facts["left_fen"] = orders.kept_fen(row.order_id)
            return file_case("invoice.red_letter", row, facts, now=now)

    done, _ = sweep.each("invoice.find_given_back", queries.over_given_back(BATCH), take_back)
    return done


def find_late(*, now: datetime) -> int:
    """Nobody waits for ever: an invoice that is not there after its last working day is a case."""

    def tell(row: Invoice) -> bool:
        with transaction():
            if not compare_and_set(Invoice, row.id, {"status": row.status, "late_at": None}, {"late_at": now}):
                return False
            facts = {"status": row.status, "hold": row.hold, "due_until": iso(row.due_until)}
            return file_case("invoice.late", row, facts, now=now)

    done, _ = sweep.each("invoice.find_late", queries.late(now, BATCH), tell)
    return done


def watch_calendar(*, now: datetime) -> None:
    """A year that begins within thirty days and whose holidays nobody knows is a case, once for each programme."""
    year = shanghai_day(now + LOOK_AHEAD).year
    told = {case.subject for case in cases.of_kind("invoice.calendar_unknown")}
    for key in sorted({one.key for one in load.all_programmes() if one.invoice}):
        newest = [one for one in load.all_programmes() if one.key == key][-1]
        subject = f"{key}:{year}"
        if subject not in told and not working_days.year_known(year, newest.calendar):
            cases.file("invoice.calendar_unknown", subject, {"year": year}, programme=key, now=now)
