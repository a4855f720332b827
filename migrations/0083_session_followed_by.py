# The session that began when an activating one ended: for whoever did not get the answer.
from peewee import *


def up(migrator, db):
    migrator.migrate(migrator.add_column('session', 'followed_by', CharField(null=True, max_length=16)))


def down(migrator, db):
    migrator.migrate(migrator.drop_column('session', 'followed_by'))
