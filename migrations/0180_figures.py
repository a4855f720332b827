# Figures kept by the day, exports, and the indexes that pages about a day or a period read by.
from peewee import *


def up(migrator, db):
    class DayFigure(Model):
        id = CharField(primary_key=True, max_length=16)
        day = CharField(max_length=10)
        programme = CharField(max_length=32)
        signed_up = IntegerField()
        paid = IntegerField()
        studying = IntegerField()
        passed = IntegerField()
        class Meta:
            database = db
            table_name = 'report_figure'
            indexes = ((('day', 'programme'), True),)
    db.create_tables([DayFigure])

    class Export(Model):
        id = CharField(primary_key=True, max_length=16)
        actor = CharField(max_length=40)
        token = CharField(max_length=64)
        what = CharField(max_length=16)
        format = CharField(max_length=4)
        programme = CharField(max_length=32)
        since = CharField(max_length=10)
        until = CharField(max_length=10)
        clear = BooleanField()
        reason = CharField(max_length=400)
        status = CharField(max_length=16)
        tries = IntegerField(default=0)
        rows = IntegerField(default=0)
        whole = BooleanField(default=True)
        asked_at = DateTimeField()
        claimed_at = DateTimeField(null=True)
        ready_at = DateTimeField(null=True)
        expires_at = DateTimeField(null=True)
        class Meta:
            database = db
            table_name = 'report_export'
            indexes = ((('actor', 'token'), True), (('actor', 'asked_at'), False), (('status', 'asked_at'), False))
    db.create_tables([Export])

    class ReckonedDay(Model):
        id = CharField(primary_key=True, max_length=16)
        day = CharField(unique=True, max_length=10)
        at = DateTimeField()
        due_at = DateTimeField()
        class Meta:
            database = db
            table_name = 'report_day'
    db.create_tables([ReckonedDay])

    migrator.migrate(migrator.add_index('case', ('decided_by', 'decided_at')))
    migrator.migrate(migrator.add_index('case', ('filed_at',)))
    migrator.migrate(migrator.add_index('enrolment', ('signed_up_at',)))
    migrator.migrate(migrator.add_index('pay_order', ('created_at',)))
    migrator.migrate(migrator.add_index('payment_attempt', ('paid_at',)))


def down(migrator, db):
    migrator.migrate(migrator.drop_index('payment_attempt', 'payment_attempt_paid_at'))
    migrator.migrate(migrator.drop_index('pay_order', 'pay_order_created_at'))
    migrator.migrate(migrator.drop_index('enrolment', 'enrolment_signed_up_at'))
    migrator.migrate(migrator.drop_index('case', 'case_filed_at'))
    migrator.migrate(migrator.drop_index('case', 'case_decided_by_decided_at'))
    migrator.migrate(migrator.drop_table('report_day'))
    migrator.migrate(migrator.drop_table('report_export'))
    migrator.migrate(migrator.drop_table('report_figure'))
