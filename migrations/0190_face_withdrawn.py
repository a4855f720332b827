# When the consent to face data was taken back, until the pictures are deleted.
from peewee import *


def up(migrator, db):
    migrator.migrate(
        migrator.add_column('face_record', 'withdrawn_at', DateTimeField(null=True)),
        migrator.add_index('face_record', ('withdrawn_at',), False),
    )
    ask_for_those_of_before(db)


def ask_for_those_of_before(db):
    """Who took it back before there was this column; of the consents only that one can be taken back."""
    db.execute_sql(
        "UPDATE face_record SET withdrawn_at = CURRENT_TIMESTAMP "
        "WHERE person_id IN (SELECT substr(subject, 8) FROM audit_entry WHERE action = 'consent.withdrawn') "
        "AND person_id NOT IN (SELECT person_id FROM consent WHERE kind = 'face')"
    )


def down(migrator, db):
    migrator.migrate(
        migrator.drop_index('face_record', 'face_record_withdrawn_at'),
        migrator.drop_column('face_record', 'withdrawn_at'),
    )
