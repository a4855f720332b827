"""Lines by which money went, beside what finance was to transfer back: one that is a payout names it, any other is
before a person."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import peewee

from app.cases import service as cases
from app.core import audit
from app.core.db import compare_and_set, savepoint, transaction
from app.core.engines import is_taken
from app.core.errors import NOT_FOUND
from app.pay.errors import NO_SUCH_PAYOUT, OUTGOING_OVER
from app.pay.transfers import codes, queries
from app.pay.transfers.models import OutgoingLine, Payout, Statement
from app.pay.transfers.queries import Owed
from app.pay.transfers.status import Gone, NotAllowed, OutgoingAction, OutgoingStatus, PayoutStatus, next_outgoing

KIND = "pay.outgoing"
UNSEEN = "pay.payout_unseen"
TRIES = 20  # each lost race means that another line took a payout


def judge(line: OutgoingLine, owed: Sequence[Owed]) -> tuple[Payout | None, Gone]:
    """Which of the payouts `owed` a line is that nobody has found yet, or why it is none. The bank's number that
    finance wrote down decides; else amount and payee, of those that were transferred before those that are due.
    Pure."""
    if line.amount_fen <= 0:
        return None, Gone.REVERSAL
    mine = [one for one in owed if one.account == line.account and one.since.isoformat() <= line.day]
    named = [one for one in mine if one.payout.reference == line.number]
    fits = [one for one in mine if one.payout.amount_fen == line.amount_fen]
    free = [one for one in fits if one.payout.outgoing_id is None and (one in named or is_payee(one, line))]
    if free:
        best = min(free, key=lambda one: (one not in named, one.payout.status != PayoutStatus.SENT, one.payout.id))
        return best.payout, Gone.PAYOUT if best.payout.status == PayoutStatus.SENT else Gone.EARLY
    if [one for one in named if one.payout.amount_fen != line.amount_fen]:
        return None, Gone.AMOUNT
    if [one for one in fits if one in named or is_payee(one, line)]:
        return None, Gone.TWICE
    return None, Gone.NOTHING


def is_payee(one: Owed, line: OutgoingLine) -> bool:
    """Whether a line went to whom this payout is owed: to the account that the money came from, or to its name."""
    account = re.sub(r"\D", "", line.payee_account)
    accounts = {re.sub(r"\D", "", source.payer_account) for source in one.sources}
    names = [source.payer_name for source in one.sources]
    return bool(account and account in accounts) or any(codes.same_payer(name, line.payee_name) for name in names)


def foresee(lines: Sequence[OutgoingLine]) -> dict[str, Gone | None]:
    """What each of these lines of one draft would be found to be now, by its id; None if it was taken in before.
    Changes nothing; asks the database a fixed number of times."""
    keys = {line.id: queries.key_of(line, line.content) for line in lines}
    there = OutgoingLine.select(OutgoingLine.key).where(OutgoingLine.key.in_(list(keys.values()))).tuples()
    known = {key for (key,) in there}
    owed = queries.owed(lines)
    return {line.id: None if keys[line.id] in known else judge(line, owed)[1] for line in lines}


def take(line_id: str, *, now: datetime) -> None:
    """Count a line, if nobody has counted it before, and look at it."""
    with transaction():
        line: OutgoingLine = OutgoingLine.get_by_id(line_id)
        if line.status != OutgoingStatus.DRAFT:
            return
        values = {"key": queries.key_of(line, line.content), "taken_at": now}
        try:
            with savepoint():
                mine = compare_and_set(OutgoingLine, line.id, {"status": OutgoingStatus.DRAFT, "key": None}, values)
        except peewee.IntegrityError as error:
            if not is_taken(error):
                raise
            _move(line, OutgoingAction.REPEAT, "system", now=now)
            return
        if mine:
            _place(line, now=now)


def _place(line: OutgoingLine, *, now: datetime) -> None:
    for _ in range(TRIES):
        payout, finding = judge(line, queries.owed([line]))
        if payout is None:
            _move(line, OutgoingAction.ASK, "system", now=now, finding=finding)
            _file(line, now=now)
            return
        if _claim(payout, line, now=now):
            _move(line, OutgoingAction.MATCH, "system", now=now, finding=finding)
            return
        # another line was quicker by a moment: this one may be the second transfer of one payout
    raise RuntimeError(f"outgoing line {line.id} does not come to rest")


def _claim(payout: Payout, line: OutgoingLine, *, now: datetime) -> bool:
    """This line is that payout, if no other line is."""
    mine = compare_and_set(Payout, payout.id, {"outgoing_id": None}, {"outgoing_id": line.id})
    if mine:
        words = f"found in the statement of {line.day}"
        cases.decide_about(UNSEEN, f"payout:{payout.id}", words, actor="system", now=now)
    return mine


def _file(line: OutgoingLine, *, now: datetime) -> None:
    programme = Statement.get_by_id(line.statement_id).programme
    facts: dict[str, str | int | None] = {"finding": line.finding, "amount_fen": line.amount_fen}
    cases.file(KIND, f"outgoing:{line.id}", facts, programme=programme, now=now)


def _move(line: OutgoingLine, action: OutgoingAction, actor: str, *, now: datetime, **values: Any) -> None:
    """Apply `action` if it follows the line's status. Raises `outgoing_over` where it does not, or somebody was
    quicker."""
    before, reason = line.status, values.pop("reason", None)
    try:
        after = next_outgoing(before, action)
    except NotAllowed as over:
        raise OUTGOING_OVER() from over
    with transaction():
        if not compare_and_set(OutgoingLine, line.id, {"status": before}, {"status": after, **values}):
            raise OUTGOING_OVER()
        for name, value in {"status": after, **values}.items():
            setattr(line, name, value)
        said = {"before": before, "amount_fen": line.amount_fen, "finding": line.finding}
        audit.record(actor, f"outgoing.{after}", f"outgoing:{line.id}", now=now, reason=reason, **said)
        if after != OutgoingStatus.OPEN:
            words = f"{after}: {reason or line.finding}"
            cases.decide_about(KIND, f"outgoing:{line.id}", words, actor=actor, now=now)


def recorded(payout: Payout, *, now: datetime) -> None:
    """Finance has written down that it was transferred back: its line, if one is there already, is no question any
    more. Joins the caller's transaction."""
    early = (OutgoingLine.id == payout.outgoing_id) & (OutgoingLine.finding == Gone.EARLY)
    if OutgoingLine.update(finding=Gone.PAYOUT).where(early).execute() or payout.outgoing_id is not None:
        return
    waits = (OutgoingLine.status == OutgoingStatus.OPEN) & (OutgoingLine.amount_fen == payout.amount_fen)
    for line in OutgoingLine.select().where(waits).order_by(OutgoingLine.id):
        found, finding = judge(line, queries.owed([line]))
        if found is not None and found.id == payout.id and _claim(payout, line, now=now):
            _move(line, OutgoingAction.MATCH, "system", now=now, finding=finding)
            return


