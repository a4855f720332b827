# Generated from a schema diff on 2026-11-21 10:12.
from peewee import *


def up(migrator, db):
    class MessageLeave(Model):
        id = CharField(primary_key=True, max_length=16)
        person_id = CharField(max_length=16)
        binding_id = CharField(max_length=16)
        programme = CharField(max_length=32)
        template = CharField(max_length=32)
        template_id = CharField(max_length=64)
        request_id = CharField(max_length=48)
        status = CharField(max_length=16, default='standing')
        key = CharField(unique=True, null=True, max_length=96)
        params_sealed = TextField(null=True)
        given_at = DateTimeField()
        taken_at = DateTimeField(null=True)
        began_at = DateTimeField(null=True)
        settled_at = DateTimeField(index=True, null=True)
        provider_code = CharField(null=True, max_length=32)
        class Meta:
            database = db
            table_name = 'message_leave'
            indexes = ((('person_id', 'request_id', 'template'), True), (('person_id', 'template', 'status'), False), (('status', 'taken_at'), False))
    db.create_tables([MessageLeave])

    class ScanTicket(Model):
        id = CharField(primary_key=True, max_length=16)
        purpose = CharField(max_length=16)
        programme = CharField(max_length=32)
        subject = CharField(max_length=16, default='')
        owner_id = CharField(null=True, max_length=16)
        secret_hash = CharField(max_length=64)
        asker_index = CharField(max_length=32)
        device = CharField(max_length=32)
        status = CharField(max_length=16, default='waiting')
        person_id = CharField(null=True, max_length=16)
        phone_session_id = CharField(null=True, max_length=16)
        session_id = CharField(null=True, max_length=16)
        created_at = DateTimeField()
        expires_at = DateTimeField(index=True)
        scanned_at = DateTimeField(null=True)
        confirmed_at = DateTimeField(null=True)
        used_at = DateTimeField(null=True)
        class Meta:
            database = db
            table_name = 'scan_ticket'
            indexes = ((('asker_index', 'created_at'), False),)
    db.create_tables([ScanTicket])


def down(migrator, db):
    migrator.migrate(migrator.drop_table('scan_ticket'))
    migrator.migrate(migrator.drop_table('message_leave'))
