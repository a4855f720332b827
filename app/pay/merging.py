"""What of a person is the payments': their orders. A notification of a payment names the order and no person: it
finds it before and after."""

from __future__ import annotations

from datetime import datetime

from app.account import service as account
from app.pay.models import Order


def move(keep: str, gone: str, _now: datetime) -> None:
    """In the merge's transaction, when nobody can check out any more."""
    Order.update(person_id=keep).where(Order.person_id == gone).execute()


PART = account.Part("pay", move)
