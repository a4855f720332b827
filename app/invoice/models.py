"""Who pays, in whose name the invoice is, and the invoices. What a row says of a past payment never changes."""

from __future__ import annotations

import peewee

from app.core.crypto import Sealed
from app.core.db import BaseModel, UtcField


class PayerProfile(BaseModel):
    """The details of a payer as they were saved at one moment; they are never edited: saving others writes a new row,
    and orders that are paid keep theirs. `kind`: 'person' (the invoice is in their own name) or 'enterprise'."""

    person_id = peewee.CharField(16)
    kind = peewee.CharField(16)
    title = Sealed()
    title_sealed = peewee.TextField()
    taxpayer_number = Sealed()
    taxpayer_number_sealed = peewee.TextField(null=True)
    email = Sealed()
    email_sealed = peewee.TextField(null=True)
    phone = Sealed()
    phone_sealed = peewee.TextField(null=True)
    address = Sealed()
    address_sealed = peewee.TextField(null=True)
    bank_name = Sealed()
    bank_name_sealed = peewee.TextField(null=True)
    bank_account = Sealed()
    bank_account_sealed = peewee.TextField(null=True)
    saved_at = UtcField()

    class Meta:
        indexes = ((("person_id", "saved_at"), False),)


class PayerChoice(BaseModel):
    """With these details an order was confirmed. The last one before the payment counts."""

    order_id = peewee.CharField(16)
    profile_id = peewee.CharField(16)
    chosen_at = UtcField()

    class Meta:
        indexes = ((("order_id", "chosen_at"), False),)


class Invoice(BaseModel):
    """The one invoice of an order. `serial` is our number of it at the vendor: the same number is the same invoice.
    `hold`: why it is not sent ('settlement', 'finance'). `settled_at`: when the money was looked at once more.
    `due_from`, `due_until`: the working days in which it is to be issued. `next_at`: when it is looked at again, None
    while nothing is to be done; `tries` counts the looks since the status changed. `sent_at`: when the last call to
    issue it began. `number` is the tax bureau's. `late_at`, `red_letter_at`: when a case about it was filed."""

    order_id = peewee.CharField(16, unique=True)
    person_id = peewee.CharField(16, index=True)
    programme = peewee.CharField(32)
    version = peewee.CharField(10)
    authority = peewee.CharField(64)
    serial = peewee.CharField(20, unique=True)
    profile_id = peewee.CharField(16)
    kind = peewee.CharField(32)
    status = peewee.CharField(16)
    hold = peewee.CharField(16, null=True)
    gross_fen = peewee.BigIntegerField()
    net_fen = peewee.BigIntegerField()
    tax_fen = peewee.BigIntegerField()
    tax_rate_permille = peewee.IntegerField()
    goods_name = peewee.CharField(100)
    goods_code = peewee.CharField(19)
    paid_at = UtcField()
    planned_at = UtcField()
    due_from = UtcField()
    due_until = UtcField()
    next_at = UtcField(null=True)
    tries = peewee.IntegerField(default=0)
    settled_at = UtcField(null=True)
    sent_at = UtcField(null=True)
    vendor_serial = peewee.CharField(64, null=True)
    number = peewee.CharField(32, null=True, unique=True)
    issued_at = UtcField(null=True)
    ready_at = UtcField(null=True)
    late_at = UtcField(null=True)
    red_letter_at = UtcField(null=True)

    class Meta:
        indexes = ((("status", "next_at"), False), (("status", "due_until"), False))


class InvoiceFile(BaseModel):
    """The PDF of the invoice with the same id, as base64. It stands in SQL, so that it commits with `ready` and is
    there on every host, and in a sealed column, so that it gets new keys as every other."""

    pdf = Sealed()
    pdf_sealed = peewee.TextField()


class InvoiceEvent(BaseModel):
    """The history: each change of an invoice's status, with what made it true."""

    invoice_id = peewee.CharField(16, index=True)
    action = peewee.CharField(16)
    before = peewee.CharField(16)
    after = peewee.CharField(16)
    at = UtcField()
    evidence = peewee.CharField(120)
