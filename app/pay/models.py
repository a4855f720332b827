"""Orders and the money that moves for them. What a row says is final is never changed again."""

from __future__ import annotations

import peewee

from app.core.db import BaseModel, UtcField


class Order(BaseModel):
    """What somebody is to pay, until `expires_at`: a person, or an organisation for its people; one of the two ids is
    set. For whom it is bought says each line. `paid_attempt_id`: the one payment that is kept. `attempts` counts the
    ways it was tried to pay, so that beginning one and closing the order cannot both win. While it is `closing` the
    providers are told at `close_at`, `close_tries` times so far."""

    person_id = peewee.CharField(16, index=True, null=True)
    organisation_id = peewee.CharField(16, index=True, null=True)
    programme = peewee.CharField(32)
    version = peewee.CharField(10)
    status = peewee.CharField(16)
    amount_fen = peewee.BigIntegerField()
    expires_at = UtcField()
    created_at = UtcField()
    paid_at = UtcField(null=True)
    closed_at = UtcField(null=True)
    paid_attempt_id = peewee.CharField(16, null=True)
    attempts = peewee.IntegerField(default=0)
    close_at = UtcField(null=True)
    close_tries = peewee.IntegerField(default=0)

    class Meta:
        table_name = "pay_order"
        indexes = ((("status", "expires_at"), False), (("status", "close_at"), False), (("created_at",), False))


class OrderLine(BaseModel):
    """One opaque thing that is sold. `open_sku` is the sku until the order is closed, then NULL: a thing that is in
    an open or a paid order cannot be ordered again (faults P9, P14)."""

    order_id = peewee.CharField(16, index=True)
    sku = peewee.CharField(64, index=True)
    open_sku = peewee.CharField(64, null=True, unique=True)
    title = peewee.CharField(200)
    amount_fen = peewee.BigIntegerField()


class PaymentAttempt(BaseModel):
    """An order at one provider. `out_trade_no` is ours, made of order, channel and payer; `transaction_id` the
    provider's. `pay_by` is what the client needs to pay it (protocol.PayBy as JSON), once the provider has given it.
    `captured_fen` is what the provider says it took, `refunded_fen` what of it goes back or went. The janitor asks
    the provider at `ask_at`, while the attempt is open and a few times after it was closed; `checked_at` is when a
    person last had it asked."""

    order_id = peewee.CharField(16)
    channel = peewee.CharField(24)
    authority = peewee.CharField(64)
    out_trade_no = peewee.CharField(32, unique=True)
    status = peewee.CharField(16)
    amount_fen = peewee.BigIntegerField()
    captured_fen = peewee.BigIntegerField(null=True)
    refunded_fen = peewee.BigIntegerField(null=True, default=0)  # NULL: 0
    pay_by = peewee.TextField(null=True)
    transaction_id = peewee.CharField(64, null=True, index=True)
    created_at = UtcField()
    paid_at = UtcField(null=True)
    closed_at = UtcField(null=True)
    ask_at = UtcField(null=True)
    checked_at = UtcField(null=True)

    class Meta:
        indexes = (
            (("order_id",), False),
            (("status", "ask_at"), False),
            (("authority", "paid_at"), False),
            (("paid_at",), False),
        )


class Refund(BaseModel):
    """Money that goes back: the whole of what an attempt captured where the order does not keep it, or parts of what
    it keeps; all of an attempt's together never more than it captured (`PaymentAttempt.refunded_fen`). One number,
    however often it is sent."""

    order_id = peewee.CharField(16, index=True)
    attempt_id = peewee.CharField(16)
    out_refund_no = peewee.CharField(32, unique=True)
    amount_fen = peewee.BigIntegerField()
    reason = peewee.CharField(32)
    status = peewee.CharField(16)
    tries = peewee.IntegerField(default=0)
    try_at = UtcField(null=True)
    created_at = UtcField()
    succeeded_at = UtcField(null=True)

    class Meta:
        indexes = ((("attempt_id", "status"), False), (("status", "try_at"), False), (("succeeded_at",), False))


class PaymentEvent(BaseModel):
    """The history: each change of status of an order, an attempt or a refund, with what made it true."""

    order_id = peewee.CharField(16, index=True)
    kind = peewee.CharField(16)
    subject_id = peewee.CharField(16)
    action = peewee.CharField(24)
    before = peewee.CharField(16)
    after = peewee.CharField(16)
    at = UtcField()
    evidence = peewee.CharField(120)
