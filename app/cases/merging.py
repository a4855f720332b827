"""What of a person is the cases': those that are open are about who is kept."""

from __future__ import annotations

from datetime import datetime

from app.account import service as account
from app.cases.models import Case


def move(keep: str, gone: str, _now: datetime) -> None:
    """In the merge's transaction."""
    Case.update(person_id=keep).where(Case.person_id == gone, Case.status != "decided").execute()


PART = account.Part("cases", move)
