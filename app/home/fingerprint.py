"""What the first screen is made of, as one row of SQL an enrolment: while it is the same, so is the screen.

It is read from the rows themselves, so that no writer has to remember to tell anybody: not a service, not a job, not
support's command line. `tests/home/` holds that every table the screen reads is in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from peewee import JOIN, Select, fn

from app.account.models import SESSION_COLUMNS, Person, Session
from app.certificate.models import Proof
from app.core.statement import Statement
from app.enrol.models import Enrolment, RosterEntry
from app.exam.models import Attempt
from app.face.models import FaceRecord
from app.pay.models import Order, PaymentAttempt
from app.pay.status import AttemptStatus
from app.study.models import Course, Lesson, LessonProgress

Fingerprint = Sequence[tuple[Any, ...]]


def _columns(slot: Any) -> list[Any]:
    theirs = Order.alias("theirs")
    studied, sat = LessonProgress.enrolment_id == Enrolment.id, Attempt.enrolment_id == Enrolment.id
    of_kind = (Course.programme == Enrolment.programme) & (Course.kind_code == Enrolment.kind_code)

    def disputed(what: Any) -> Select:
        found = PaymentAttempt.select(what).join(theirs, on=(PaymentAttempt.order_id == theirs.id))
        return found.where(theirs.person_id == Person.id, PaymentAttempt.status == slot)

    def films(what: Any) -> Select:
        return Lesson.select(what).join(Course).where(of_kind)

    return [
        # moments at which the screen changes though no row does: see `moments`
        Order.expires_at,
        Enrolment.study_deadline,
        Attempt.select(fn.MIN(Attempt.accepts_until)).where(Attempt.open_person == Person.id),
        # who
        Person.name_sealed,
        Person.id_number_sealed,
        Person.phone_sealed,
        FaceRecord.photo_status,
        # what for, and what it costs
        Enrolment.id,
        Enrolment.status,
        Enrolment.version,
        Enrolment.order_id,
        Enrolment.certificate_expires_on,
        RosterEntry.certificate_no_sealed,
        Order.status,
        disputed(fn.COUNT(PaymentAttempt.id)),
        disputed(fn.MIN(PaymentAttempt.id)),
        disputed(fn.MAX(PaymentAttempt.id)),
        # how far: each write of these rows raises their revision
        films(fn.COUNT(Lesson.id)),
        films(fn.SUM(Lesson.seconds)),
        LessonProgress.select(fn.COUNT(LessonProgress.id)).where(studied),
        LessonProgress.select(fn.SUM(LessonProgress.revision)).where(studied),
        Attempt.select(fn.COUNT(Attempt.id)).where(sat),
        Attempt.select(fn.SUM(Attempt.revision)).where(sat),
        Proof.status,
        Proof.number,
    ]


def _joined(query: Select) -> Select:
    return (
        query.join(FaceRecord, JOIN.LEFT_OUTER, on=(FaceRecord.person_id == Person.id))
        .join(Enrolment, JOIN.LEFT_OUTER, on=(Enrolment.person_id == Person.id))
        .join(RosterEntry, JOIN.LEFT_OUTER, on=(RosterEntry.id == Enrolment.roster_entry_id))
        .join(Order, JOIN.LEFT_OUTER, on=(Order.id == Enrolment.order_id))
        .join(Proof, JOIN.LEFT_OUTER, on=(Proof.enrolment_id == Enrolment.id))
        .order_by(Enrolment.id)
    )


def _of_person(slot: Any) -> Select:
    return _joined(Person.select(*_columns(slot))).where(Person.id == slot)


def _of_session(slot: Any) -> Select:
    session = Session.select(*SESSION_COLUMNS, *_columns(slot)).join(Person, on=(Person.id == Session.person_id))
    return _joined(session).where(Session.id == slot, Session.ended_at.is_null())


_READ, _READ_WITH_SESSION = Statement(_of_person), Statement(_of_session)
_DISPUTED = (str(AttemptStatus.DISPUTED),) * 3
_MOMENTS = (Order.expires_at, Enrolment.study_deadline, Attempt.accepts_until)


def read(person_id: str) -> Fingerprint:
    """The person's fingerprint, as it is committed now."""
    return list(_READ(*_DISPUTED, person_id).fetchall())


def with_session(session_id: str) -> Fingerprint:
    """The fingerprint of the session's person beside the session: the first screen is one way to the database."""
    return list(_READ_WITH_SESSION(*_DISPUTED, session_id).fetchall())


def moments(fingerprint: Fingerprint) -> list[datetime]:
    """When an order, a study period or an open exam of these runs out."""
    found = (field.python_value(value) for row in fingerprint for field, value in zip(_MOMENTS, row, strict=False))
    return [moment for moment in found if moment is not None]
