# Whose rows are in an exported file: to fetch it all of these are needed.
from peewee import *


def up(migrator, db):
    migrator.migrate(migrator.add_column('report_export', 'programmes', TextField(null=True)))


def down(migrator, db):
    migrator.migrate(migrator.drop_column('report_export', 'programmes'))
