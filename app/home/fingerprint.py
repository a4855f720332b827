"""What the first screen is made of, as one row of SQL an enrolment: while it is the same, so is the screen.

It is read from the rows themselves, so that no writer has to remember to tell anybody: not a service, not a job, not
support's command line. `tests/home/` holds that every table the screen reads is in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from peewee import JOIN, SQL, Select, fn

from app.account.models import SESSION_COLUMNS, Consent, Person, Session
from app.announce.models import Announcement, AnnouncementRead
from app.announce.status import Status
from app.certificate.models import Proof
from app.core.db import database
from app.core.engines import Postgresql
from app.core.statement import Statement
from app.enrol.models import Enrolment, RosterEntry
from app.enrol.queries import sku
from app.exam.models import Attempt, AttemptGrant
from app.face.models import FaceRecord
from app.pay.models import Order, OrderLine, PaymentAttempt
from app.pay.status import AttemptStatus
from app.study.models import Course, Lesson, LessonProgress
from app.study.status import LASTING

Fingerprint = Sequence[tuple[Any, ...]]


# part of the text: a value that is always the same need not be sent each time
_DISPUTED, _ONE = SQL(f"'{AttemptStatus.DISPUTED}'"), SQL("1")
_SKU = SQL(f"'{sku('')}'")
_LASTING = [SQL(f"'{status}'") for status in LASTING]
_DRAFT = SQL(f"'{Status.DRAFT}'")
_ROOM = SQL("10000")  # more than a course has lessons: their number and their seconds in one sum


def _columns() -> list[Any]:
    studied, sat = LessonProgress.enrolment_id == Enrolment.id, Attempt.enrolment_id == Enrolment.id
    of_kind = (Course.programme == Enrolment.programme) & (Course.kind_code == Enrolment.kind_code)

    on_postgresql = isinstance(database.obj, Postgresql)
    ids = fn.STRING_AGG(PaymentAttempt.id, SQL("','")) if on_postgresql else fn.GROUP_CONCAT(PaymentAttempt.id)
    disputed = PaymentAttempt.select(ids).join(OrderLine, on=(OrderLine.order_id == PaymentAttempt.order_id))
    films = Lesson.select(fn.SUM(Lesson.seconds * _ROOM + _ONE)).join(Course)
    films = films.where(Lesson.status.in_(_LASTING))
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
        Consent.select(fn.COUNT(Consent.id)).where(Consent.person_id == Person.id),
        # what for, and what it costs
        Enrolment.id,
        Enrolment.status,
        Enrolment.version,
        Enrolment.order_id,
        Enrolment.certificate_expires_on,
        RosterEntry.certificate_no_sealed,
        Order.status,
        disputed.where(OrderLine.sku == _SKU.concat(Enrolment.id), PaymentAttempt.status == _DISPUTED),
        # how far: each write of these rows raises their revision, and a new row adds one
        films.where(of_kind),
        LessonProgress.select(fn.SUM(LessonProgress.revision + _ONE)).where(studied),
        Attempt.select(fn.SUM(Attempt.revision + _ONE)).where(sat),
        AttemptGrant.select(fn.COUNT(AttemptGrant.id)).where(AttemptGrant.enrolment_id == Enrolment.id),
        Proof.status,
        Proof.number,
        # what there is to read
        Announcement.select(fn.SUM(Announcement.revision)).where(Announcement.status != _DRAFT),
        AnnouncementRead.select(fn.COUNT(AnnouncementRead.id)).where(AnnouncementRead.person_id == Person.id),
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
    return _joined(Person.select(*_columns())).where(Person.id == slot)


def _of_session(slot: Any) -> Select:
    session = Session.select(*SESSION_COLUMNS, *_columns()).join(Person, on=(Person.id == Session.person_id))
    return _joined(session).where(Session.id == slot, Session.ended_at.is_null())


_READ, _READ_WITH_SESSION = Statement(_of_person), Statement(_of_session)
_MOMENTS = (Order.expires_at, Enrolment.study_deadline, Attempt.accepts_until)


def read(person_id: str) -> Fingerprint:
    """The person's fingerprint, as it is committed now."""
    return list(_READ(person_id).fetchall())


def with_session(session_id: str) -> Fingerprint:
    """The fingerprint of the session's person beside the session: the first screen is one way to the database."""
    return list(_READ_WITH_SESSION(session_id).fetchall())


def moments(fingerprint: Fingerprint) -> list[datetime]:
    """When an order, a study period or an open exam of these runs out."""
    found = (field.python_value(value) for row in fingerprint for field, value in zip(_MOMENTS, row, strict=False))
    return [moment for moment in found if moment is not None]
