"""The question bank, and the attempts with their papers and history."""

from __future__ import annotations

import peewee

from app.core.db import BaseModel, UtcField


class QuestionImport(BaseModel):
    """One imported file that went into the bank. `actor` as in the audit log; counts are questions."""

    programme = peewee.CharField(32)
    file_sha256 = peewee.CharField(64)
    actor = peewee.CharField(40)
    imported_at = UtcField()
    added = peewee.IntegerField()
    changed = peewee.IntegerField()
    unchanged = peewee.IntegerField()
    retired = peewee.IntegerField()


class Question(BaseModel):
    """A question of a subject, known by its type and stem (`stem_sha256`); `version_id` is the version drawn now,
    unless it is retired."""

    programme = peewee.CharField(32)
    subject = peewee.CharField(32)
    type = peewee.CharField(8)
    stem_sha256 = peewee.CharField(64)
    version_id = peewee.CharField(16)
    active = peewee.BooleanField(default=True)

    class Meta:
        indexes = ((("programme", "subject", "type", "stem_sha256"), True),)


class QuestionVersion(BaseModel):
    """The text of a question: written once, never changed. `options` is a JSON list, `mask` marks the right ones
    (bit 0 is the first). `knowledge_point`: what it is about, in the centre's own words."""

    question_id = peewee.CharField(16, index=True)
    number = peewee.IntegerField()
    type = peewee.CharField(8)
    stem = peewee.TextField()
    options = peewee.TextField()
    mask = peewee.IntegerField()
    explanation = peewee.TextField()
    knowledge_point = peewee.CharField(100, null=True)
    import_id = peewee.CharField(16)


class Attempt(BaseModel):
    """One sitting of one subject. `key` and `answers` are packed (see scoring.py); `revision` counts the writes of
    the row, so that none overwrites another. `open_person` is the person while the attempt is open: unique, it is
    the lease that allows one open exam a person. `deadline` never moves; `accepts_until` is the deadline and the
    programme's grace. `seen_at`: the last sign of the person's page."""

    enrolment_id = peewee.CharField(16)
    person_id = peewee.CharField(16)
    programme = peewee.CharField(32)
    version = peewee.CharField(10)
    kind_code = peewee.CharField(32)
    subject = peewee.CharField(32)
    number = peewee.IntegerField()
    open_person = peewee.CharField(16, null=True, unique=True)
    status = peewee.CharField(16)
    revision = peewee.IntegerField(default=0)
    started_at = UtcField()
    deadline = UtcField()
    accepts_until = UtcField()
    seen_at = UtcField()
    finished_at = UtcField(null=True)
    score = peewee.IntegerField(null=True)
    passed = peewee.BooleanField(null=True)
    key = peewee.BlobField()
    answers = peewee.BlobField()

    class Meta:
        indexes = ((("enrolment_id", "subject", "number"), True), (("status", "accepts_until"), False))


class AttemptPaper(BaseModel):
    """The frozen paper of the attempt with the same id. `questions` is JSON: [[question version id, order of its
    options], …] in the paper's order; `seed` is what it was drawn with."""

    seed = peewee.CharField(32)
    questions = peewee.TextField()


class AttemptEvent(BaseModel):
    """One line of an attempt's history: its start, and its one end; `at` is when we wrote it."""

    attempt_id = peewee.CharField(16, index=True)
    at = UtcField()
    action = peewee.CharField(16)
    status = peewee.CharField(16)
    score = peewee.IntegerField(null=True)


class AttemptGrant(BaseModel):
    """An attempt more in the subject of the attempt with the same id, which was lost through no fault of the person's
    (a crash, a network): one for each attempt, ever. `evidence`: what shows it, in the staff's words."""

    enrolment_id = peewee.CharField(16)
    subject = peewee.CharField(32)
    actor = peewee.CharField(40)
    reason = peewee.CharField(32)
    evidence = peewee.CharField(200)
    at = UtcField()

    class Meta:
        indexes = ((("enrolment_id", "subject"), False),)
