# The accounts of the staff; whose a case is, who has it, by when, and what somebody proposed about it.
from peewee import *


def up(migrator, db):
    class Member(Model):
        id = CharField(primary_key=True, max_length=16)
        login = CharField(unique=True, max_length=32)
        name = CharField(max_length=32)
        password_hash = CharField(null=True, max_length=160)
        invitation = CharField(null=True, max_length=16)
        totp_sealed = TextField(null=True)
        totp_at = DateTimeField(null=True)
        totp_step = BigIntegerField(default=0)
        created_at = DateTimeField()
        disabled_at = DateTimeField(null=True)
        class Meta:
            database = db
            table_name = 'staff_member'
    db.create_tables([Member])

    class MemberRight(Model):
        id = CharField(primary_key=True, max_length=16)
        member_id = CharField(max_length=16)
        right = CharField(max_length=16, column_name='right_name')
        programme = CharField(max_length=32)
        class Meta:
            database = db
            table_name = 'staff_right'
            indexes = ((('member_id', 'right', 'programme'), True),)
    db.create_tables([MemberRight])

    class MemberSession(Model):
        id = CharField(primary_key=True, max_length=16)
        member_id = CharField(index=True, max_length=16)
        stage = CharField(max_length=8)
        created_at = DateTimeField()
        seen_at = DateTimeField()
        expires_at = DateTimeField(index=True)
        ended_at = DateTimeField(null=True)
        class Meta:
            database = db
            table_name = 'staff_session'
    db.create_tables([MemberSession])

    class RecoveryCode(Model):
        id = CharField(primary_key=True, max_length=16)
        member_id = CharField(index=True, max_length=16)
        code_hash = CharField(max_length=64)
        used_at = DateTimeField(null=True)
        class Meta:
            database = db
            table_name = 'staff_recovery_code'
    db.create_tables([RecoveryCode])

    migrator.migrate(migrator.add_column('case', 'programme', CharField(null=True, max_length=32)))
    migrator.migrate(migrator.add_column('case', 'person_id', CharField(null=True, max_length=16)))
    migrator.migrate(migrator.add_column('case', 'due_at', DateTimeField(null=True)))
    migrator.migrate(migrator.add_column('case', 'claimed_by', CharField(null=True, max_length=64)))
    migrator.migrate(migrator.add_column('case', 'claimed_until', DateTimeField(null=True)))
    migrator.migrate(migrator.add_column('case', 'proposed_sealed', TextField(null=True)))
    migrator.migrate(migrator.add_column('case', 'proposed_by', CharField(null=True, max_length=64)))
    migrator.migrate(migrator.add_column('case', 'proposed_at', DateTimeField(null=True)))
    migrator.migrate(migrator.add_index('case', ('status', 'decided_at')))
    migrator.migrate(migrator.add_index('case', ('status', 'kind', 'filed_at')))


def down(migrator, db):
    migrator.migrate(migrator.drop_index('case', 'case_status_kind_filed_at'))
    migrator.migrate(migrator.drop_index('case', 'case_status_decided_at'))
    migrator.migrate(migrator.drop_column('case', 'proposed_at'))
    migrator.migrate(migrator.drop_column('case', 'proposed_by'))
    migrator.migrate(migrator.drop_column('case', 'proposed_sealed'))
    migrator.migrate(migrator.drop_column('case', 'claimed_until'))
    migrator.migrate(migrator.drop_column('case', 'claimed_by'))
    migrator.migrate(migrator.drop_column('case', 'due_at'))
    migrator.migrate(migrator.drop_column('case', 'person_id'))
    migrator.migrate(migrator.drop_column('case', 'programme'))
    migrator.migrate(migrator.drop_table('staff_recovery_code'))
    migrator.migrate(migrator.drop_table('staff_session'))
    migrator.migrate(migrator.drop_table('staff_right'))
    migrator.migrate(migrator.drop_table('staff_member'))
