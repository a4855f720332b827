# Generated from a schema diff on 2026-11-26 04:31.
from peewee import *


def up(migrator, db):
    class Payout(Model):
        id = CharField(primary_key=True, max_length=16)
        line_id = CharField(unique=True, null=True, max_length=16)
        refund_no = CharField(unique=True, null=True, max_length=32)
        programme = CharField(max_length=32)
        amount_fen = BigIntegerField()
        status = CharField(max_length=16)
        requested_by = CharField(max_length=64)
        requested_at = DateTimeField()
        reference = CharField(null=True, max_length=64)
        told_by = CharField(null=True, max_length=64)
        sent_by = CharField(null=True, max_length=64)
        sent_at = DateTimeField(null=True)
        class Meta:
            database = db
            table_name = 'pay_payout'
            indexes = ((('status', 'requested_at'), False),)
    db.create_tables([Payout])

    class Statement(Model):
        id = CharField(primary_key=True, max_length=16)
        account = CharField(max_length=30)
        programme = CharField(max_length=32)
        status = CharField(max_length=16)
        digest = CharField(max_length=64)
        first_day = CharField(max_length=10)
        last_day = CharField(max_length=10)
        lines = IntegerField()
        others = IntegerField()
        uploaded_by = CharField(max_length=64)
        uploaded_at = DateTimeField()
        taken_at = DateTimeField(null=True)
        class Meta:
            database = db
            table_name = 'pay_statement'
            indexes = ((('account', 'digest'), False), (('status', 'uploaded_at'), False))
    db.create_tables([Statement])

    class StatementLine(Model):
        id = CharField(primary_key=True, max_length=16)
        statement_id = CharField(max_length=16)
        row = IntegerField()
        account = CharField(max_length=30)
        key = CharField(unique=True, null=True, max_length=64)
        content = CharField(max_length=64)
        status = CharField(max_length=16)
        number = CharField(max_length=48)
        day = CharField(max_length=10)
        amount_fen = BigIntegerField()
        payer_name_sealed = TextField()
        payer_account_sealed = TextField()
        remark_sealed = TextField()
        finding = CharField(null=True, max_length=16)
        attempt_id = CharField(null=True, max_length=16)
        applied_fen = BigIntegerField(default=0)
        back_fen = BigIntegerField(default=0)
        taken_at = DateTimeField(null=True)
        decided_by = CharField(null=True, max_length=64)
        reason_sealed = TextField(null=True)
        class Meta:
            database = db
            table_name = 'pay_statement_line'
            indexes = ((('statement_id', 'row'), True), (('attempt_id',), False), (('status', 'taken_at'), False))
    db.create_tables([StatementLine])

    class Transfer(Model):
        id = CharField(primary_key=True, max_length=16)
        attempt_id = CharField(unique=True, max_length=16)
        code = CharField(unique=True, max_length=12)
        account_name = CharField(max_length=200)
        bank = CharField(max_length=200)
        payer_name_sealed = TextField()
        others_until = DateTimeField()
        created_at = DateTimeField()
        class Meta:
            database = db
            table_name = 'pay_transfer'
    db.create_tables([Transfer])


def down(migrator, db):
    migrator.migrate(migrator.drop_table('pay_transfer'))
    migrator.migrate(migrator.drop_table('pay_statement_line'))
    migrator.migrate(migrator.drop_table('pay_statement'))
    migrator.migrate(migrator.drop_table('pay_payout'))
