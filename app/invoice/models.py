"""Who pays, in whose name the invoice is, and the invoices. What a row says of a past payment never changes."""

from __future__ import annotations

import peewee

from app.core.crypto import Sealed
from app.core.db import BaseModel, UtcField


class PayerProfile(BaseModel):
    """The details of a payer as they were saved at one moment; they are never edited: saving others writes a new row,
    and orders that are paid keep theirs. `kind`: 'person' (the invoice is in their own name) or 'enterprise'. They
    are a person's, or an organisation's: one of the two ids is set."""

    person_id = peewee.CharField(16, null=True)
    organisation_id = peewee.CharField(16, null=True)
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
        indexes = ((("person_id", "saved_at"), False), (("organisation_id", "saved_at"), False))


class PayerChoice(BaseModel):
    """With these details an order was confirmed. The last one before the payment counts."""

    order_id = peewee.CharField(16)
    profile_id = peewee.CharField(16)
    chosen_at = UtcField()

    class Meta:
        indexes = ((("order_id", "chosen_at"), False),)


class Invoice(BaseModel):
    """An invoice of an order, which has one at a time: `live_key` is the order's id, and NULL once the invoice is
    cancelled or taken back; the next one is made for what of the money is kept then. `replaces`: the one before it.
    `serial` is our number of it at the vendor: the same number is the same invoice.
    `hold`: why it is not sent ('settlement', 'finance'). `settled_at`: when the money was looked at once more.
    `ended`: why none follows by itself ('details', 'offline', 'none'), and `answer`: why it is not corrected ('same',
    'unproven', 'used'), as the payer is told.
    `due_from`, `due_until`: the working days in which it is to be issued. `next_at`: when it is looked at again, None
    while nothing is to be done; `tries` counts the looks since the status changed. `sent_at`: when the last call to
    issue it began. `number` is the tax bureau's. `late_at`: when a case about it was filed.
    `red_letter_at`: when people were told last, or have decided, of money that went back."""

    order_id = peewee.CharField(16)
    live_key = peewee.CharField(16, null=True, unique=True)
    replaces = peewee.CharField(16, null=True)
    person_id = peewee.CharField(16, index=True, null=True)
    programme = peewee.CharField(32)
    version = peewee.CharField(10)
    authority = peewee.CharField(64)
    serial = peewee.CharField(20, unique=True)
    profile_id = peewee.CharField(16)
    kind = peewee.CharField(32)
    status = peewee.CharField(16)
    hold = peewee.CharField(16, null=True)
    ended = peewee.CharField(16, null=True)
    answer = peewee.CharField(16, null=True)
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
        indexes = (
            (("status", "next_at"), False),
            (("status", "due_until"), False),
            (("programme", "paid_at"), False),
            (("order_id", "planned_at"), False),
        )


class InvoiceFile(BaseModel):
    """The PDF of the invoice with the same id, as base64. It stands in SQL, so that it commits with `ready` and is
    there on every host, and in a sealed column, so that it gets new keys as every other."""

    pdf = Sealed()
    pdf_sealed = peewee.TextField()


class InvoiceEvent(BaseModel):
    """The history: each change of the status of an invoice, or of a red letter, with what made it true."""

    invoice_id = peewee.CharField(16, index=True)
    action = peewee.CharField(16)
    before = peewee.CharField(16)
    after = peewee.CharField(16)
    at = UtcField()
    evidence = peewee.CharField(120)


class RedLetter(BaseModel):
    """The red-letter invoice that takes one back: one for each invoice, all of its amount. `serial`: our number of it
    at the vendor; once one was refused for good, the next try has another. `why`: 'money_back' or 'mistake', which is
    what the bureau is told. `profile_id`: in whose name the next invoice is, if money is kept. `number` is the tax
    bureau's. `waits_at`: when a case about its waiting was filed."""

    invoice_id = peewee.CharField(16, unique=True)
    order_id = peewee.CharField(16, index=True)
    serial = peewee.CharField(32, unique=True)
    turn = peewee.IntegerField(default=1)
    status = peewee.CharField(16)
    why = peewee.CharField(16)
    profile_id = peewee.CharField(16)
    decided_by = peewee.CharField(64)
    decided_at = UtcField()
    next_at = UtcField(null=True)
    tries = peewee.IntegerField(default=0)
    sent_at = UtcField(null=True)
    form_number = peewee.CharField(32, null=True)
    number = peewee.CharField(32, null=True, unique=True)
    issued_at = UtcField(null=True)
    waits_at = UtcField(null=True)

    class Meta:
        table_name = "invoice_red_letter"
        indexes = ((("status", "next_at"), False),)


class RedEntry(BaseModel):
    """A red letter that staff issued in the tax bureau's own system, as one of finance has entered it: the bureau's
    `number`, the `day` (Shanghai) and the PDF, as base64. What became of it, the case says that names it."""

    invoice_id = peewee.CharField(16, index=True)
    number = peewee.CharField(32)
    day = peewee.CharField(10)
    pdf = Sealed()
    pdf_sealed = peewee.TextField()
    entered_by = peewee.CharField(64)
    entered_at = UtcField()

    class Meta:
        table_name = "invoice_red_entry"


class ProgrammeHold(BaseModel):
    """While this row is there, no invoice of the programme is sent."""

    programme = peewee.CharField(32, unique=True)
    held_by = peewee.CharField(64)
    held_at = UtcField()
    reason = peewee.CharField(200)

    class Meta:
        table_name = "invoice_programme_hold"


class Mail(BaseModel):
    """An invoice on its way to a mailbox. `key` keeps each request one message: the invoice and its how-manieth."""

    key = peewee.CharField(32, unique=True)
    invoice_id = peewee.CharField(16, index=True)
    email = Sealed()
    email_sealed = peewee.TextField()
    status = peewee.CharField(16)
    asked_at = UtcField()
    next_at = UtcField(null=True)
    tries = peewee.IntegerField(default=0)
    ended_at = UtcField(null=True)
    code = peewee.CharField(64, null=True)

    class Meta:
        table_name = "invoice_mail"
        indexes = ((("status", "next_at"), False),)


class Bundle(BaseModel):
    """A ZIP of many invoices for staff. `wanted` (JSON, sealed): what they chose. `done` of `total` are in it."""

    actor = peewee.CharField(64, index=True)
    programme = peewee.CharField(32)
    reason = peewee.CharField(200)
    wanted = Sealed()
    wanted_sealed = peewee.TextField()
    status = peewee.CharField(16)
    total = peewee.IntegerField(default=0)
    done = peewee.IntegerField(default=0)
    left_out = peewee.IntegerField(default=0)
    asked_at = UtcField()
    claimed_until = UtcField(null=True)
    expires_at = UtcField()

    class Meta:
        table_name = "invoice_bundle"
        indexes = ((("status", "expires_at"), False),)


class BundlePart(BaseModel):
    """A piece of the file of a bundle, as base64, in the order of `place`: it is there on every host, and sealed."""

    bundle_id = peewee.CharField(16)
    place = peewee.IntegerField()
    data = Sealed()
    data_sealed = peewee.TextField()

    class Meta:
        table_name = "invoice_bundle_part"
        indexes = ((("bundle_id", "place"), True),)
