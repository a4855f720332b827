"""What administrators enter beside the programme files."""

from __future__ import annotations

import peewee

from app.core.db import BaseModel


class CalendarDay(BaseModel):
    """A day of which the state has told that it is free, or worked, otherwise than the calendar's release knows."""

    day = peewee.DateField(unique=True)
    working = peewee.BooleanField()
    note = peewee.CharField(64)
