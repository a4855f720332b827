"""Payouts that finance says it has transferred, and that no statement tells of although it tells of that day: the
money may never have left."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from app.cases import service as cases
from app.pay.transfers import queries
from app.pay.transfers.bank import covered
from app.pay.transfers.models import Payout
from app.pay.transfers.outgoing import UNSEEN
from app.pay.transfers.queries import Owed
from app.pay.transfers.status import PayoutStatus
from app.policy.days import shanghai_day

LOOKED_AT = timedelta(days=90)  # after it was said; statements are imported within days


def unseen(now: datetime) -> list[Owed]:
    """Those that were said to be sent on a day of which the statements of their account tell, and are in none."""
    recent = (Payout.sent_at > now - LOOKED_AT) & Payout.outgoing_id.is_null()
    query = Payout.select().where(Payout.status == PayoutStatus.SENT, recent).order_by(Payout.sent_at, Payout.id)
    told: dict[tuple[str, date], bool] = {}
    found = []
    for one in queries.owed_of(list(query)):
        day = shanghai_day(one.payout.sent_at)
        if (one.account, day) not in told:
            told[one.account, day] = covered(one.account, day, day)
        if told[one.account, day]:
            found.append(one)
    return found


def ask(now: datetime) -> None:
    """Put each of them before a person, once: it closes itself when its line comes."""
    for one in unseen(now):
        subject = f"payout:{one.payout.id}"
        if cases.latest(UNSEEN, subject) is None:
            facts: dict[str, str | int | None] = {
                "amount_fen": one.payout.amount_fen,
                "reference": one.payout.reference,
            }
            cases.file(UNSEEN, subject, facts, programme=one.payout.programme, now=now)
