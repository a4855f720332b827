# Red letters and the invoices that follow them, holds of a programme, invoices by e-mail and in a ZIP; payers that are
# organisations. Written by hand.
from peewee import *


def up(migrator, db):
    migrator.migrate(
        migrator.add_column('invoice', 'live_key', CharField(max_length=16, null=True)),
        migrator.add_column('invoice', 'replaces', CharField(max_length=16, null=True)),
        migrator.add_column('invoice', 'ended', CharField(max_length=16, null=True)),
        migrator.add_column('invoice', 'answer', CharField(max_length=16, null=True)),
        migrator.drop_not_null('invoice', 'person_id'),
        migrator.add_index('invoice', ('programme', 'paid_at'), False),
        migrator.add_index('invoice', ('order_id', 'planned_at'), False),
        migrator.drop_not_null('payer_profile', 'person_id'),
        migrator.add_column('payer_profile', 'organisation_id', CharField(max_length=16, null=True)),
        migrator.add_index('payer_profile', ('organisation_id', 'saved_at'), False),
    )
    say_which_live(db)
    migrator.migrate(migrator.add_index('invoice', ('live_key',), True))

    class RedLetter(Model):
        id = CharField(primary_key=True, max_length=16)
        invoice_id = CharField(unique=True, max_length=16)
        order_id = CharField(index=True, max_length=16)
        serial = CharField(unique=True, max_length=32)
        turn = IntegerField(default=1)
        status = CharField(max_length=16)
        why = CharField(max_length=16)
        profile_id = CharField(max_length=16)
        decided_by = CharField(max_length=64)
        decided_at = DateTimeField()
        next_at = DateTimeField(null=True)
        tries = IntegerField(default=0)
        sent_at = DateTimeField(null=True)
        form_number = CharField(null=True, max_length=32)
        number = CharField(unique=True, null=True, max_length=32)
        issued_at = DateTimeField(null=True)
        waits_at = DateTimeField(null=True)
        class Meta:
            database = db
            table_name = 'invoice_red_letter'
            indexes = ((('status', 'next_at'), False),)

    class ProgrammeHold(Model):
        id = CharField(primary_key=True, max_length=16)
        programme = CharField(unique=True, max_length=32)
        held_by = CharField(max_length=64)
        held_at = DateTimeField()
        reason = CharField(max_length=200)
        class Meta:
            database = db
            table_name = 'invoice_programme_hold'

    class Mail(Model):
        id = CharField(primary_key=True, max_length=16)
        key = CharField(unique=True, max_length=32)
        invoice_id = CharField(index=True, max_length=16)
        email_sealed = TextField()
        status = CharField(max_length=16)
        asked_at = DateTimeField()
        next_at = DateTimeField(null=True)
        tries = IntegerField(default=0)
        ended_at = DateTimeField(null=True)
        code = CharField(null=True, max_length=64)
        class Meta:
            database = db
            table_name = 'invoice_mail'
            indexes = ((('status', 'next_at'), False),)

    class Bundle(Model):
        id = CharField(primary_key=True, max_length=16)
        actor = CharField(index=True, max_length=64)
        programme = CharField(max_length=32)
        reason = CharField(max_length=200)
        wanted_sealed = TextField()
        status = CharField(max_length=16)
        total = IntegerField(default=0)
        done = IntegerField(default=0)
        left_out = IntegerField(default=0)
        asked_at = DateTimeField()
        claimed_until = DateTimeField(null=True)
        expires_at = DateTimeField()
        class Meta:
            database = db
            table_name = 'invoice_bundle'
            indexes = ((('status', 'expires_at'), False),)

    class BundlePart(Model):
        id = CharField(primary_key=True, max_length=16)
        bundle_id = CharField(max_length=16)
        place = IntegerField()
        data_sealed = TextField()
        class Meta:
            database = db
            table_name = 'invoice_bundle_part'
            indexes = ((('bundle_id', 'place'), True),)
    db.create_tables([RedLetter, ProgrammeHold, Mail, Bundle, BundlePart])


def say_which_live(db):
    """The key of those that are not over is their order; of the others nothing. Again it changes nothing."""
    invoice = Table('invoice', ('id', 'order_id', 'status', 'live_key')).bind(db)
    over = invoice.status.in_(['cancelled', 'reversed'])
    invoice.update({invoice.live_key: invoice.order_id}).where(invoice.live_key.is_null() & ~over).execute()
    invoice.update({invoice.live_key: None}).where(invoice.live_key.is_null(False) & over).execute()


def down(migrator, db):
    migrator.migrate(
        migrator.drop_table('invoice_bundle_part'),
        migrator.drop_table('invoice_bundle'),
        migrator.drop_table('invoice_mail'),
        migrator.drop_table('invoice_programme_hold'),
        migrator.drop_table('invoice_red_letter'),
        migrator.drop_index('payer_profile', 'payer_profile_organisation_id_saved_at'),
        migrator.drop_column('payer_profile', 'organisation_id'),
        migrator.drop_index('invoice', 'invoice_live_key'),
        migrator.drop_index('invoice', 'invoice_order_id_planned_at'),
        migrator.drop_index('invoice', 'invoice_programme_paid_at'),
        migrator.drop_column('invoice', 'answer'),
        migrator.drop_column('invoice', 'ended'),
        migrator.drop_column('invoice', 'replaces'),
        migrator.drop_column('invoice', 'live_key'),
    )
