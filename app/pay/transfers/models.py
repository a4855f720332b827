"""Transfers that orders wait for, the bank's statements line by line, and what is transferred back by hand."""

from __future__ import annotations

import peewee

from app.core.crypto import Sealed
from app.core.db import BaseModel, UtcField


class Transfer(BaseModel):
    """What somebody was told who pays by transfer, one a payment attempt: the code, the account (its number is the
    attempt's authority), and in whose name they pay. `others_until`: the order's last moment for every other
    channel."""

    attempt_id = peewee.CharField(16, unique=True)
    code = peewee.CharField(12, unique=True)
    account_name = peewee.CharField(200)
    bank = peewee.CharField(200)
    payer_name = Sealed()
    payer_name_sealed = peewee.TextField()
    others_until = UtcField()
    created_at = UtcField()

    class Meta:
        table_name = "pay_transfer"


class Statement(BaseModel):
    """One file of the bank's about one account. `digest`: SHA-256 of the file. It tells of all days (Shanghai) from
    `first_day` to `last_day`; a day that was not over when it was made may follow, of which it has some lines.
    `lines`: of income; `others`: lines of the file that are none."""

    account = peewee.CharField(30)
    programme = peewee.CharField(32)
    status = peewee.CharField(16)
    digest = peewee.CharField(64)
    first_day = peewee.CharField(10)
    last_day = peewee.CharField(10)
    lines = peewee.IntegerField()
    others = peewee.IntegerField()
    uploaded_by = peewee.CharField(64)
    uploaded_at = UtcField()
    taken_at = UtcField(null=True)

    class Meta:
        table_name = "pay_statement"
        indexes = ((("account", "digest"), False), (("status", "uploaded_at"), False))


class StatementLine(BaseModel):
    """One line of income, in row `row` of its file. `key` (account, day and the bank's number of it) is unique among
    what was taken in, NULL before and for what was there already; `content` tells whether that one says the same.
    `finding` is why it did not settle by itself. Of `amount_fen`, `applied_fen` pays the order of `attempt_id` and
    `back_fen` goes back; while it is too little, `attempt_id` is the order that it was meant for."""

    statement_id = peewee.CharField(16)
    row = peewee.IntegerField()
    account = peewee.CharField(30)
    key = peewee.CharField(64, null=True, unique=True)
    content = peewee.CharField(64)
    status = peewee.CharField(16)
    number = peewee.CharField(48)
    day = peewee.CharField(10)
    amount_fen = peewee.BigIntegerField()
    payer_name = Sealed()
    payer_name_sealed = peewee.TextField()
    payer_account = Sealed()
    payer_account_sealed = peewee.TextField()
    remark = Sealed()
    remark_sealed = peewee.TextField()
    finding = peewee.CharField(16, null=True)
    attempt_id = peewee.CharField(16, null=True)
    applied_fen = peewee.BigIntegerField(default=0)
    back_fen = peewee.BigIntegerField(default=0)
    taken_at = UtcField(null=True)
    decided_by = peewee.CharField(64, null=True)
    reason = Sealed()
    reason_sealed = peewee.TextField(null=True)

    class Meta:
        table_name = "pay_statement_line"
        indexes = ((("statement_id", "row"), True), (("attempt_id",), False), (("status", "taken_at"), False))


class OutgoingLine(BaseModel):
    """One line of money that went, in row `row` of its file. `key` (account, day, the bank's number and what it says)
    is unique among what was taken in, NULL before and for what was there already. `finding` is what it was found to
    be beside our payouts; the payout that it is names it (`Payout.outgoing_id`)."""

    statement_id = peewee.CharField(16)
    row = peewee.IntegerField()
    account = peewee.CharField(30)
    key = peewee.CharField(64, null=True, unique=True)
    content = peewee.CharField(64)
    status = peewee.CharField(16)
    number = peewee.CharField(48)
    day = peewee.CharField(10)
    amount_fen = peewee.BigIntegerField()
    payee_name = Sealed()
    payee_name_sealed = peewee.TextField()
    payee_account = Sealed()
    payee_account_sealed = peewee.TextField()
    remark = Sealed()
    remark_sealed = peewee.TextField()
    finding = peewee.CharField(16, null=True)
    taken_at = UtcField(null=True)
    decided_by = peewee.CharField(64, null=True)

    class Meta:
        table_name = "pay_outgoing_line"
        indexes = ((("statement_id", "row"), True), (("status", "account", "amount_fen"), False))


class Payout(BaseModel):
    """Money that somebody in finance transfers back: of a line, or of a refund (`refund_no`) of what a transfer paid.
    `reference`: the bank's number of it; `told_by` named it, `sent_by` has seen it too. `outgoing_id`: the line of a
    statement that it is."""

    line_id = peewee.CharField(16, null=True, unique=True)
    refund_no = peewee.CharField(32, null=True, unique=True)
    programme = peewee.CharField(32)
    amount_fen = peewee.BigIntegerField()
    status = peewee.CharField(16)
    requested_by = peewee.CharField(64)
    requested_at = UtcField()
    reference = peewee.CharField(64, null=True)
    told_by = peewee.CharField(64, null=True)
    sent_by = peewee.CharField(64, null=True)
    sent_at = UtcField(null=True)
    outgoing_id = peewee.CharField(16, null=True, unique=True)

    class Meta:
        table_name = "pay_payout"
        indexes = ((("status", "requested_at"), False), (("amount_fen", "requested_at"), False))
