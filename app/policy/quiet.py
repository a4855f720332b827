"""The quiet hours of a programme: what can wait does not ring at night."""

from __future__ import annotations

from datetime import datetime, timedelta

from app.core.clock import shanghai
from app.policy.parties import Quiet


def waking(quiet: Quiet | None, moment: datetime) -> datetime:
    """The first moment from `moment` on that does not lie in the quiet hours, in Shanghai, the end not included."""
    if quiet is None:
        return moment
    here = shanghai(moment)
    ends = here.replace(hour=quiet.ends.hour, minute=quiet.ends.minute, second=quiet.ends.second, microsecond=0)
    clock = here.time()
    if quiet.begins <= quiet.ends:
        return ends.astimezone(moment.tzinfo) if quiet.begins <= clock < quiet.ends else moment
    if clock >= quiet.begins:
        return (ends + timedelta(days=1)).astimezone(moment.tzinfo)
    return ends.astimezone(moment.tzinfo) if clock < quiet.ends else moment