def attach(line_id: str, typed: str, *, reason: str, actor: str, now: datetime) -> None:
    """A person says which payout (its number, or that of its refund, was `typed`) a line is: of the same account and
    amount, and found in no other line. Raises `not_found`, `no_such_payout`, `outgoing_over`."""
    with transaction():
        line = _open(line_id)
        payout = _meant(line, typed)
        if not _claim(payout, line, now=now):
            raise NO_SUCH_PAYOUT()
        sent = payout.status == PayoutStatus.SENT
        finding = Gone.PAYOUT if sent else Gone.EARLY
        _move(line, OutgoingAction.MATCH, actor, now=now, finding=finding, decided_by=actor, reason=reason)


def may_attach(line_id: str, typed: str) -> None:
    """Raises what `attach` would: for whoever proposes it, before another person is asked to agree."""
    _meant(_open(line_id), typed)


def _meant(line: OutgoingLine, typed: str) -> Payout:
    number = "".join(typed.split())
    for one in queries.owed([line]):
        payout = one.payout
        named = number.lower() == payout.id or number.upper() == payout.refund_no
        if named and one.account == line.account and payout.amount_fen == line.amount_fen and not payout.outgoing_id:
            return payout
    raise NO_SUCH_PAYOUT()


def set_aside(line_id: str, *, reason: str, actor: str, now: datetime) -> None:
    """It is money that no payout here has to do with. Raises `not_found`, `outgoing_over`."""
    with transaction():
        _move(_open(line_id), OutgoingAction.SET_ASIDE, actor, now=now, decided_by=actor, reason=reason)


def _open(line_id: str) -> OutgoingLine:
    line: OutgoingLine | None = OutgoingLine.get_or_none(OutgoingLine.id == line_id)
    if line is None:
        raise NOT_FOUND()
    if line.status != OutgoingStatus.OPEN:
        raise OUTGOING_OVER()
    return line
