# Written by hand: PostgreSQL only, no model changes.
# Rows of progress are updated all the time; with room in their page an update touches no index.
import peewee

TABLES = ("lesson_progress", "learner")


def _set(db, what):
    if isinstance(db, peewee.PostgresqlDatabase):
        for table in TABLES:
            db.execute_sql(f"ALTER TABLE {table} {what}")


def up(migrator, db):
    _set(db, "SET (fillfactor = 70)")


def down(migrator, db):
    _set(db, "RESET (fillfactor)")
