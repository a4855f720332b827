"""The one door for changes of an SMS's status."""

from __future__ import annotations

from typing import Any

from app.core.db import compare_and_set
from app.notify.models import Sms
from app.notify.status import Action, NotAllowed, next_status


def move(sms: Sms, action: Action, **values: Any) -> bool:
    """Apply `action` to the row as it was read, with these values; True if this caller did it."""
    try:
        after = next_status(sms.status, action)
    except NotAllowed:
        return False
    return compare_and_set(Sms, sms.id, {"status": sms.status}, {"status": after, **values})
