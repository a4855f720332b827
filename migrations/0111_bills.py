# Generated from a schema diff on 2026-11-26 00:15.
# The bills of the providers, their lines, and what in them does not match.
from peewee import *


def up(migrator, db):
    class Bill(Model):
        id = CharField(primary_key=True, max_length=16)
        kind = CharField(max_length=24)
        merchant = CharField(max_length=64)
        day = CharField(max_length=10)
        status = CharField(max_length=16)
        tries = IntegerField(default=0)
        try_at = DateTimeField(null=True)
        lines = IntegerField(default=0)
        paid_fen = BigIntegerField(default=0)
        back_fen = BigIntegerField(default=0)
        our_paid_fen = BigIntegerField(default=0)
        our_back_fen = BigIntegerField(default=0)
        fetched_at = DateTimeField(null=True)
        settled_at = DateTimeField(null=True)
        class Meta:
            database = db
            table_name = 'pay_bill'
            indexes = ((('kind', 'merchant', 'day'), True), (('status', 'try_at'), False), (('day',), False))
    db.create_tables([Bill])

    class BillRow(Model):
        id = CharField(primary_key=True, max_length=16)
        bill_id = CharField(max_length=16)
        place = IntegerField()
        kind = CharField(max_length=8)
        number = CharField(max_length=64)
        payment = CharField(max_length=64)
        provider_number = CharField(max_length=64)
        amount_fen = BigIntegerField()
        at = DateTimeField()
        status = CharField(max_length=16)
        finding = CharField(null=True, max_length=16)
        class Meta:
            database = db
            table_name = 'pay_bill_line'
            indexes = ((('bill_id', 'place'), True), (('number',), False))
    db.create_tables([BillRow])

    class Difference(Model):
        id = CharField(primary_key=True, max_length=16)
        bill_id = CharField(max_length=16)
        line_id = CharField(null=True, max_length=16)
        key = CharField(unique=True, max_length=96)
        finding = CharField(max_length=16)
        kind = CharField(max_length=8)
        number = CharField(max_length=64)
        subject = CharField(null=True, max_length=32)
        their_fen = BigIntegerField(null=True)
        our_fen = BigIntegerField(null=True)
        our_status = CharField(null=True, max_length=16)
        said = CharField(null=True, max_length=24)
        suggestion = CharField(max_length=16)
        status = CharField(max_length=16)
        found_at = DateTimeField()
        decided_at = DateTimeField(null=True)
        decided_by = CharField(null=True, max_length=40)
        reason = TextField(null=True)
        class Meta:
            database = db
            table_name = 'pay_difference'
            indexes = ((('bill_id', 'status'), False), (('status', 'found_at'), False))
    db.create_tables([Difference])

    migrator.migrate(migrator.add_index('payment_attempt', ('authority', 'paid_at')))
    migrator.migrate(migrator.add_index('refund', ('succeeded_at',)))


def down(migrator, db):
    migrator.migrate(migrator.drop_index('refund', 'refund_succeeded_at'))
    migrator.migrate(migrator.drop_index('payment_attempt', 'payment_attempt_authority_paid_at'))
    migrator.migrate(migrator.drop_table('pay_difference'))
    migrator.migrate(migrator.drop_table('pay_bill_line'))
    migrator.migrate(migrator.drop_table('pay_bill'))
