# Lines of bank statements by which money went, and which payout each is.
from peewee import *


def up(migrator, db):
    class OutgoingLine(Model):
        id = CharField(primary_key=True, max_length=16)
        statement_id = CharField(max_length=16)
        row = IntegerField()
        account = CharField(max_length=30)
        key = CharField(null=True, unique=True, max_length=64)
        content = CharField(max_length=64)
        status = CharField(max_length=16)
        number = CharField(max_length=48)
        day = CharField(max_length=10)
        amount_fen = BigIntegerField()
        payee_name_sealed = TextField()
        payee_account_sealed = TextField()
        remark_sealed = TextField()
        finding = CharField(null=True, max_length=16)
        taken_at = DateTimeField(null=True)
        decided_by = CharField(null=True, max_length=64)
        class Meta:
            database = db
            table_name = 'pay_outgoing_line'
            indexes = ((('statement_id', 'row'), True), (('status', 'account', 'amount_fen'), False))
    db.create_tables([OutgoingLine])
    migrator.migrate(
        migrator.add_column('pay_payout', 'outgoing_id', CharField(null=True, max_length=16)),
        migrator.add_index('pay_payout', ('outgoing_id',), True),
        migrator.add_index('pay_payout', ('amount_fen', 'requested_at'), False),
    )


def down(migrator, db):
    migrator.migrate(
        migrator.drop_index('pay_payout', 'pay_payout_amount_fen_requested_at'),
        migrator.drop_index('pay_payout', 'pay_payout_outgoing_id'),
        migrator.drop_column('pay_payout', 'outgoing_id'),
    )
    migrator.migrate(migrator.drop_table('pay_outgoing_line'))
