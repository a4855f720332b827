"""Courses and lessons, and what each learner was credited."""

from __future__ import annotations

import hashlib

import peewee

from app.core.db import BaseModel, UtcField

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"


class Course(BaseModel):
    """What is studied for one kind of certificate of a programme. `opened_at`: when teaching staff opened it to those
    who had paid before it was there; None for one that came by a file, or is being prepared."""

    programme = peewee.CharField(32)
    kind_code = peewee.CharField(16)
    title = peewee.CharField(128)
    opened_at = UtcField(null=True)

    class Meta:
        indexes = ((("programme", "kind_code"), True),)


class Lesson(BaseModel):
    """One film. `video` is a file name in the video store; `seconds` its length, rounded up (draft: '' and 0).
    `number` orders the lessons of a course, those that were retired among them; what a learner reads is their place
    in the learner's own list. It is in the course of those who pay from `published_at` (None: always) until
    `retired_at` (docs/decisions/0067)."""

    course = peewee.ForeignKeyField(Course, backref="lessons", on_delete="CASCADE")
    number = peewee.IntegerField()
    title = peewee.CharField(128)
    seconds = peewee.IntegerField()
    video = peewee.CharField(96)
    status = peewee.CharField(16, default="published")
    film_id = peewee.CharField(16, null=True, index=True)
    published_at = UtcField(null=True)
    retired_at = UtcField(null=True)

    class Meta:
        indexes = ((("course", "number"), True),)


class Film(BaseModel):
    """A film that teaching staff upload for a programme, until it can be watched. `fingerprint`: by which the same
    file is known again after a reload; `received` of `size` bytes are there. `seconds`, `width`, `height` are read
    from the file, never from its name. `percent` of the step that runs; `failure`: why it cannot be watched, one of
    `status.Failure`. A worker has it while `lease` names it and `moved_at` is young."""

    programme = peewee.CharField(32)
    title = peewee.CharField(128)
    status = peewee.CharField(16)
    size = peewee.BigIntegerField()
    received = peewee.BigIntegerField(default=0)
    fingerprint = peewee.CharField(64)
    uploaded_by = peewee.CharField(40)
    created_at = UtcField()
    moved_at = UtcField()
    lease = peewee.CharField(16, null=True)
    tries = peewee.IntegerField(default=0)
    percent = peewee.IntegerField(default=0)
    failure = peewee.CharField(24, null=True)
    seconds = peewee.IntegerField(null=True)
    width = peewee.IntegerField(null=True)
    height = peewee.IntegerField(null=True)
    mp4_bytes = peewee.BigIntegerField(null=True)

    class Meta:
        indexes = ((("programme", "created_at"), False), (("status", "moved_at"), False))


class LessonProgress(BaseModel):
    """What one enrolment was credited of one lesson. The row is made at the first play and carries the rules it is
    credited under; `bitmap` only ever grows within an `epoch` (a purge empties it and raises the epoch). `revision`
    rises with each write: writers compare it, so that a merge never loses another's bits."""

    enrolment_id = peewee.CharField(16)
    lesson_id = peewee.CharField(16)
    person_id = peewee.CharField(16, index=True)
    seconds = peewee.IntegerField()
    chunk_seconds = peewee.IntegerField()
    needed_chunks = peewee.IntegerField()
    rate_percent = peewee.IntegerField()
    epoch = peewee.IntegerField(default=0)
    bitmap = peewee.BlobField(default=b"")
    credited_chunks = peewee.IntegerField(default=0)
    position = peewee.IntegerField(default=0)
    revision = peewee.IntegerField(default=0)
    updated_at = UtcField()
    completed_at = UtcField(null=True)

    class Meta:
        indexes = ((("enrolment_id", "lesson_id"), True),)

    @property
    def chunks(self) -> int:
        """How many chunks the lesson has; the last may be shorter."""
        return -(-self.seconds // self.chunk_seconds)


class Learner(BaseModel):
    """One person's study session and token bucket, from which the state in Redis is rebuilt. `id` is the person's.
    `bucket_ms` is the playable time, in milliseconds, that was left at `bucket_at_ms` (Unix time, Redis' clock; 0
    before the first flush: the bucket begins empty at the first play).
    `over_claimed` counts chunks that were reported sooner than they can have been watched."""

    started_at = UtcField()
    bucket_ms = peewee.IntegerField(default=0)
    bucket_at_ms = peewee.BigIntegerField(default=0)
    over_claimed = peewee.IntegerField(default=0)
    session = peewee.CharField(12, default="")
    device = peewee.CharField(12, default="")
    enrolment_id = peewee.CharField(16, default="")
    face_passed_at = UtcField(null=True)
    revision = peewee.IntegerField(default=0)


def progress_id(enrolment_id: str, lesson_id: str) -> str:
    """The id of the progress row: 80 bits of a hash, so that a row lost with a restored database gets the same id
    again at the next play, and what Redis holds under it is not orphaned."""
    digest = hashlib.sha256(f"{enrolment_id}:{lesson_id}".encode()).digest()
    number = int.from_bytes(digest[:10])
    return "".join(_ALPHABET[number >> shift & 31] for shift in range(75, -1, -5))
