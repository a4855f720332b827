from peewee import *


def up(migrator, db):
    class Invoice(Model):
        id = CharField(primary_key=True, max_length=16)
        order_id = CharField(unique=True, max_length=16)
        person_id = CharField(index=True, max_length=16)
        programme = CharField(max_length=32)
        version = CharField(max_length=10)
        authority = CharField(max_length=64)
        serial = CharField(unique=True, max_length=20)
        profile_id = CharField(max_length=16)
        kind = CharField(max_length=32)
        status = CharField(max_length=16)
        hold = CharField(null=True, max_length=16)
        gross_fen = BigIntegerField()
        net_fen = BigIntegerField()
        tax_fen = BigIntegerField()
        tax_rate_permille = IntegerField()
        goods_name = CharField(max_length=100)
        goods_code = CharField(max_length=19)
        paid_at = DateTimeField()
        planned_at = DateTimeField()
        due_from = DateTimeField()
        due_until = DateTimeField()
        next_at = DateTimeField(null=True)
        tries = IntegerField(default=0)
        settled_at = DateTimeField(null=True)
        sent_at = DateTimeField(null=True)
        vendor_serial = CharField(null=True, max_length=64)
        number = CharField(unique=True, null=True, max_length=32)
        issued_at = DateTimeField(null=True)
        ready_at = DateTimeField(null=True)
        late_at = DateTimeField(null=True)
        red_letter_at = DateTimeField(null=True)
        class Meta:
            database = db
            table_name = 'invoice'
            indexes = ((('status', 'next_at'), False), (('status', 'due_until'), False))
    db.create_tables([Invoice])

    class InvoiceEvent(Model):
        id = CharField(primary_key=True, max_length=16)
        invoice_id = CharField(index=True, max_length=16)
        action = CharField(max_length=16)
        before = CharField(max_length=16)
        after = CharField(max_length=16)
        at = DateTimeField()
        evidence = CharField(max_length=120)
        class Meta:
            database = db
            table_name = 'invoice_event'
    db.create_tables([InvoiceEvent])

    class InvoiceFile(Model):
        id = CharField(primary_key=True, max_length=16)
        pdf_sealed = TextField()
        class Meta:
            database = db
            table_name = 'invoice_file'
    db.create_tables([InvoiceFile])

    class PayerChoice(Model):
        id = CharField(primary_key=True, max_length=16)
        order_id = CharField(max_length=16)
        profile_id = CharField(max_length=16)
        chosen_at = DateTimeField()
        class Meta:
            database = db
            table_name = 'payer_choice'
            indexes = ((('order_id', 'chosen_at'), False),)
    db.create_tables([PayerChoice])

    class PayerProfile(Model):
        id = CharField(primary_key=True, max_length=16)
        person_id = CharField(max_length=16)
        kind = CharField(max_length=16)
        title_sealed = TextField()
        taxpayer_number_sealed = TextField(null=True)
        email_sealed = TextField(null=True)
        phone_sealed = TextField(null=True)
        address_sealed = TextField(null=True)
        bank_name_sealed = TextField(null=True)
        bank_account_sealed = TextField(null=True)
        saved_at = DateTimeField()
        class Meta:
            database = db
            table_name = 'payer_profile'
            indexes = ((('person_id', 'saved_at'), False),)
    db.create_tables([PayerProfile])


def down(migrator, db):
    migrator.migrate(migrator.drop_table('payer_profile'))
    migrator.migrate(migrator.drop_table('payer_choice'))
    migrator.migrate(migrator.drop_table('invoice_file'))
    migrator.migrate(migrator.drop_table('invoice_event'))
    migrator.migrate(migrator.drop_table('invoice'))
