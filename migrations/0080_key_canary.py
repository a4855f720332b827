from peewee import *


def up(migrator, db):
    class KeyCanary(Model):
        id = CharField(primary_key=True, max_length=16)
        secret = CharField(max_length=32)
        key_id = CharField(max_length=4)
        proof = CharField(max_length=160)
        first_at = DateTimeField(null=True)
        needed = BooleanField(default=False)
        class Meta:
            database = db
            table_name = 'key_canary'
            indexes = ((('secret', 'key_id'), True),)
    db.create_tables([KeyCanary])


def down(migrator, db):
    migrator.migrate(migrator.drop_table('key_canary'))
