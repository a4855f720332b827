"""A programme whose orders may be paid by transfer, its orders, and the bank's statements about them."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from app.core.clock import utcnow
from app.core.db import transaction
from app.core.ids import new_id
from app.pay import service
from app.pay.models import Order, PaymentAttempt, Refund
from app.pay.transfers import decisions, queries
from app.pay.transfers import service as transfers
from app.pay.transfers.models import Payout, Statement, StatementLine, Transfer
from app.pay.transfers.queries import Account
from app.policy import load as policy
from app.policy.days import shanghai_day
from config.settings import Settings
from ops import statements
from ops.invented import ACCOUNT, with_transfers
from ops.statements import Line

PAYER = "云南某建筑工程有限公司"
VERSION = "2021-02-01"
_numbers = itertools.count(1)


def programmes_with_transfers(target: Path, source: Path) -> Path:
    """A copy of the programmes, in which yunnan's orders may be paid by transfer."""
    shutil.copytree(source, target)
    path = target / "yunnan" / f"{VERSION}.toml"
    path.write_text(with_transfers(path.read_text(encoding="utf-8")), encoding="utf-8")
    return target


@contextmanager
def transfers_allowed(directory: Path, settings: Settings) -> Iterator[None]:
    """While it lasts, yunnan allows transfers."""
    policy.init(programmes_with_transfers(directory / "programmes", settings.programmes_dir))
    try:
        yield
    finally:
        policy.init(settings.programmes_dir)


def account() -> Account:
    """The centre's."""
    (found,) = queries.accounts({"yunnan"})
    return found


class Purchase:
    """An organisation's order of 200.00 yuan that waits for its transfer."""

    def __init__(
        self, *, payer: str = PAYER, now: datetime | None = None, sku: str | None = None, amount_fen: int = 20000
    ):
        now = now or utcnow()
        self.payer, self.organisation = payer, new_id()
        with transaction():
            made = service.create_order(
                payer=service.Payer("organisation", self.organisation),
                programme="yunnan",
                version=VERSION,
                lines=[service.Line(sku or f"thing:{new_id()}", "继续教育 塔机司机", amount_fen)],
                expires_at=now + timedelta(minutes=30),
                now=now,
            )
        self.order_id = made.id
        self.begin(now=now)

    def begin(self, *, now: datetime | None = None) -> service.Started:
        return service.start_transfer(self.organisation, self.order_id, self.payer, now=now or utcnow())

    @property
    def order(self) -> Order:
        row: Order = Order.get_by_id(self.order_id)
        return row

    @property
    def attempt(self) -> PaymentAttempt:
        row: PaymentAttempt = PaymentAttempt.get(
            PaymentAttempt.order_id == self.order_id, PaymentAttempt.channel == "bank_transfer"
        )
        return row

    @property
    def code(self) -> str:
        return str(Transfer.get(Transfer.attempt_id == self.attempt.id).code)

    @property
    def refunds(self) -> list[Refund]:
        return list(Refund.select().where(Refund.order_id == self.order_id))


def a_line(amount_fen: int = 20000, remark: str = "", *, day: date | None = None, **values: object) -> Line:
    """A line of income of today, with a number of its own."""
    number = values.pop("number", f"{next(_numbers):016d}")
    return Line(str(number), day or shanghai_day(utcnow()), amount_fen, remark=remark, **values)  # type: ignore[arg-type]


def upload(
    directory: Path, lines: Sequence[Line], *, suffix: str = ".xlsx", now: datetime | None = None
) -> Statement:
    """The statement of these lines, shown and not taken in."""
    path = directory / f"{new_id()}{suffix}"
    statements.write(path, ACCOUNT, lines)
    return transfers.show(path, account(), actor="staff:fin", now=now or utcnow())


def take_in(
    directory: Path,
    lines: Sequence[Line],
    *,
    suffix: str = ".xlsx",
    first: date | None = None,
    last: date | None = None,
    over: bool = True,
    now: datetime | None = None,
) -> Statement:
    """The statement of these lines, taken in; `over`: made when its last day was over."""
    row = upload(directory, lines, suffix=suffix, now=now)
    first = first or date.fromisoformat(row.first_day)
    last = last or date.fromisoformat(row.last_day)
    return transfers.confirm(row.id, first, last, last_day_over=over, actor="staff:fin", now=now or utcnow())


def line_of(line: Line) -> StatementLine:
    """The row that counts for a line."""
    row: StatementLine = StatementLine.get(StatementLine.number == line.number, StatementLine.key.is_null(False))
    return row


def pay_out(*, now: datetime | None = None) -> int:
    """Everything that is to be transferred back is, and seen by two; gives how many."""
    due = queries.payouts_due({"yunnan"})
    for payout in due:
        decisions.sent(payout.id, f"BK{payout.id}", told_by="staff:one", actor="staff:two", now=now or utcnow())
    return len(due)


def payouts() -> list[Payout]:
    return list(Payout.select())


DECISIONS = 6


def decide(number: int, line_id: str, code: str, *, now: datetime) -> None:
    """Decision `number` (of `DECISIONS`) about a line. Raises what it raises."""
    said: dict[str, Any] = {"reason": "x", "actor": "staff:1", "now": now}
    if number == 0:
        decisions.attach(line_id, code, **said)
        return
    verbs = (decisions.give_back, decisions.keep, decisions.ask_for_rest, decisions.accept, decisions.set_aside)
    verbs[number - 1](line_id, **said)
