"""A red letter on its way: decided by people, asked for once, asked about until it is there; then the invoice is
over, and the next one is planned if money is kept.

The vendor knows each by our number, as it does invoices (issuing.py): a call whose answer was lost is asked about,
and only what the vendor does not have is sent again. One that it refused for good gets a new number when it is tried
anew."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from typing import Any

import structlog

from app.core import sweep
from app.core.budget import Budget
from app.core.db import after_commit, compare_and_set, insert_once, transaction
from app.core.ids import new_id
from app.core.queue import enqueue_hint
from app.invoice import issuing, providers, queries
from app.invoice.issuing import CALL, SETTLES, pause
from app.invoice.ledger import file_case, move, move_red
from app.invoice.models import Invoice, RedLetter
from app.invoice.providers.protocol import RedAnswer, RedRequest, Refused, Unavailable, Unknown
from app.invoice.status import RED_WORKED_ON, Action, RedStatus

log = structlog.get_logger(__name__)

ADVANCE = "jobs.entries.advance_red_letter"
A_DAY = timedelta(hours=4)  # between two looks at one that the buyer has to agree to
PATIENCE = timedelta(days=3)  # the buyer has 72 hours; a working red letter comes within minutes


def plan(row: Invoice, why: str, profile_id: str, *, actor: str, now: datetime) -> bool:
    """The one red letter of an invoice that is at the vendor; one that was withdrawn begins anew. False if there is
    another. In the transaction of the decision."""
    red_id = new_id()
    fresh = insert_once(
        RedLetter,
        id=red_id,
        invoice_id=row.id,
        order_id=row.order_id,
        serial=f"H{row.serial[1:]}",
        status=RedStatus.PLANNED,
        why=why,
        profile_id=profile_id,
        decided_by=actor,
        decided_at=now,
        next_at=now,
    )
    if fresh:
        after_commit(partial(enqueue_hint, ADVANCE, red_id))
        return True
    red = queries.red_letter_of(row.id)
    if red is None or red.status != RedStatus.WITHDRAWN:
        return False
    return again(red, now=now, why=why, profile_id=profile_id, decided_by=actor)


def again(red: RedLetter, *, now: datetime, **more: str) -> bool:
    """Try one anew that was refused or withdrawn, under a new number: the old form is over at the bureau. False if it
    is neither, or one exists that was not asked for."""
    row = Invoice.get_by_id(red.invoice_id)
    if red.number:
        return False  # it exists at the bureau: another one would be a second
    serial = f"H{row.serial[1:]}T{red.turn + 1}"
    values = {"serial": serial, "turn": red.turn + 1, "next_at": now, "decided_at": now, "waits_at": None, **more}
    if not move_red(red, Action.RETRY, "decided", now=now, **values):
        return False
    after_commit(partial(enqueue_hint, ADVANCE, red.id))
    return True


def advance(red_id: str, *, now: datetime) -> None:
    """Take one red letter a step further, if its time has come. The next time is written first: two workers do not
    work on it at once."""
    red = RedLetter.get_or_none(RedLetter.id == red_id)
    if red is None or red.status not in RED_WORKED_ON or red.next_at is None or red.next_at > now:
        return
    seen = {"status": red.status, "next_at": red.next_at}
    later = now + max(pause(red.tries), CALL)
    if not compare_and_set(RedLetter, red.id, seen, {"next_at": later, "tries": red.tries + 1}):
        return
    red.next_at, red.tries = later, red.tries + 1
    row = Invoice.get_by_id(red.invoice_id)
    try:
        if red.status == RedStatus.PLANNED:
            _send(red, row, now)
            return
        if red.status == RedStatus.SENDING:
            move_red(red, Action.LOSE, "worker lost", now=now, next_at=later)
            log.warning("red_letter_unknown", red_letter_id=red.id, why="worker lost")
        _ask(red, row, now)
    except Unavailable as error:
        log.error("invoice_vendor_unavailable", red_letter_id=red.id, provider_code=error.code)
    except Unknown as error:
        log.warning("red_letter_unknown", red_letter_id=red.id, why=str(error))


def request_of(red: RedLetter, row: Invoice) -> RedRequest:
    """What the vendor is asked."""
    why = "money_back" if red.why == "money_back" else "mistake"
    return RedRequest(red.serial, row.number, issuing.buyer_of(row), why)  # type: ignore[arg-type]


def _send(red: RedLetter, row: Invoice, now: datetime) -> None:
    request = request_of(red, row)
    seen = {"status": red.status, "next_at": red.next_at}
    with transaction():
        if not compare_and_set(RedLetter, red.id, seen, {"next_at": now + CALL}):
            return
        move_red(red, Action.SEND, "sent", now=now, sent_at=now)
    try:
        answer = providers.for_authority(row.authority).reverse(request)
    except Unavailable:
        move_red(red, Action.POSTPONE, "vendor unavailable", now=now, next_at=now + pause(red.tries), tries=red.tries)
        raise
    except Refused as refusal:
        _refuse(red, row, refusal.code, refusal.text, now)
    except Unknown as error:
        move_red(red, Action.LOSE, str(error), now=now, next_at=now + pause(0))
        raise
    else:
        _apply(red, row, answer, now)


def _ask(red: RedLetter, row: Invoice, now: datetime) -> None:
    answer = providers.for_authority(row.authority).query_red(red.serial)
    if answer.state != "absent":
        _apply(red, row, answer, now)
    elif red.status == RedStatus.UNKNOWN and red.sent_at is not None and now - red.sent_at >= SETTLES:
        log.info("red_letter_sent_again", red_letter_id=red.id)
        _send(red, row, now)
    else:
        log.warning("red_letter_absent", red_letter_id=red.id, status=red.status)
        _look_again(red, now + pause(red.tries))


def _look_again(red: RedLetter, at: datetime) -> None:
    compare_and_set(RedLetter, red.id, {"status": red.status, "next_at": red.next_at}, {"next_at": at})


def _apply(red: RedLetter, row: Invoice, answer: RedAnswer, now: datetime) -> None:
    """Write down what the vendor says."""
    if answer.state == "failed":
        _refuse(red, row, "failed", answer.reason, now)
    elif answer.state == "issued" and answer.number is not None:
        asked_fen, _ = queries.issued_fen(row)
        if answer.amount_fen != asked_fen:  # one that the vendor leaves out is none that was checked
            there = {"number": answer.number, "issued_at": answer.issued_at or now}
            said = f"{answer.amount_fen} 分" if answer.amount_fen is not None else "没有给出"
            code = "amount" if answer.amount_fen is not None else "amount left out"
            _refuse(red, row, code, f"红字金额{said}，发票 {asked_fen} 分", now, **there)
            return
        _issued(red, row, answer, now)
    else:
        waits = A_DAY if answer.state == "waiting" else pause(0)
        facts: dict[str, Any] = {"form_number": answer.form_number} if answer.form_number else {}
        facts |= {"waits_at": None}  # who was told before that it waits was told of no form
        if not move_red(red, Action.TAKE, answer.state, now=now, next_at=now + waits, **facts):
            _look_again(red, now + (A_DAY if answer.state == "waiting" else pause(red.tries)))


def _issued(red: RedLetter, row: Invoice, answer: RedAnswer, now: datetime) -> None:
    """It is there: the invoice is over, and the next one is planned, in one transaction: all of it, or none yet."""
    values = {"number": answer.number, "issued_at": answer.issued_at or now, "form_number": answer.form_number}
    with transaction():
        if move_red(red, Action.ISSUE, f"number:{answer.number}", now=now, next_at=None, **values):
            _over(red, row, answer.number, now)


def by_hand(
    row: Invoice, number: str, issued_at: datetime, profile_id: str | None, *, actor: str, now: datetime
) -> bool:
    """The red letter that staff issued in the bureau's own system is the one of this invoice; the next one is in the
    name of `profile_id` (None: the one decided before, or the same). False if the vendor has a form of ours on its
    way, or one exists. In the transaction of the decision."""
    insert_once(
        RedLetter,
        id=new_id(),
        invoice_id=row.id,
        order_id=row.order_id,
        serial=f"H{row.serial[1:]}",
        status=RedStatus.PLANNED,
        why="money_back" if queries.money_went_back(row) else "mistake",
        profile_id=profile_id or row.profile_id,
        decided_by=actor,
        decided_at=now,
    )
    red = queries.red_letter_of(row.id)
    if red is None or red.number:
        return False
    values = {"number": number, "issued_at": issued_at, "next_at": None, "profile_id": profile_id or red.profile_id}
    if not move_red(red, Action.ENTER, f"by hand:{number}", now=now, **values):
        return False
    red.profile_id = values["profile_id"]
    _over(red, row, number, now)
    return True


def accept(red: RedLetter, row: Invoice, *, now: datetime) -> bool:
    """A person takes one of another amount as it is. False if the bureau has none. In the transaction of the
    decision."""
    if not red.number or not move_red(red, Action.ACCEPT, "decided", now=now, next_at=None):
        return False
    _over(red, row, red.number, now)
    return True


def _over(red: RedLetter, row: Invoice, number: str | None, now: datetime) -> None:
    if not move(row, Action.REVERSE, f"red letter:{number}", now=now, next_at=None):
        raise RuntimeError(f"invoice {row.id} is {row.status}, and its red letter is there")
    issuing.follow_kept(row, red.profile_id, now=now)


def _refuse(red: RedLetter, row: Invoice, code: str, text: str, now: datetime, **there: Any) -> None:
    """None came of it, or one (`there`) that was not asked for, which only a person can mend: the case holds the
    vendor's words, sealed."""
    with transaction():
        if not move_red(red, Action.REFUSE, f"vendor:{code}", now=now, next_at=None, **there):
            return
        facts = {"code": code, "text": text[:500], "number": row.number, "order": row.order_id}
        file_case("invoice.red_refused", row, facts, now=now)
    log.error("red_letter_refused", red_letter_id=red.id, provider_code=code)


def work(*, now: datetime, limit: int = 100) -> int:
    """Scheduled: every red letter whose time has come, as far as the time of one run goes; gives how many."""
    budget = Budget()
    rows = (RedLetter(id=row_id) for row_id in queries.red_letters_due(now, limit) if not budget.spent())

    def step(row: RedLetter) -> bool:
        advance(row.id, now=now)
        return True

    done, _ = sweep.each("invoice.red_letters", rows, step)
    return done


def find_waiting(*, now: datetime, limit: int = 200) -> int:
    """Nobody waits for ever: a red letter that is not there three days after it was decided, or its form was sent, is
    a case, once."""

    def tell(red: RedLetter) -> bool:
        with transaction():
            if not compare_and_set(RedLetter, red.id, {"status": red.status, "waits_at": None}, {"waits_at": now}):
                return False
            row = Invoice.get_by_id(red.invoice_id)
            facts = {"status": red.status, "number": row.number, "order": row.order_id}
            return file_case("invoice.red_waiting", row, facts, now=now)

    done, _ = sweep.each("invoice.red_waiting", queries.red_letters_since(now - PATIENCE, limit), tell)
    return done
