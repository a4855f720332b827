# In whose hand a new account of the staff is, until a second administrator has agreed to it. Those of before: nobody's.
from peewee import *


def up(migrator, db):
    migrator.migrate(migrator.add_column('staff_member', 'made_by', CharField(16, null=True)))


def down(migrator, db):
    migrator.migrate(migrator.drop_column('staff_member', 'made_by'))
