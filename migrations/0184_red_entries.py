# Red letters that staff issued in the tax bureau's own system, as finance enters them.
from peewee import *


def up(migrator, db):
    class RedEntry(Model):
        id = CharField(primary_key=True, max_length=16)
        invoice_id = CharField(index=True, max_length=16)
        number = CharField(max_length=32)
        day = CharField(max_length=10)
        pdf_sealed = TextField()
        entered_by = CharField(max_length=64)
        entered_at = DateTimeField()
        class Meta:
            database = db
            table_name = 'invoice_red_entry'
    db.create_tables([RedEntry])


def down(migrator, db):
    migrator.migrate(migrator.drop_table('invoice_red_entry'))
