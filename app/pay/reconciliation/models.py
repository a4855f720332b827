"""The bills of the providers, line by line, and what in them does not match."""

from __future__ import annotations

import peewee

from app.core.db import BaseModel, UtcField


class Bill(BaseModel):
    """One merchant's bill of one day (Shanghai, 'YYYY-MM-DD') at one provider. It is fetched, and compared anew, at
    `try_at`. Of its lines and of our rows of that day: how many, and how much was paid and went back, in fen."""

    kind = peewee.CharField(24)
    merchant = peewee.CharField(64)
    day = peewee.CharField(10)
    status = peewee.CharField(16)
    tries = peewee.IntegerField(default=0)
    try_at = UtcField(null=True)
    lines = peewee.IntegerField(default=0)
    paid_fen = peewee.BigIntegerField(default=0)
    back_fen = peewee.BigIntegerField(default=0)
    our_paid_fen = peewee.BigIntegerField(default=0)
    our_back_fen = peewee.BigIntegerField(default=0)
    fetched_at = UtcField(null=True)
    settled_at = UtcField(null=True)

    class Meta:
        table_name = "pay_bill"
        indexes = ((("kind", "merchant", "day"), True), (("status", "try_at"), False), (("day",), False))


class BillRow(BaseModel):
    """One line of a bill (protocol.BillLine), at `place` in it. `finding` is NULL until it was compared with ours."""

    bill_id = peewee.CharField(16)
    place = peewee.IntegerField()
    kind = peewee.CharField(8)
    number = peewee.CharField(64)
    payment = peewee.CharField(64)
    provider_number = peewee.CharField(64)
    amount_fen = peewee.BigIntegerField()
    at = UtcField()
    status = peewee.CharField(16)
    finding = peewee.CharField(16, null=True)

    class Meta:
        table_name = "pay_bill_line"
        indexes = ((("bill_id", "place"), True), (("number",), False))


class Difference(BaseModel):
    """What does not match: a line of a bill (`line_id`), or a row of ours that no bill has. `subject` names our row
    ('attempt:<id>', 'refund:<id>'), if there is one. `key` keeps it one: a bill and its line, or a bill and our row.
    `said`: what the provider said when it was asked about it. Facts are numbers, amounts and statuses, no names."""

    bill_id = peewee.CharField(16)
    line_id = peewee.CharField(16, null=True)
    key = peewee.CharField(96, unique=True)
    finding = peewee.CharField(16)
    kind = peewee.CharField(8)
    number = peewee.CharField(64)
    subject = peewee.CharField(32, null=True)
    their_fen = peewee.BigIntegerField(null=True)
    our_fen = peewee.BigIntegerField(null=True)
    our_status = peewee.CharField(16, null=True)
    said = peewee.CharField(24, null=True)
    suggestion = peewee.CharField(16)
    status = peewee.CharField(16)
    found_at = UtcField()
    decided_at = UtcField(null=True)
    decided_by = peewee.CharField(40, null=True)
    reason = peewee.TextField(null=True)

    class Meta:
        table_name = "pay_difference"
        indexes = ((("bill_id", "status"), False), (("status", "found_at"), False))
