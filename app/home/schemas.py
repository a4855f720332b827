"""What the first screen gives."""

from __future__ import annotations

from typing import Any

from apiflask import Schema
from apiflask.fields import Boolean, Function, Integer, List, Nested, String

from app.core.clock import iso

_MAYBE: dict[str, Any] = {"allow_none": True}


class MeOut(Schema):
    name = String()
    id_number = String(**_MAYBE)
    phone = String(**_MAYBE)
    photo = Boolean(metadata={"description": "是否已有通过核验的头像"})


class StageOut(Schema):
    title = String()
    done = Boolean()


class StepOut(Schema):
    code = String()
    text = String()


class SubjectOut(Schema):
    subject = String()
    title = String()
    best_score = Integer(**_MAYBE)
    attempts_left = Integer(**_MAYBE)
    passed = Boolean()


class TrainingOut(Schema):
    enrolment_id = String()
    title = String()
    kind = String()
    certificate_no = String()
    status = String()
    status_text = String()
    stages = List(Nested(StageOut))
    next = Nested(StepOut)
    order_id = String(**_MAYBE)
    study_deadline = Function(
        lambda row: iso(row.study_deadline) if row.study_deadline else None,
        metadata={"type": ["string", "null"], "format": "date-time"},
    )
    days_left = Integer(**_MAYBE)
    percent = Integer()
    lessons = Integer()
    lessons_done = Integer()
    subjects = List(Nested(SubjectOut))
    proof_number = String(**_MAYBE)
    warning = String(**_MAYBE)
    contact = String()


class HomeOut(Schema):
    me = Nested(MeOut)
    trainings = List(Nested(TrainingOut))
    server_now = String()
