# Generated from a schema diff on 2026-11-26 04:25.
# Films, the states of lessons, announcements, days of the calendar, knowledge points.
from peewee import *


def up(migrator, db):
    class Announcement(Model):
        id = CharField(primary_key=True, max_length=16)
        programme = CharField(max_length=32)
        title = CharField(max_length=64)
        body = TextField()
        status = CharField(max_length=16)
        starts_at = DateTimeField()
        ends_at = DateTimeField(null=True)
        revision = IntegerField(default=0)
        written_by = CharField(max_length=40)
        written_at = DateTimeField()
        published_by = CharField(null=True, max_length=40)
        published_at = DateTimeField(null=True)
        withdrawn_at = DateTimeField(null=True)
        class Meta:
            database = db
            table_name = 'announcement'
            indexes = ((('status', 'programme'), False),)
    db.create_tables([Announcement])

    class AnnouncementRead(Model):
        id = CharField(primary_key=True, max_length=16)
        announcement_id = CharField(max_length=16)
        person_id = CharField(index=True, max_length=16)
        read_at = DateTimeField()
        class Meta:
            database = db
            table_name = 'announcement_read'
            indexes = ((('announcement_id', 'person_id'), True),)
    db.create_tables([AnnouncementRead])

    class CalendarDay(Model):
        id = CharField(primary_key=True, max_length=16)
        day = DateField(unique=True)
        working = BooleanField()
        note = CharField(max_length=64)
        class Meta:
            database = db
            table_name = 'calendar_day'
    db.create_tables([CalendarDay])

    class Film(Model):
        id = CharField(primary_key=True, max_length=16)
        programme = CharField(max_length=32)
        title = CharField(max_length=128)
        status = CharField(max_length=16)
        size = BigIntegerField()
        received = BigIntegerField(default=0)
        fingerprint = CharField(max_length=64)
        uploaded_by = CharField(max_length=40)
        created_at = DateTimeField()
        moved_at = DateTimeField()
        lease = CharField(null=True, max_length=16)
        tries = IntegerField(default=0)
        percent = IntegerField(default=0)
        failure = CharField(null=True, max_length=24)
        seconds = IntegerField(null=True)
        width = IntegerField(null=True)
        height = IntegerField(null=True)
        mp4_bytes = BigIntegerField(null=True)
        class Meta:
            database = db
            table_name = 'film'
            indexes = ((('programme', 'created_at'), False), (('status', 'moved_at'), False))
    db.create_tables([Film])

    migrator.migrate(migrator.add_column('course', 'opened_at', DateTimeField(null=True)))
    migrator.migrate(migrator.add_column(
        'lesson', 'status', CharField(max_length=16, default='published', constraints=[SQL("DEFAULT 'published'")])
    ))
    migrator.migrate(migrator.add_column('lesson', 'film_id', CharField(index=True, null=True, max_length=16)))
    migrator.migrate(migrator.add_column('lesson', 'published_at', DateTimeField(null=True)))
    migrator.migrate(migrator.add_column('lesson', 'retired_at', DateTimeField(null=True)))
    migrator.migrate(migrator.add_column('question_version', 'knowledge_point', CharField(null=True, max_length=100)))


def down(migrator, db):
    migrator.migrate(migrator.drop_index('lesson', 'lesson_film_id'))
    migrator.migrate(migrator.drop_column('question_version', 'knowledge_point'))
    migrator.migrate(migrator.drop_column('lesson', 'retired_at'))
    migrator.migrate(migrator.drop_column('lesson', 'published_at'))
    migrator.migrate(migrator.drop_column('lesson', 'film_id'))
    migrator.migrate(migrator.drop_column('lesson', 'status'))
    migrator.migrate(migrator.drop_column('course', 'opened_at'))
    migrator.migrate(migrator.drop_table('film'))
    migrator.migrate(migrator.drop_table('calendar_day'))
    migrator.migrate(migrator.drop_table('announcement_read'))
    migrator.migrate(migrator.drop_table('announcement'))
