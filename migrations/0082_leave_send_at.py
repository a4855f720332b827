# When a subscribe message may go out, and whether it may ring at night.
from peewee import *


def up(migrator, db):
    migrator.migrate(migrator.add_column('message_leave', 'urgent', BooleanField(null=True)))
    migrator.migrate(migrator.add_column('message_leave', 'send_at', DateTimeField(null=True)))


def down(migrator, db):
    migrator.migrate(migrator.drop_column('message_leave', 'send_at'))
    migrator.migrate(migrator.drop_column('message_leave', 'urgent'))
