# An order may be an organisation's; a payment goes back in parts, whose sum stands in its row. Written by hand.
from peewee import *


def up(migrator, db):
    migrator.migrate(
        migrator.drop_not_null('pay_order', 'person_id'),
        migrator.add_column('pay_order', 'organisation_id', CharField(max_length=16, null=True)),
        migrator.add_index('pay_order', ('organisation_id',), False),
        migrator.add_column('payment_attempt', 'refunded_fen', BigIntegerField(null=True)),
        migrator.add_index('refund', ('attempt_id', 'status'), False),
    )
    count_refunds(db)


def count_refunds(db):
    attempt = Table('payment_attempt', ('id', 'refunded_fen')).bind(db)
    refund = Table('refund', ('attempt_id', 'amount_fen')).bind(db)
    for attempt_id, amount in refund.select(refund.attempt_id, refund.amount_fen).tuples():  # one each so far
        attempt.update({attempt.refunded_fen: amount}).where(attempt.id == attempt_id).execute()


def down(migrator, db):
    migrator.migrate(
        migrator.drop_index('refund', 'refund_attempt_id_status'),
        migrator.drop_column('payment_attempt', 'refunded_fen'),
        migrator.drop_column('pay_order', 'organisation_id'),
        migrator.add_not_null('pay_order', 'person_id'),
    )
