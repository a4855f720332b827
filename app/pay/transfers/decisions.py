"""What a person in finance decides about money that did not find its order by itself. No amount is typed: what is
credited is what the order asks for, and what goes back is what is left of the line."""

from __future__ import annotations

import unicodedata
from datetime import datetime

from app.cases import service as cases
from app.core import audit
from app.core.db import compare_and_set, locked, transaction
from app.core.errors import NOT_FOUND
from app.pay import refunds
from app.pay.errors import (
    LINE_OVER,
    NO_SUCH_CODE,
    PAYOUT_OVER,
    REFERENCE_NEEDED,
    REFERENCE_OTHER,
    REFERENCE_TAKEN,
    SECOND_PERSON,
    TRANSFER_OVER,
)
from app.pay.models import Order, PaymentAttempt, Refund
from app.pay.transfers import codes, ledger, matching, outgoing, queries
from app.pay.transfers.bank import PAYOUT, pay_back
from app.pay.transfers.models import Payout, Statement, StatementLine, Transfer
from app.pay.transfers.status import Finding, LineAction, LineStatus, NotAllowed, PayoutAction, next_payout

REFERENCE = (4, 60)  # characters: ASCII, one of them a digit


def attach(line_id: str, typed: str, *, reason: str, actor: str, now: datetime) -> Finding:
    """Give a line to the order whose code was `typed` (or stands in the decision's words): paid if the amount is
    exact, with what came before; else it is a question about that order. Gives what it was found to be. Raises
    `no_such_code`, `transfer_over`, `line_over`."""
    seen = _line(line_id)
    transfer = _meant(seen, typed)
    with transaction():
        wanted = {transfer.attempt_id, seen.attempt_id or transfer.attempt_id}  # the order that loses it waits too
        held = {attempt_id: matching.hold(attempt_id) for attempt_id in sorted(wanted)}
        attempt = held[transfer.attempt_id]
        line = locked(StatementLine, line_id)
        _require_open(line, LineStatus.HELD)
        assert line is not None
        if line.attempt_id != seen.attempt_id:
            raise LINE_OVER()
        _require_waiting(attempt)
        if line.amount_fen <= 0:
            raise LINE_OVER()
        return matching.place(line, attempt, actor, reason=reason, now=now)


def may_attach(line_id: str, typed: str) -> None:
    """Raises what `attach` would: for whoever proposes it, before another person is asked to agree."""
    line = _line(line_id)
    transfer = _meant(line, typed)
    _require_open(line, LineStatus.HELD)
    _require_waiting(PaymentAttempt.get_by_id(transfer.attempt_id))


def accept(line_id: str, *, reason: str, actor: str, now: datetime) -> Finding:
    """The payer has another name, and the code is right: go on as if the names were the same. Raises as `attach`."""
    line = _line(line_id)
    if line.finding != Finding.PAYER:
        raise LINE_OVER()
    code = queries.codes_of([line.attempt_id])[line.attempt_id]
    return attach(line_id, code, reason=reason, actor=actor, now=now)


def keep(line_id: str, *, reason: str, actor: str, now: datetime) -> None:
    """Too much came: the order is paid by what it asks for, the rest goes back. Raises `transfer_over`,
    `line_over`."""
    with transaction():
        line, attempt = ledger.held(line_id)
        _require_open(line)
        if line.finding != Finding.OVER or attempt is None:
            raise LINE_OVER()
        _require_waiting(attempt)
        parts = [part for part in queries.parts(attempt.id) if part.id != line.id]
        needed = attempt.amount_fen - sum(part.amount_fen for part in parts)
        if needed >= line.amount_fen:  # what came before went back meanwhile
            matching.place(line, attempt, actor, reason=reason, now=now)
            return
        rest = line.amount_fen - needed
        matching.settle(attempt, parts, line, needed, actor, back_fen=rest, reason=reason, now=now)
        pay_back(rest, _programme(line), actor, now=now, line_id=line.id)


def ask_for_rest(line_id: str, *, reason: str, actor: str, now: datetime) -> None:
    """Too little came: the payer is asked for the rest, as long as the order waits. Raises `transfer_over`,
    `line_over`."""
    with transaction():
        line, attempt = ledger.held(line_id)
        _require_open(line)
        if line.finding != Finding.SHORT or attempt is None:
            raise LINE_OVER()
        _require_waiting(attempt)
        values = {"decided_by": actor, "reason": reason}
        if not ledger.move(line, LineAction.HOLD, actor, now=now, **values):
            raise LINE_OVER()


def give_back(line_id: str, *, reason: str, actor: str, now: datetime) -> None:
    """All of a line goes back to whom it came from, while the rest is waited for too. Raises `line_over`."""
    with transaction():
        line, _ = ledger.held(line_id)
        _require_open(line, LineStatus.HELD)
        if line.amount_fen <= 0:
            raise LINE_OVER()
        values = {"back_fen": line.amount_fen, "decided_by": actor, "reason": reason}
        if not ledger.move(line, LineAction.GIVE_BACK, actor, now=now, **values):
            raise LINE_OVER()
        pay_back(line.amount_fen, _programme(line), actor, now=now, line_id=line.id)


