"""What of a person is help tickets: what they wrote, and the pictures to it."""

from __future__ import annotations

from datetime import datetime

from app.account import service as account
from app.support.models import Ticket, TicketPicture


def move(keep: str, gone: str, _now: datetime) -> None:
    """In the merge's transaction. A phone's own id is of one person: where both have one of the same, which no honest
    phone makes, it stays with whom it was of."""
    for model in (Ticket, TicketPicture):
        mine = [client_id for (client_id,) in model.select(model.client_id).where(model.person_id == keep).tuples()]
        theirs = model.person_id == gone
        model.update(person_id=keep).where(theirs & model.client_id.not_in(mine) if mine else theirs).execute()


PART = account.Part("support", move)
