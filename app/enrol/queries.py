"""Named reads of roster and enrolments."""

from __future__ import annotations

from app.core.errors import NOT_FOUND
from app.enrol.models import Enrolment, EnrolmentEvent


def of_person(person_id: str) -> list[Enrolment]:
    """The person's enrolments, in every programme, newest first."""
    return list(Enrolment.select().where(Enrolment.person_id == person_id).order_by(Enrolment.id.desc()))


def owned(enrolment_ids: list[str], person_id: str) -> list[Enrolment]:
    """These enrolments, in this order. Raises `NOT_FOUND` if one is missing or another person's."""
    found = {row.id: row for row in Enrolment.select().where(Enrolment.id.in_(enrolment_ids))}
    if any(row_id not in found or found[row_id].person_id != person_id for row_id in enrolment_ids):
        raise NOT_FOUND("没有找到这项报名，请刷新页面后重试。")
    return [found[row_id] for row_id in enrolment_ids]


def history(enrolment_id: str) -> list[EnrolmentEvent]:
    """The enrolment's history, oldest first."""
    query = EnrolmentEvent.select().where(EnrolmentEvent.enrolment_id == enrolment_id)
    return list(query.order_by(EnrolmentEvent.id))
