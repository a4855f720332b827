"""Two clicks on a lesson at one moment, with one face pass."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from app.account.models import Person
from app.core.clock import utcnow
from app.core.errors import Problem
from app.core.ids import new_id
from app.enrol.models import Enrolment
from app.face import service as face
from app.face.models import FaceCheck
from app.face.status import CheckStatus
from app.study import service
from app.study.models import Course, Lesson
from tests.factories import a_person, an_enrolment
from tests.races import overtaken, unlocked
from tests.world import World


def a_lesson() -> Lesson:
    course = Course.create(programme="yunnan", kind_code="TJ", title="塔机司机继续教育")
    lesson: Lesson = Lesson.create(course=course, number=1, title="高处作业安全", seconds=600, video="height.mp4")
    return lesson


def a_pass(person: Person, enrolment: Enrolment, now: datetime) -> None:
    FaceCheck.create(
        person_id=person.id,
        programme=enrolment.programme,
        version=enrolment.version,
        purpose="study",
        subject=enrolment.id,
        method="picture",
        nonce_index=new_id(),
        status=CheckStatus.PASSED,
        created_at=now,
        passed_at=now,
        expires_at=now + timedelta(minutes=10),
    )


def second_click(world: World) -> Any:
    """What becomes of a second click while the first one has looked for a pass and not yet begun its session."""
    now, person, lesson = utcnow(), a_person(), a_lesson()
    enrolment = an_enrolment(person)
    a_pass(person, enrolment, now)

    def click() -> Any:
        return service.play(person.id, enrolment.id, lesson.id, device="phone-aaaa", take_over=False, now=now)

    with overtaken(face, "consume_pass", click) as second:
        click()
    return second[0]


def test_two_clicks_at_one_moment_use_one_pass(world: World) -> None:
    assert isinstance(second_click(world), service.Play)


def test_twin_without_the_lock_the_second_click_is_refused(world: World, servers_only: None) -> None:
    with unlocked():
        refused = second_click(world)
    assert isinstance(refused, Problem)
    assert refused.code == "face_check_needed"
