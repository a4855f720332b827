# Help tickets: what trainees write to support, with pictures, and the answers.
from peewee import *


def up(migrator, db):
    class Ticket(Model):
        id = CharField(primary_key=True, max_length=16)
        person_id = CharField(max_length=16)
        programme = CharField(max_length=32)
        client_id = CharField(max_length=40)
        topic = CharField(max_length=24)
        status = CharField(max_length=16)
        revision = IntegerField(default=0)
        created_at = DateTimeField()
        changed_at = DateTimeField()
        read_at = DateTimeField(null=True)
        class Meta:
            database = db
            table_name = 'support_ticket'
            indexes = ((('person_id', 'client_id'), True), (('person_id', 'changed_at'), False))
    db.create_tables([Ticket])

    class TicketMessage(Model):
        id = CharField(primary_key=True, max_length=16)
        ticket_id = CharField(max_length=16)
        client_id = CharField(max_length=40)
        actor = CharField(max_length=40)
        text_sealed = TextField()
        at = DateTimeField()
        class Meta:
            database = db
            table_name = 'support_message'
            indexes = ((('ticket_id', 'client_id'), True),)
    db.create_tables([TicketMessage])

    class TicketPicture(Model):
        id = CharField(primary_key=True, max_length=16)
        person_id = CharField(max_length=16)
        client_id = CharField(max_length=40)
        message_id = CharField(index=True, null=True, max_length=16)
        sealed = BlobField()
        created_at = DateTimeField()
        class Meta:
            database = db
            table_name = 'support_picture'
            indexes = ((('person_id', 'client_id'), True), (('person_id', 'created_at'), False))
    db.create_tables([TicketPicture])


def down(migrator, db):
    migrator.migrate(migrator.drop_table('support_picture'))
    migrator.migrate(migrator.drop_table('support_message'))
    migrator.migrate(migrator.drop_table('support_ticket'))
