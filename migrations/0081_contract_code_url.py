# `pay_by` (0010) stands in its place. Databases of before 0010 was split in two have it no more.
from peewee import *


def up(migrator, db):
    if any(column.name == 'code_url' for column in db.get_columns('payment_attempt')):
        migrator.migrate(migrator.drop_column('payment_attempt', 'code_url'))


def down(migrator, db):
    migrator.migrate(migrator.add_column('payment_attempt', 'code_url', CharField(null=True, max_length=512)))
