"""What of a person is the invoices': those planned or issued. The payer's details of a past order stay as they
were."""

from __future__ import annotations

from datetime import datetime

from app.account import service as account
from app.invoice.models import Invoice


def move(keep: str, gone: str, _now: datetime) -> None:
    """In the merge's transaction."""
    Invoice.update(person_id=keep).where(Invoice.person_id == gone).execute()


PART = account.Part("invoice", move)
