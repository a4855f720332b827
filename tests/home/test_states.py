"""Under which heading a training stands, what is left of it, and the one thing to do next, with what it is done."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from app.certificate.models import Proof
from app.core.clock import utcnow
from app.enrol import service as enrol
from app.enrol.models import Enrolment
from app.exam.models import Attempt
from app.face.models import FaceRecord
from app.home import kept
from app.policy import load as policy
from app.study.models import Course, Lesson, LessonProgress
from tests.exam.rooms import Candidate, a_candidate
from tests.factories import a_person, a_roster_entry, an_enrolment, auth
from tests.world import World

PHONE = "0871-63122229"


@pytest.fixture
def candidate(world: World) -> Candidate:
    """Somebody with a photo who has studied everything."""
    kept.forget_all()
    found = a_candidate()
    FaceRecord.create(person_id=found.person.id, photo_status="confirmed")
    return found


def training(client: FlaskClient, candidate: Candidate) -> dict[str, Any]:
    (found,) = client.get("/api/v1/home", headers=auth(candidate.person)).get_json()["trainings"]
    shown: dict[str, Any] = found
    return shown


def step(shown: dict[str, Any]) -> dict[str, Any]:
    """The next step without what is empty and without its words."""
    return {name: value for name, value in shown["next"].items() if value is not None and name != "text"}


def over(candidate: Candidate) -> None:
    Enrolment.update(study_deadline=utcnow() - timedelta(seconds=1)).execute()


def lapsed(candidate: Candidate) -> None:
    over(candidate)
    assert enrol.lapse(now=utcnow()) == 1


def proved(candidate: Candidate) -> None:
    values = {"status": "valid", "number": "YN202100000001", "earned_at": utcnow(), "looked_at": utcnow()}
    Proof.create(
        enrolment_id=candidate.enrolment.id,
        person_id=candidate.person.id,
        programme="yunnan",
        version="2021-02-01",
        kind_code="TJ",
        **values,
    )


def all_used(candidate: Candidate) -> None:
    for _ in range(5):
        candidate.start()
        candidate.hand_in()


def passed(candidate: Candidate) -> None:
    candidate.start()
    candidate.hand_in(range(1, 51))


def passed_and_over(candidate: Candidate) -> None:
    passed(candidate)
    over(candidate)


def no_course(candidate: Candidate) -> None:
    LessonProgress.delete().execute()
    Lesson.delete().execute()
    Course.delete().execute()


STATES: dict[str, tuple[Callable[[Candidate], None], str, dict[str, Any]]] = {
    "ready for the exam": (lambda _: None, "in_progress", {"code": "exam", "subject": "TJ"}),
    "passed": (passed, "in_progress", {"code": "wait_proof"}),
    "passed before the period was over": (passed_and_over, "in_progress", {"code": "wait_proof"}),
    "with a proof": (proved, "done", {"code": "proof"}),
    "over, not yet found by the job": (over, "expired", {"code": "expired", "phone": PHONE}),
    "over": (lapsed, "expired", {"code": "expired", "phone": PHONE}),
    "no attempts left": (all_used, "in_progress", {"code": "make_up", "phone": PHONE}),
    "no course yet": (no_course, "in_progress", {"code": "wait_course", "phone": PHONE}),
}


@pytest.mark.parametrize("name", STATES)
def test_a_training_stands_under_its_heading_with_one_next_step(
    client: FlaskClient, candidate: Candidate, name: str
) -> None:
    make, state, next_ = STATES[name]
    make(candidate)
    shown = training(client, candidate)
    assert (shown["state"], step(shown)) == (state, next_)


@pytest.fixture
def no_proof(world: World, tmp_path: Path) -> Iterator[None]:
    """Yunnan gives no proof here."""
    shutil.copytree(world.settings.programmes_dir, tmp_path / "programmes")
    path = tmp_path / "programmes" / "yunnan" / "2021-02-01.toml"
    text = path.read_text(encoding="utf-8").replace(', "exam", "proof"]', ', "exam"]\nproof = "none"')
    path.write_text(re.sub(r"\n\[proof\]\n.*?\n\n", "\n\n", text, flags=re.DOTALL), encoding="utf-8")
    policy.init(tmp_path / "programmes")
    yield
    policy.init(world.settings.programmes_dir)


def test_where_a_programme_gives_no_proof_a_pass_is_the_end_and_nobody_waits_for_one(
    client: FlaskClient, no_proof: None, candidate: Candidate
) -> None:
    passed(candidate)
    shown = training(client, candidate)
    assert (shown["state"], step(shown)) == ("done", {"code": "finished"})
    assert [stage["title"] for stage in shown["stages"]][-1] == "考试"


def test_an_expired_training_is_called_so_before_the_job_has_found_it(
    client: FlaskClient, candidate: Candidate
) -> None:
    over(candidate)
    shown = training(client, candidate)
    assert (shown["status"], shown["status_text"], shown["days_left"]) == ("lapsed", "已过期", None)


def test_an_open_exam_comes_before_everything_and_names_itself(client: FlaskClient, candidate: Candidate) -> None:
    attempt = candidate.start()
    FaceRecord.delete().execute()
    over(candidate)
    shown = training(client, candidate)
    assert step(shown) == {"code": "exam", "subject": "TJ", "attempt_id": attempt.id}
    assert shown["attempts_left"] == 4


def test_attempts_left_count_down_and_are_of_no_interest_once_passed(
    client: FlaskClient, candidate: Candidate
) -> None:
    assert training(client, candidate)["attempts_left"] == 5
    candidate.start()
    candidate.hand_in()
    assert training(client, candidate)["attempts_left"] == 4
    passed(candidate)
    assert Attempt.select().where(Attempt.passed).count() == 1
    assert training(client, candidate)["attempts_left"] is None


def test_what_is_left_to_study_is_told_with_the_lesson_to_go_on_with(client: FlaskClient, world: World) -> None:
    kept.forget_all()
    person = a_person()
    FaceRecord.create(person_id=person.id, photo_status="confirmed")
    enrolment = an_enrolment(person, entry=a_roster_entry(person))
    course = Course.create(programme="yunnan", kind_code="TJ", title="塔机司机")
    lessons = [
        Lesson.create(course=course, number=number, title=f"第{number}课", seconds=600, video=f"{number}.mp4")
        for number in (1, 2)
    ]
    (shown,) = client.get("/api/v1/home", headers=auth(person)).get_json()["trainings"]
    assert (shown["enrolment_id"], shown["study_seconds_left"]) == (enrolment.id, 1200)
    assert step(shown) == {"code": "study", "lesson_id": lessons[0].id}
