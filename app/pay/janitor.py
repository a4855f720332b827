"""What time does to orders: they expire, lost payments are found, leftovers are closed. Runs from the schedule."""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog

from app.cases import service as cases
from app.core.db import compare_and_set
from app.pay import ledger, queries, settlement
from app.pay.budget import Budget
from app.pay.channels import ONLINE, provider_of
from app.pay.models import Order, PaymentAttempt
from app.pay.providers.protocol import Refused, Unknown
from app.pay.status import OPEN_ATTEMPTS, AttemptAction, AttemptStatus, OrderAction, OrderStatus
from app.pay.transfers import service as transfers
from app.pay.transfers.queries import of_order

log = structlog.get_logger(__name__)

LONG_UNKNOWN = timedelta(hours=24)
UNKNOWN_FOR_LONG = "pay.unknown_for_long"
# after it was closed an attempt is asked about a few times more: money can come although every notification is lost
LATE_QUESTIONS = (timedelta(hours=1), timedelta(hours=6), timedelta(hours=24), timedelta(hours=72))
SILENCE = timedelta(minutes=5)  # until a late question is asked again that got no answer


def expire_orders(*, now: datetime, limit: int = 200) -> int:
    """Close what is over its time: first here (`closing`), then at the provider, then for good. Gives how many
    orders were closed. Money found on the way still pays the order."""
    over = Order.select().where(Order.status == OrderStatus.PENDING, Order.expires_at <= now)
    for order in list(over.order_by(Order.expires_at).limit(limit)):
        ledger.move(order, OrderAction.START_CLOSING, "expired", now=now, close_at=now)
    due = Order.select().where(Order.status == OrderStatus.CLOSING, Order.close_at <= now).order_by(Order.close_at)
    budget, closed = Budget(), 0
    for order in list(due.limit(limit)):
        if budget.spent():
            break
        closed += close_order(order, now=now)
    return closed


def close_pause(tries: int) -> timedelta:
    """Between two tries to close an order at a provider that does not answer: 5 s, doubled up to two minutes."""
    return timedelta(seconds=min(5 * 2 ** min(tries, 10), 120))


def close_order(order: Order, *, now: datetime) -> bool:
    """Take a `closing` order to its end: paid if a provider has the money, closed if none has; True if it is closed.
    It stays `closing`, and is tried again after a pause, while a provider does not answer."""
    seen = {"status": OrderStatus.CLOSING, "close_tries": order.close_tries}
    later = {"close_at": now + close_pause(order.close_tries), "close_tries": order.close_tries + 1}
    if not compare_and_set(Order, order.id, seen, later):
        return False
    for attempt in queries.open_attempts(order.id):
        try:
            close_attempt(attempt, now=now)
        except Unknown as error:
            log.warning("close_unknown", attempt_id=attempt.id, error=str(error))
            return False
    if queries.open_attempts(order.id):
        return False
    return ledger.move(order, OrderAction.CLOSE, "expired", now=now, closed_at=now, close_at=None)


def close_attempt(attempt: PaymentAttempt, *, now: datetime) -> None:
    """Close at the provider, then ask: only its answer 'closed' or 'never was' closes the attempt here. Raises
    `Unknown` when one of the two is not answered."""
    try:
        provider_of(attempt).close(attempt.out_trade_no)
    except Refused as refusal:
        log.info("close_refused", attempt_id=attempt.id, provider_code=refusal.code)  # paid, or being paid: ask
    truth = settlement.ask(attempt, now=now)
    if truth.state in ("closed", "absent"):
        later = now + LATE_QUESTIONS[0]
        ledger.move(attempt, AttemptAction.CLOSE, truth.state, now=now, closed_at=now, ask_at=later)


def question_pause(age: timedelta) -> timedelta:
    """Between two questions about an open attempt: a lost notification is found within two minutes."""
    return timedelta(seconds=15) if age < timedelta(minutes=5) else timedelta(seconds=60)


