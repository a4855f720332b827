"""How much of people one of the staff may learn within an hour: looks at data in the clear, and answers that tell
whether somebody has an account at all, count together, by their lines in the audit log."""

from __future__ import annotations

from datetime import datetime, timedelta

from app.account import limits
from app.account.errors import UNMASK_TOO_OFTEN
from app.core import audit

UNMASKED = "person.unmasked"
NUMBER_TAKEN = "person.number_taken"  # that an ID number which was typed in has an account
AN_HOUR = timedelta(hours=1)
MOST = 30  # more is an export, which has rules of its own


def count_looks(actor: str, more: int, *, now: datetime) -> None:
    """Before the lines of `more` looks are written, in the same transaction. Raises `unmask_too_often` with the
    seconds to wait."""
    limits.hold("unmask", actor, now=now)
    seen = audit.moments(actor, (UNMASKED, NUMBER_TAKEN), since=now - AN_HOUR)
    if len(seen) + more > MOST:
        wait = int((seen[-MOST + more - 1] + AN_HOUR - now).total_seconds()) + 1
        raise UNMASK_TOO_OFTEN(headers={"Retry-After": str(wait)}, retry_after=wait)
