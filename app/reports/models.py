"""Figures that are kept by the day, and the files that staff asked for."""

from __future__ import annotations

import peewee

from app.core.db import BaseModel, UtcField


class ReckonedDay(BaseModel):
    """A day in Shanghai ('YYYY-MM-DD') whose figures are kept, and when they were counted last. `due_at`: when they
    are counted again; the older the day, the seldomer it changes."""

    day = peewee.CharField(10, unique=True)
    at = UtcField()
    due_at = UtcField()

    class Meta:
        table_name = "report_day"


class DayFigure(BaseModel):
    """Who signed up for a programme on a day, and how many of them have paid, begun to study, and passed since."""

    day = peewee.CharField(10)
    programme = peewee.CharField(32)
    signed_up = peewee.IntegerField()
    paid = peewee.IntegerField()
    studying = peewee.IntegerField()
    passed = peewee.IntegerField()

    class Meta:
        table_name = "report_figure"
        indexes = ((("day", "programme"), True),)


class Export(BaseModel):
    """A list that one of the staff asked for, as a file. `since` and `until`: first and last day in Shanghai.
    `programmes` (JSON): whose rows are in the file; None before it is made. `clear`: with names, ID numbers and
    phones unmasked. `token`: the client's id of the asking, so that a form sent twice is one export. The file lies
    beside the photos, encrypted, until `expires_at`."""

    actor = peewee.CharField(40)
    token = peewee.CharField(64)
    what = peewee.CharField(16)
    format = peewee.CharField(4)
    programme = peewee.CharField(32)
    programmes = peewee.TextField(null=True)
    since = peewee.CharField(10)
    until = peewee.CharField(10)
    clear = peewee.BooleanField()
    reason = peewee.CharField(400)
    status = peewee.CharField(16)
    tries = peewee.IntegerField(default=0)
    rows = peewee.IntegerField(default=0)
    whole = peewee.BooleanField(default=True)
    asked_at = UtcField()
    claimed_at = UtcField(null=True)
    ready_at = UtcField(null=True)
    expires_at = UtcField(null=True)

    class Meta:
        table_name = "report_export"
        indexes = ((("actor", "token"), True), (("actor", "asked_at"), False), (("status", "asked_at"), False))
