# Whose WeChat a web page is open in: what was begun, and the openid that a person pays with.
from peewee import *


def up(migrator, db):
    class Authorisation(Model):
        id = CharField(primary_key=True, max_length=16)
        person_id = CharField(max_length=16)
        session_id = CharField(max_length=16)
        programme = CharField(max_length=32)
        back = CharField(max_length=200)
        created_at = DateTimeField(index=True)
        used_at = DateTimeField(null=True)
        class Meta:
            database = db
            table_name = 'authorisation'
            indexes = ((('person_id', 'created_at'), False),)
    db.create_tables([Authorisation])

    class PayerOpenid(Model):
        id = CharField(primary_key=True, max_length=16)
        key = CharField(unique=True, max_length=100)
        openid_sealed = TextField()
        authorised_at = DateTimeField()
        class Meta:
            database = db
            table_name = 'payer_openid'
    db.create_tables([PayerOpenid])


def down(migrator, db):
    migrator.migrate(migrator.drop_table('payer_openid'))
    migrator.migrate(migrator.drop_table('authorisation'))
