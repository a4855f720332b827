"""Payment by transfer: an order gets a code and days instead of minutes; statements are shown, taken in, and each
line is looked at; what time does to them."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path

import peewee
import structlog

from app.cases import service as cases
from app.core import audit, sweep
from app.core.budget import Budget
from app.core.db import compare_and_set, insert_once, locked, savepoint, transaction, unit
from app.core.engines import is_taken
from app.core.ids import new_id
from app.core.sheet import SheetRefused
from app.pay import ledger
from app.pay.errors import ORDER_OVER, PAYER_NAME_NEEDED, STATEMENT_DAYS, STATEMENT_OVER, STATEMENT_SPAN
from app.pay.models import Order, PaymentAttempt
from app.pay.providers.protocol import Remittance
from app.pay.status import AttemptAction, AttemptStatus, OrderStatus
from app.pay.transfers import codes, matching, outgoing, queries, statement, unseen
from app.pay.transfers import ledger as lines
from app.pay.transfers.bank import days_told, remittance
from app.pay.transfers.models import OutgoingLine, Statement, StatementLine, Transfer
from app.pay.transfers.queries import CHANNEL, Account, key_of
from app.pay.transfers.status import (
    Finding,
    LineAction,
    LineStatus,
    OutgoingStatus,
    StatementAction,
    StatementStatus,
    next_statement,
)
from app.policy import rules
from app.policy.days import shanghai_day
from app.policy.schema import BankTransfer, Programme

log = structlog.get_logger(__name__)

QUESTION = timedelta(hours=1)
DRAFT_LIVES = timedelta(days=1)
TRIES = 10  # to find a code that nobody has
A_PERSON_WAITS = 4.0  # seconds for the lines of a statement; cron goes on
MISSING = "pay.statement_missing"
MISSED_AFTER = timedelta(days=1)  # after an order's last day
ASKED_AGAIN = timedelta(days=1)  # for a statement, after somebody closed the question
EARLIER = timedelta(days=31)  # a statement begins at most, before its first line: a slip in the year or month is more
NAME = 120  # characters of a payer's name that are kept


def begin(order: Order, programme: Programme, number: str, payer_name: str, *, now: datetime) -> PaymentAttempt:
    """The attempt to pay this order by a transfer, under our `number`: it waits the days that the programme's file
    gives, and every other channel as long as before. Again gives the same one, with the name said last. Raises
    `order_over`, `payer_name_needed`."""
    name = " ".join(payer_name.split())[:NAME]
    if len(name) < 2:
        raise PAYER_NAME_NEEDED()
    rule = programme.fee.bank_transfer if programme.fee else None
    assert rule is not None, "what is offered has an account"
    with transaction():
        locked(Order, order.id)  # of two clicks at one moment the second finds what the first has made
        known = PaymentAttempt.get_or_none(PaymentAttempt.out_trade_no == number)
        attempt = known if known is not None else _begin(order, programme, rule, number, name, now)
        transfer = Transfer.get(Transfer.attempt_id == attempt.id)
        if transfer.payer_name != name:
            sealed = Transfer(id=transfer.id, payer_name=name).payer_name_sealed
            Transfer.update(payer_name_sealed=sealed).where(Transfer.id == transfer.id).execute()
            audit.record(_actor(order), "transfer.payer_named", f"attempt:{attempt.id}", now=now)
    return attempt


def _actor(order: Order) -> str:
    return f"person:{order.person_id}" if order.person_id else "system"


def _begin(
    order: Order, programme: Programme, rule: BankTransfer, number: str, name: str, now: datetime
) -> PaymentAttempt:
    until = rules.order_expires_at(programme, order.created_at, channel=CHANNEL)
    seen = {"status": OrderStatus.PENDING, "expires_at": order.expires_at}
    longer = {"attempts": Order.attempts + 1, "expires_at": max(until, order.expires_at)}
    if not compare_and_set(Order, order.id, seen, longer):  # who closes the order looks for attempts after this
        raise ORDER_OVER()
    attempt: PaymentAttempt = PaymentAttempt.create(
        order_id=order.id,
        channel=CHANNEL,
        authority=rule.account_number,
        out_trade_no=number,
        status=AttemptStatus.CREATED,
        amount_fen=order.amount_fen,
        created_at=now,
        ask_at=now + QUESTION,
    )
    _give_code(attempt, rule, name, order.expires_at, now)
    ledger.move(attempt, AttemptAction.OPEN, "transfer", now=now)
    return attempt


def _give_code(attempt: PaymentAttempt, rule: BankTransfer, name: str, others_until: datetime, now: datetime) -> None:
    for _ in range(TRIES):
        given = insert_once(
            Transfer,
            id=new_id(),
            attempt_id=attempt.id,
            code=codes.make(),
            account_name=rule.account_name,
            bank=rule.bank,
            payer_name=name,
            others_until=others_until,
            created_at=now,
        )
        if given:
            return
    raise RuntimeError("no code is free")


def told(attempt: PaymentAttempt) -> Remittance:
    """What whoever pays this attempt writes on the transfer."""
    return remittance(attempt)


# --- statements --------------------------------------------------------------------------------------------------


def show(path: Path, account: Account, *, actor: str, now: datetime) -> Statement:
    """Read a statement of this account, and keep it as a draft: nothing counts yet. A file that was taken in
    before gives what was made of it then, unless it may tell of more days by now: a quiet account's file is the same
    on the next day. Raises `SheetRefused`."""
    said = statement.read(path, account.number)
    known = queries.taken_before(account.number, said.digest, shanghai_day(now))
    if known is not None:
        return known
    if said.last_day > shanghai_day(now):
        raise SheetRefused(f"对账单里有 {said.last_day:%Y-%m-%d} 的交易，那一天还没有到，请核对日期。")
    with transaction():
        row: Statement = Statement.create(
            account=account.number,
            programme=account.programme,
            status=StatementStatus.DRAFT,
            digest=said.digest,
            first_day=said.first_day.isoformat(),
            last_day=said.last_day.isoformat(),
            lines=len(said.lines),
            others=said.others,
            uploaded_by=actor,
            uploaded_at=now,
        )
        for line in said.lines:
            _keep(row, line, StatementLine, LineStatus.DRAFT, "payer")
        for line in said.outgo:
            _keep(row, line, OutgoingLine, OutgoingStatus.DRAFT, "payee")
        audit.record(actor, "statement.uploaded", f"statement:{row.id}", now=now, lines=row.lines)
    return row


def _keep(
    row: Statement, line: statement.Line, model: type[StatementLine] | type[OutgoingLine], status: str, other: str
) -> None:
    """`other`: what `model` calls who is at the other end."""
    model.create(
        id=new_id(),
        statement_id=row.id,
        row=line.row,
        account=row.account,
        content=line.content,
        status=status,
        number=line.number,
        day=line.day.isoformat(),
        amount_fen=line.amount_fen,
        remark=line.remark,
        **{f"{other}_name": line.payer_name, f"{other}_account": line.payer_account},
    )


def confirm(
    statement_id: str, first_day: date, last_day: date, *, last_day_over: bool = False, actor: str, now: datetime
) -> Statement:
    """Take a draft in: each line that is new counts, and is looked at, of income and of money that went. It tells of
    all days from `first_day` to `last_day` (Shanghai), on some of which nothing may have happened; of the last one
    only if the file was made when that was over (`last_day_over`). Again changes nothing. Raises as `tells_of`."""
    row: Statement = Statement.get_by_id(statement_id)
    if row.status == StatementStatus.DRAFT:
        last = tells_of(row, first_day, last_day, last_day_over=last_day_over)
        after = next_statement(row.status, StatementAction.CONFIRM)
        values = {"status": after, "first_day": first_day.isoformat(), "last_day": last.isoformat()}
        with transaction():
            if compare_and_set(Statement, row.id, {"status": row.status}, values):
                audit.record(actor, "statement.taken", f"statement:{row.id}", now=now, lines=row.lines)
    take_in(row.id, now=now, budget=Budget(A_PERSON_WAITS))
    found: Statement = Statement.get_by_id(statement_id)
    return found


def tells_of(draft: Statement, first_day: date, last_day: date, *, last_day_over: bool) -> date:
    """The last day of which a draft tells that was downloaded from `first_day` to `last_day`. Raises `statement_days`
    where lines of it are of other days, or a day had not come yet when it was uploaded, and `statement_span` where
    it begins long before its first line, or spans more than a year: orders are closed on what it tells of."""
    seen = shanghai_day(draft.uploaded_at)
    first_line, last_line = date.fromisoformat(draft.first_day), date.fromisoformat(draft.last_day)
    if not first_day <= first_line <= last_line <= last_day <= seen:
        raise STATEMENT_DAYS()
    if first_line - first_day > EARLIER or last_day - first_day > queries.A_YEAR:
        raise STATEMENT_SPAN()
    if last_day < seen and not last_day_over:  # who downloads in the afternoon and uploads tomorrow has half of it
        return last_day - timedelta(days=1)
    return last_day


def take_in(statement_id: str, *, now: datetime, budget: Budget | None = None) -> bool:
    """Go on with a statement that is being taken in; True if it is done. Each line is one unit: whoever dies between
    two leaves the rest to the schedule."""
    row: Statement = Statement.get_by_id(statement_id)
    if row.status != StatementStatus.TAKING:
        return row.status == StatementStatus.TAKEN
    budget = budget or Budget()
    mine = (StatementLine.statement_id == row.id) & (StatementLine.status == LineStatus.DRAFT)
    for line in list(StatementLine.select().where(mine).order_by(StatementLine.row)):
        if budget.spent():
            return False
        unit(partial(_take, line.id, now))
    went = (OutgoingLine.statement_id == row.id) & (OutgoingLine.status == OutgoingStatus.DRAFT)
    for (line_id,) in list(OutgoingLine.select(OutgoingLine.id).where(went).order_by(OutgoingLine.row).tuples()):
        if budget.spent():
            return False
        unit(partial(outgoing.take, line_id, now=now))
    after = next_statement(row.status, StatementAction.FINISH)
    with transaction():
        mine = compare_and_set(Statement, row.id, {"status": row.status}, {"status": after, "taken_at": now})
        if mine:  # it tells of its days from now on
            unseen.ask(now)
    return mine


def _take(line_id: str, now: datetime) -> None:
    """Count a line, if nobody has counted it before, and look at it. One that has the number of another and says
    something else counts too: a person looks at it."""
    with transaction():
        line = StatementLine.get_by_id(line_id)
        for key in (key_of(line), key_of(line, line.content)):
            known = StatementLine.get_or_none(StatementLine.key == key)
            if known is None and _counted(line, key, now):
                break
            known = known or StatementLine.get(StatementLine.key == key)
            if known.content == line.content:
                lines.move(line, LineAction.REPEAT, "system", now=now)
                return
    matching.look_at(line_id, now=now)


def _counted(line: StatementLine, key: str, now: datetime) -> bool:
    try:
        with savepoint():
            return lines.move(line, LineAction.TAKE, "system", now=now, key=key, taken_at=now)
    except peewee.IntegrityError as error:
        if not is_taken(error):
            raise
        return False


def discard(statement_id: str, *, actor: str, now: datetime) -> None:
    """Throw a draft away. Raises `statement_over` once it was taken in."""
    with transaction():
        draft = (Statement.id == statement_id) & (Statement.status == StatementStatus.DRAFT)
        if not Statement.delete().where(draft).execute():
            raise STATEMENT_OVER()
        StatementLine.delete().where(StatementLine.statement_id == statement_id).execute()
        OutgoingLine.delete().where(OutgoingLine.statement_id == statement_id).execute()
        audit.record(actor, "statement.discarded", f"statement:{statement_id}", now=now)


# --- what time does ----------------------------------------------------------------------------------------------


def look_after(*, now: datetime, limit: int = 200) -> int:
    """Go on with what was begun, put before a person what was too little for an order that is over, and tell finance
    whose statement is missing, and what was to go back and has not gone. Gives how many lines were looked at."""
    budget = Budget()
    begun = Statement.select().where(Statement.status == StatementStatus.TAKING).limit(limit)
    sweep.each("pay.statements", list(begun), lambda row: take_in(row.id, now=now, budget=budget))
    new = StatementLine.select().where(StatementLine.status == LineStatus.NEW).order_by(StatementLine.id)
    done, _ = sweep.each("pay.transfers", list(new.limit(limit)), lambda line: _looked_at(line, now))
    done += _leftovers(now, limit)
    _ask_for_statements(now, limit)
    unseen.ask(now)
    old = (Statement.status == StatementStatus.DRAFT) & (Statement.uploaded_at < now - DRAFT_LIVES)
    for (statement_id,) in list(Statement.select(Statement.id).where(old).limit(limit).tuples()):
        discard(statement_id, actor="system", now=now)
    return done


def _looked_at(line: StatementLine, now: datetime) -> bool:
    matching.look_at(line.id, now=now)
    return True


def _leftovers(now: datetime, limit: int) -> int:
    """Too little came, and the order takes nothing any more."""
    over = Order.status.in_((OrderStatus.PAID, OrderStatus.CLOSED))
    query = StatementLine.select(StatementLine.attempt_id).distinct()
    query = query.join(PaymentAttempt, on=(StatementLine.attempt_id == PaymentAttempt.id))
    query = query.join(Order, on=(PaymentAttempt.order_id == Order.id))
    short = (StatementLine.finding == Finding.SHORT) & StatementLine.status.in_(queries.PART)
    found = 0
    for (attempt_id,) in list(query.where(over, short).limit(limit).tuples()):
        with transaction():
            matching.hold(attempt_id)
            found += matching.look_again(attempt_id, now=now)
    return found


def _ask_for_statements(now: datetime, limit: int) -> None:
    """An order past its last day is closed only when the statement of that day is there: who has not imported it for
    a day is asked."""
    over = (Order.status == OrderStatus.CLOSING) & (Order.expires_at < now - MISSED_AFTER)
    on = PaymentAttempt.order_id == Order.id
    accounts = PaymentAttempt.select(PaymentAttempt.authority).join(Order, on=on).distinct()
    missed: dict[str, str] = {}
    for (account,) in list(accounts.where(PaymentAttempt.channel == CHANNEL, over).tuples()):
        query = PaymentAttempt.select(PaymentAttempt, Order).join(Order, on=on, attr="order")
        mine = query.where(PaymentAttempt.channel == CHANNEL, PaymentAttempt.authority == account, over)
        for attempt in mine.order_by(Order.expires_at).limit(limit):
            if not days_told(attempt, attempt.order):  # else it waits for a decision
                missed[account] = attempt.order.programme
                break
    for account, programme in missed.items():
        last = cases.latest(MISSING, f"account:{account}")
        if last is None or last.decided_at is None or last.decided_at <= now - ASKED_AGAIN:
            cases.file(MISSING, f"account:{account}", {"account": account}, programme=programme, now=now)
    for case in cases.open_cases(MISSING):
        if case.subject.removeprefix("account:") not in missed:
            cases.decide_about(MISSING, case.subject, "the statement is there", actor="system", now=now)
