# The version before knew one refund of a payment, and did not count it in the payment's row (0110 counted those before).
# Processes of this version go on meanwhile, and count for themselves: what they have counted is never made less.
from peewee import *


def up(migrator, db):
    count_refunds(db)
    migrator.migrate(migrator.drop_index('refund', 'refund_attempt_id'))


def count_refunds(db):
    attempt = Table('payment_attempt', ('id', 'refunded_fen')).bind(db)
    refund = Table('refund', ('attempt_id', 'amount_fen')).bind(db)
    back = refund.select(fn.SUM(refund.amount_fen)).where(refund.attempt_id == attempt.id)
    less = fn.COALESCE(attempt.refunded_fen, 0) < back
    attempt.update({attempt.refunded_fen: back}).where(less).execute()


def down(migrator, db):
    migrator.migrate(migrator.add_index('refund', ('attempt_id',), True))
