# Generated from a schema diff on 2026-11-21 10:12.
# A payment that waited with a code_url gets its code anew at the next click: the same number is the same payment.
from peewee import *


def up(migrator, db):
    migrator.migrate(migrator.add_column('payment_attempt', 'pay_by', TextField(null=True)))


def down(migrator, db):
    migrator.migrate(migrator.drop_column('payment_attempt', 'pay_by'))
