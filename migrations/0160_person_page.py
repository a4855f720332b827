# One person's page: whose line of the audit log it is, whose case; who was merged into whom; attempts given back.
from peewee import *


def up(migrator, db):
    class AttemptGrant(Model):
        id = CharField(primary_key=True, max_length=16)
        enrolment_id = CharField(max_length=16)
        subject = CharField(max_length=32)
        actor = CharField(max_length=40)
        reason = CharField(max_length=32)
        evidence = CharField(max_length=200)
        at = DateTimeField()
        class Meta:
            database = db
            table_name = 'attempt_grant'
            indexes = ((('enrolment_id', 'subject'), False),)
    db.create_tables([AttemptGrant])

    migrator.migrate(
        migrator.add_column('audit_entry', 'programme', CharField(null=True, max_length=32)),
        migrator.add_column('person', 'merged_into', CharField(null=True, max_length=16)),
        migrator.add_column('login_throttle', 'account_key', CharField(null=True, max_length=32)),
    )
    migrator.migrate(
        migrator.add_index('person', ('merged_into',)),
        migrator.add_index('login_throttle', ('account_key',)),
        migrator.add_index('case', ('person_id',)),
        migrator.add_index('payment_attempt', ('transaction_id',)),
        migrator.add_index('sms', ('created_at',)),
    )


def down(migrator, db):
    migrator.migrate(
        migrator.drop_index('sms', 'sms_created_at'),
        migrator.drop_index('payment_attempt', 'payment_attempt_transaction_id'),
        migrator.drop_index('case', 'case_person_id'),
        migrator.drop_index('login_throttle', 'login_throttle_account_key'),
        migrator.drop_index('person', 'person_merged_into'),
    )
    migrator.migrate(
        migrator.drop_column('login_throttle', 'account_key'),
        migrator.drop_column('person', 'merged_into'),
        migrator.drop_column('audit_entry', 'programme'),
        migrator.drop_table('attempt_grant'),
    )
