# A person is reminded of the end of the study period once for each distance.
from peewee import *


def up(migrator, db):
    migrator.migrate(migrator.add_column("enrolment", "reminded_days", IntegerField(null=True)))


def down(migrator, db):
    migrator.migrate(migrator.drop_column("enrolment", "reminded_days"))