def set_aside(line_id: str, *, reason: str, actor: str, now: datetime) -> None:
    """It is income that no order here has to do with, or the bank's correction. Raises `line_over`."""
    with transaction():
        line, _ = ledger.held(line_id)
        _require_open(line)
        values = {"decided_by": actor, "reason": reason, "attempt_id": None}
        if not ledger.move(line, LineAction.SET_ASIDE, actor, now=now, **values):
            raise LINE_OVER()


def sent(payout_id: str, reference: str, *, told_by: str, actor: str, now: datetime) -> None:
    """It was transferred back under the bank's number `reference`, says `told_by`, and `actor` has seen it too.
    Raises `not_found`, `reference_needed`, `reference_other`, `reference_taken`, `second_person`, `payout_over`."""
    number = _number(reference)
    if told_by == actor:
        raise SECOND_PERSON()
    with transaction():
        payout = locked(Payout, payout_id)
        if payout is None:
            raise NOT_FOUND()
        _require_its_own(payout, number)
        try:
            after = next_payout(payout.status, PayoutAction.SEND)
        except NotAllowed as over:
            raise PAYOUT_OVER() from over
        values = {"status": after, "reference": number, "told_by": told_by, "sent_by": actor, "sent_at": now}
        if not compare_and_set(Payout, payout.id, {"status": payout.status}, values):
            raise PAYOUT_OVER()
        audit.record(
            actor, "payout.sent", f"payout:{payout.id}", now=now, reference=number, amount_fen=payout.amount_fen
        )
        cases.decide_about(PAYOUT, f"payout:{payout.id}", f"sent: {number}", actor=actor, now=now)
        outgoing.recorded(Payout.get_by_id(payout.id), now=now)
        if payout.refund_no is not None:
            refunds.apply_state(Refund.get(Refund.out_refund_no == payout.refund_no), "succeeded", now=now)


def may_be_sent(payout_id: str, reference: str) -> None:
    """Raises what `sent` would about the number: for whoever proposes it."""
    number = _number(reference)
    with transaction():
        _require_its_own(Payout.get_by_id(payout_id), number)


def _number(reference: str) -> str:
    number = _written(reference)
    if not REFERENCE[0] <= len(number) <= REFERENCE[1] or not number.isascii() or not any(map(str.isdigit, number)):
        raise REFERENCE_NEEDED()
    return number


def _written(reference: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", reference).split())


def _require_its_own(payout: Payout, number: str) -> None:
    """One transfer of the bank's is one payout of its account: else two would be told as sent where the money of one
    has left. Where a statement's line is this payout, that line's number is the only one; unless it was written down
    for another payout by mistake, as this one could never be told as sent then."""
    mine = queries.account_of(payout)
    queries.lock_account(mine)  # two with one number at one moment
    if _is_taken(payout, number, mine):
        raise REFERENCE_TAKEN()
    went = queries.outgoing_of(payout)
    if went is None or number == _written(went.number) or _is_taken(payout, _written(went.number), mine):
        return
    raise REFERENCE_OTHER(
        f"对账单里这笔退款已于 {went.day} 转出，流水号是 {went.number}，与填写的 {number} 不同。"
        "请核对银行回单，按对账单的流水号填写。"
    )


def _is_taken(payout: Payout, number: str, account: str | None) -> bool:
    same = Payout.select().where(Payout.reference == number, Payout.id != payout.id)
    return any(queries.account_of(other) == account for other in same)


def _meant(line: StatementLine, typed: str) -> Transfer:
    code = codes.read(typed)
    transfer = queries.with_code(code, line.account) if code is not None else None
    if transfer is None:
        raise NO_SUCH_CODE()
    return transfer


def _line(line_id: str) -> StatementLine:
    line: StatementLine | None = StatementLine.get_or_none(StatementLine.id == line_id)
    if line is None:
        raise NOT_FOUND()
    return line


def _require_open(line: StatementLine | None, *more: LineStatus) -> None:
    if line is None:
        raise NOT_FOUND()
    if line.status not in (LineStatus.OPEN, *more):
        raise LINE_OVER()


def _require_waiting(attempt: PaymentAttempt) -> None:
    if Order.get_by_id(attempt.order_id).status not in matching.OPEN_ORDERS:
        raise TRANSFER_OVER()


def _programme(line: StatementLine) -> str:
    """Whose finance transfers it back."""
    attempt = PaymentAttempt.get_or_none(PaymentAttempt.id == line.attempt_id)
    if attempt is not None:
        return str(Order.get_by_id(attempt.order_id).programme)
    return str(Statement.get_by_id(line.statement_id).programme)