def _over(attempt: PaymentAttempt, now: datetime) -> bool:
    """Whether an open attempt has to be closed: its order was paid by another, or waits for a transfer only."""
    order = Order.get_by_id(attempt.order_id)
    if order.status in (OrderStatus.PAID, OrderStatus.CLOSED):
        return True
    transfer = of_order(order.id) if attempt.channel in ONLINE else None
    return transfer is not None and transfer.others_until <= now


def _tell_unknown(attempt: PaymentAttempt, now: datetime) -> None:
    """A person looks why nothing is known; who has closed the question is asked again the day after."""
    if not cases.told_since(UNKNOWN_FOR_LONG, f"attempt:{attempt.id}", now - LONG_UNKNOWN):
        ledger.file_case(UNKNOWN_FOR_LONG, attempt, {}, now=now)


def find_lost_payments(*, now: datetime, limit: int = 200) -> int:
    """Ask about open attempts whose time has come; gives how many were asked. The next time is written first."""
    due = PaymentAttempt.select().where(PaymentAttempt.status.in_(OPEN_ATTEMPTS), PaymentAttempt.ask_at <= now)
    budget, asked = Budget(), 0
    for attempt in list(due.order_by(PaymentAttempt.ask_at).limit(limit)):
        if budget.spent():
            break
        age = now - attempt.created_at
        seen = {"status": attempt.status, "ask_at": attempt.ask_at}
        pause = question_pause(age) if attempt.channel in ONLINE else transfers.QUESTION
        if not compare_and_set(PaymentAttempt, attempt.id, seen, {"ask_at": now + pause}):
            continue
        asked += 1
        try:
            if _over(attempt, now):
                close_attempt(attempt, now=now)  # this one takes nothing more
            else:
                settlement.ask(attempt, now=now)
        except Unknown as error:
            log.warning("janitor_unknown", attempt_id=attempt.id, error=str(error))
            if age > LONG_UNKNOWN:
                _tell_unknown(attempt, now)
    return asked


def next_late_question(closed_at: datetime, now: datetime) -> datetime | None:
    """When a closed attempt is asked about after `now`; None after the last time."""
    return next((closed_at + pause for pause in LATE_QUESTIONS if closed_at + pause > now), None)


def find_late_payments(*, now: datetime, limit: int = 200) -> int:
    """Ask about closed attempts whose time has come, until each question is answered: money that is found goes back.
    Gives how many were asked. The next time is written first."""
    due = PaymentAttempt.select().where(PaymentAttempt.status == AttemptStatus.CLOSED, PaymentAttempt.ask_at <= now)
    budget, asked = Budget(), 0
    for attempt in list(due.order_by(PaymentAttempt.ask_at).limit(limit)):
        if budget.spent():
            break
        claim = {"status": AttemptStatus.CLOSED, "ask_at": now + SILENCE}
        if not compare_and_set(PaymentAttempt, attempt.id, claim | {"ask_at": attempt.ask_at}, claim):
            continue
        asked += 1
        closed_at = attempt.closed_at or attempt.created_at  # a version before did not date the end of a dispute
        try:
            settlement.ask(attempt, now=now)
        except Unknown as error:
            log.warning("late_unknown", attempt_id=attempt.id, error=str(error))
            if not any(pause <= now - closed_at < pause + LONG_UNKNOWN for pause in LATE_QUESTIONS):
                _tell_unknown(attempt, now)
            continue
        compare_and_set(PaymentAttempt, attempt.id, claim, {"ask_at": next_late_question(closed_at, now)})
    return asked


def ask_soon(attempt: PaymentAttempt, *, now: datetime) -> None:
    """Have the janitor ask about a closed attempt from now on until it gets an answer."""
    compare_and_set(PaymentAttempt, attempt.id, {"status": AttemptStatus.CLOSED}, {"ask_at": now})
