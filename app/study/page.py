"""The training page: the lessons of one enrolment, what is needed, until when, and what is against studying now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from app.core.errors import ProblemKind
from app.enrol import queries as enrolments
from app.enrol import service as enrol
from app.policy import rules
from app.policy.schema import Programme, Study
from app.study import service
from app.study.service import LessonState, Summary

FaceOnWeb = Literal["phone_qr", "camera", "none"]


@dataclass(frozen=True)
class Page:
    """`refusal`: why the person cannot study now; what was learnt is shown all the same. `study`: the programme's
    rules. `saved_at`: when SQL last took something of this enrolment. `contact`: whom to call about studying."""

    title: str
    kind: str
    certificate_no: str
    study: Study
    face_on_web: FaceOnWeb
    refusal: ProblemKind | None
    study_deadline: datetime | None
    days_left: int | None
    saved_at: datetime | None
    contact: str
    summary: Summary
    lessons: list[LessonState]


def page(person_id: str, enrolment_id: str, *, now: datetime) -> Page:
    """The person's page. Raises `NOT_FOUND`, `NO_COURSE`."""
    (card,) = enrolments.cards(enrolments.owned([enrolment_id], person_id), now=now)
    summary, lessons = service.overview(person_id, enrolment_id)
    row, study = card.enrolment, card.programme.study
    assert study is not None, "a programme with courses has study"
    refusal = enrol.study_refusal(row, now=now)
    deadline: datetime | None = row.study_deadline
    return Page(
        title=card.programme.title,
        kind=card.kind_title,
        certificate_no=card.certificate_no,
        study=study,
        face_on_web=_face_on_web(card.programme, now),
        refusal=refusal,
        study_deadline=deadline,
        days_left=max(0, (deadline - now).days) if deadline and refusal is None else None,
        saved_at=max((lesson.saved_at for lesson in lessons if lesson.saved_at), default=None),
        contact=card.contact,
        summary=summary,
        lessons=lessons,
    )


def _face_on_web(programme: Programme, now: datetime) -> FaceOnWeb:
    """How a computer's page checks the face before studying."""
    if programme.face is None or not rules.face_check_due(programme, "study_now", None, now):
        return "none"
    return "phone_qr" if programme.face.web_by_phone_qr else "camera"


def follows(lessons: list[LessonState], lesson_id: str) -> str | None:
    """The lesson to play when this one is done: the next that is not, from the front again at the end."""
    place = next(place for place, lesson in enumerate(lessons) if lesson.id == lesson_id)
    rest = lessons[place + 1 :] + lessons[:place]
    return next((lesson.id for lesson in rest if not lesson.done), None)
