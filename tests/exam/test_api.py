"""The exam over HTTP."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from flask.testing import FlaskClient

from app.account import service as account
from app.core.clock import utcnow
from app.enrol.models import Enrolment
from app.exam import steps
from app.policy import load
from app.policy.parties import Subject
from app.policy.schema import Programme
from app.study.models import Course, Lesson, LessonProgress
from tests.exam.rooms import Candidate, a_candidate
from tests.factories import NOW, a_person, auth
from tests.world import World


class Page:
    """One person's client."""

    def __init__(self, world: World, candidate: Candidate) -> None:
        self.client: FlaskClient = world.app.test_client()
        self.candidate, self.headers = candidate, auth(candidate.person)

    def call(self, method: str, path: str, body: Any = None, **more: Any) -> tuple[int, Any]:
        answer = self.client.open(f"/api/v1{path}", method=method, json=body, headers=self.headers, **more)
        return answer.status_code, answer.json

    def start(self) -> dict[str, Any]:
        status, paper = self.call("POST", f"/enrolments/{self.candidate.enrolment.id}/attempts", {"subject": "TJ"})
        assert status == 200, paper
        self.candidate.attempt_id = paper["attempt_id"]
        found: dict[str, Any] = paper
        return found


@pytest.fixture
def page(world: World) -> Page:
    return Page(world, a_candidate())


def test_an_exam_is_taken_from_the_start_to_the_score(page: Page) -> None:
    status, exam = page.call("GET", f"/enrolments/{page.candidate.enrolment.id}/exam")
    assert (status, exam["minutes"], exam["pass_score"], exam["subjects"][0]["refusal"]) == (200, 120, 60, None)
    paper = page.start()
    assert len(paper["questions"]) == 50
    assert 7190 <= paper["seconds_left"] <= 7200
    attempt = f"/attempts/{paper['attempt_id']}"
    for number in range(1, 21):
        body = {"choice": page.candidate.right(number), "version": 0}
        status, saved = page.call("PUT", f"{attempt}/answers/{number}", body)
        assert (status, saved["version"]) == (200, 1)
    status, again = page.call("GET", attempt)
    assert again["questions"] == paper["questions"]
    assert [answer["number"] for answer in again["answers"]] == list(range(1, 21))
    rest = [{"number": n, "choice": page.candidate.right(n), "version": 0} for n in range(21, 46)]
    status, result = page.call("POST", f"{attempt}/hand-in", {"answers": rest})
    assert (status, result["score"], result["passed"], result["best_score"], result["attempts_left"]) == (
        200,
        90,
        True,
        90,
        4,
    )
    assert page.call("POST", f"{attempt}/hand-in", {"answers": rest}) == (200, result)
    assert page.call("POST", f"{attempt}/hand-in") == (200, result)
    status, problem = page.call("GET", attempt)
    assert (status, problem["code"], problem["result"]["score"]) == (409, "exam_handed_in", 90)
    assert page.call("GET", f"/enrolments/{page.candidate.enrolment.id}/exam")[1]["subjects"][0]["notice"]


def test_a_second_tab_is_told_the_current_answer(page: Page) -> None:
    url = f"/attempts/{page.start()['attempt_id']}/answers/3"
    assert page.call("PUT", url, {"choice": "A", "version": 0})[0] == 200
    status, problem = page.call("PUT", url, {"choice": "B", "version": 0})
    assert (status, problem["code"], problem["answer"]) == (
        409,
        "answer_conflict",
        {"number": 3, "choice": "A", "version": 1},
    )


def test_another_persons_attempt_is_not_found(world: World, page: Page) -> None:
    paper = page.start()
    other = Page(world, a_candidate())
    attempt = f"/attempts/{paper['attempt_id']}"
    calls = [
        ("GET", attempt, None),
        ("POST", f"{attempt}/alive", None),
        ("PUT", f"{attempt}/answers/1", {"choice": "A", "version": 0}),
        ("POST", f"{attempt}/hand-in", {}),
        ("POST", f"{attempt}/leave", None),
        ("GET", f"/enrolments/{page.candidate.enrolment.id}/exam", None),
        ("POST", f"/enrolments/{page.candidate.enrolment.id}/attempts", {"subject": "TJ"}),
    ]
    assert [other.call(*call)[0] for call in calls] == [404] * len(calls)
    other.headers = {}
    assert [other.call(*call)[0] for call in calls] == [401] * len(calls)
    other.headers = auth(a_person(activated=False), activated=False)
    assert [other.call(*call)[0] for call in calls] == [403] * len(calls)


HOSTILE: list[tuple[bytes, int]] = [
    (b"", 422),
    (b"{", 400),
    (b"null", 422),
    (b"[]", 422),
    (b'{"choice":"A"}', 422),
    (b'{"choice":"A","version":-1}', 422),
    (b'{"choice":"A","version":1e400}', 422),
    (b'{"choice":"A","version":65536}', 422),
    (b'{"choice":["A"],"version":0}', 422),
    (b'{"choice":"\\ud800","version":0}', 400),
    (b'{"choice":"ABCDEFG","version":0}', 422),
    (b'{"choice":"A","version":"0"}', 422),
    (b"\xff\xfe", 400),
    (b"[" * 900, 422),
    (b'{"choice":"A","version":0}' + b" " * 2000, 413),
]


@pytest.mark.parametrize(("body", "expected"), HOSTILE)
def test_hostile_answers_are_refused_with_a_sentence(page: Page, body: bytes, expected: int) -> None:
    url = f"/api/v1/attempts/{page.start()['attempt_id']}/answers/1"
    answer = page.client.put(url, data=body, headers=page.headers, content_type="application/json")
    assert (answer.status_code, answer.content_type) == (expected, "application/problem+json")
    assert page.candidate.saved(1) == (0, 0)


def test_hostile_hand_ins_change_nothing(page: Page) -> None:
    url = f"/attempts/{page.start()['attempt_id']}/hand-in"
    right = page.candidate.right(1)
    for answers in (
        [{"number": 51, "choice": "A", "version": 0}],
        [{"number": 1, "choice": "AB", "version": 0}],
        [{"number": 0, "choice": "A", "version": 0}],
        "A",
        [{"number": 1, "choice": right, "version": 0}] * 1001,
    ):
        assert page.call("POST", url, {"answers": answers})[0] in (404, 422)
    assert page.candidate.row().status == "open"
    # score and key in a body are ignored
    status, result = page.call("POST", url, {"answers": [], "score": 100, "passed": True})
    assert (status, result["score"], result["passed"]) == (200, 0, False)


def test_leaving_and_signs_of_life(page: Page) -> None:
    attempt = f"/attempts/{page.start()['attempt_id']}"
    status, sign = page.call("POST", f"{attempt}/alive")
    assert (status, sign["status"]) == (200, "open")
    status, left = page.call("POST", f"{attempt}/leave")
    assert (status, left["result"]["status"], left["result"]["score"]) == (200, "left", 0)
    status, after = page.call("POST", f"{attempt}/alive")
    assert (status, after["status"], after["seconds_left"]) == (200, "left", 0)


def test_the_phones_clock_moves_no_deadline(page: Page) -> None:
    paper = page.start()
    attempt = f"/attempts/{paper['attempt_id']}"
    for year in ("1999", "2099"):
        page.headers |= {"Date": f"Fri, 01 Jan {year} 00:00:00 GMT"}
        body = {"choice": "A", "version": 0, "now": f"{year}-01-01T00:00:00+08:00", "deadline": 0}
        assert 7190 <= page.call("PUT", f"{attempt}/answers/1", body)[1]["seconds_left"] <= 7200
        assert page.call("GET", attempt)[1]["deadline"] == paper["deadline"]


def test_the_routes_are_described(world: World) -> None:
    spec: Any = world.app.spec
    paths = spec["paths"]
    body = paths["/api/v1/attempts/{attempt_id}/answers/{number}"]["put"]["requestBody"]
    assert body["content"]["application/json"]["schema"]["$ref"].endswith("AnswerIn")
    assert "/api/v1/attempts/{attempt_id}/hand-in" in paths


def subject(page: Page) -> dict[str, Any]:
    status, exam = page.call("GET", f"/enrolments/{page.candidate.enrolment.id}/exam")
    assert status == 200, exam
    found: dict[str, Any] = exam["subjects"][0]
    return found


def step(shown: dict[str, Any]) -> dict[str, Any]:
    """The next step without what is empty and without its words."""
    return {name: value for name, value in shown["next"].items() if value is not None and name != "text"}


def test_the_exam_page_tells_the_notice_in_the_programmes_numbers(page: Page) -> None:
    _, exam = page.call("GET", f"/enrolments/{page.candidate.enrolment.id}/exam")
    assert (exam["kind"], exam["question_count"], exam["minutes"], exam["attempts"]) == ("塔机司机", 50, 120, 5)
    assert exam["leave_text"] == "中途退出的，消耗一次机会，本次计 0 分。"
    assert exam["leave_text"] in exam["notice"]
    assert any("60 分及格" in sentence for sentence in exam["notice"])
    assert exam["study_deadline"] > exam["server_now"]


def test_each_subject_has_one_next_step_and_it_leads_where_the_start_would(page: Page) -> None:
    assert step(subject(page)) == {"code": "start", "subject": "TJ"}
    attempt = page.start()["attempt_id"]
    assert step(subject(page)) == {"code": "resume", "subject": "TJ", "attempt_id": attempt}
    status, result = page.call("POST", f"/attempts/{attempt}/hand-in")
    assert (status, result["total_score"], result["subject_title"]) == (200, 100, "塔机司机")
    assert step(result) == {"code": "again", "subject": "TJ"}
    for _ in range(4):
        page.start()
        _, result = page.call("POST", f"/attempts/{page.candidate.attempt_id}/hand-in")
    assert step(result)["code"] == step(subject(page))["code"] == "make_up"
    assert subject(page)["next"]["phone"] == "0871-63122229"


def test_a_pass_of_every_subject_leads_to_the_proof(page: Page) -> None:
    page.start()
    rest = [{"number": n, "choice": page.candidate.right(n), "version": 0} for n in range(1, 46)]
    _, result = page.call("POST", f"/attempts/{page.candidate.attempt_id}/hand-in", {"answers": rest})
    assert (result["passed"], step(result)) == (True, {"code": "proof"})
    _, problem = page.call("GET", f"/attempts/{page.candidate.attempt_id}")
    assert step(problem["result"]) == {"code": "proof"}, "the same after a crash on the result page"
    assert step(subject(page)) == {"code": "passed", "subject": "TJ"}


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"status": "signed_up"}, "not_paid_yet"),
        ({"status": "lapsed"}, "study_period_over"),
        ({"study_deadline": NOW}, "study_period_over"),
        ({"status": "passed", "study_deadline": NOW}, "study_period_over"),
    ],
)
def test_what_is_against_an_exam_stands_on_its_page_as_the_start_would_say_it(
    page: Page, values: dict[str, Any], code: str
) -> None:
    Enrolment.update(**values).execute()
    assert (subject(page)["refusal"], subject(page)["refusal_text"][-1]) == (code, "。")
    status, problem = page.call("POST", f"/enrolments/{page.candidate.enrolment.id}/attempts", {"subject": "TJ"})
    assert (status, problem["code"]) == (409, code)


def test_without_a_course_the_page_says_so_and_the_rest_is_there(page: Page) -> None:
    for model in (LessonProgress, Lesson, Course):
        model.delete().execute()
    assert (subject(page)["refusal"], step(subject(page))["code"]) == ("no_course", "wait_course")


def two_subjects() -> Programme:
    """Yunnan, whose kinds have another subject."""
    programme = load.in_force("yunnan", NOW)
    kinds = [msgspec.structs.replace(kind, subjects=(*kind.subjects, Subject(code="X", title="法规")))
             for kind in programme.certificate_kinds]  # fmt: skip
    return msgspec.structs.replace(programme, certificate_kinds=tuple(kinds))


def of_subject(programme: Programme, passed: set[str]) -> steps.Step:
    return steps.of_subject(programme, "TJ", "TJ", refusal=None, passed=passed, mine=None, other=None)


def test_a_passed_subject_leads_to_the_proof_only_once_every_subject_is_passed() -> None:
    two = two_subjects()
    told = of_subject(two, {"TJ"})
    assert (told.code, told.text) == ("settled", "再考过“法规”，出具资格证明")
    assert of_subject(two, {"TJ", "X"}).code == "passed"


def test_where_a_programme_gives_no_proof_nothing_leads_to_one() -> None:
    bare = msgspec.structs.replace(two_subjects(), proof=None)
    assert "证明" not in of_subject(bare, {"TJ"}).text
    assert of_subject(bare, {"TJ", "X"}).code == "settled"
    assert steps.after(bare, "TJ", "X", passed={"TJ", "X"}, attempts_left=3).code == "settled"


def test_several_subjects_lead_to_the_next_one_that_is_open() -> None:
    two = two_subjects()
    told = steps.after(two, "TJ", "TJ", passed={"TJ"}, attempts_left=3)
    assert (told.code, told.subject, told.text) == ("other_subject", "X", "去考“法规”")
    assert steps.after(two, "TJ", "X", passed={"TJ"}, attempts_left=3).code == "again"
    assert steps.after(two, "TJ", "X", passed={"TJ", "X"}, attempts_left=3).code == "proof"


def test_nobody_begins_an_exam_who_took_back_the_consent_to_face_data(page: Page) -> None:
    person = page.candidate.person
    account.withdraw_consent(person.id, "face", now=utcnow())
    status, said = page.call("POST", f"/enrolments/{page.candidate.enrolment.id}/attempts", {"subject": "TJ"})
    assert (status, said["code"]) == (403, "consent_needed")
    mine = subject(page)
    assert (mine["refusal"], mine["next"]["code"]) == ("consent_needed", "photo")
    account.give_consent(person.id, "face", account.CONSENT_VERSIONS["face"], now=utcnow())
    assert subject(page)["next"]["code"] == "start"
    page.start()
    account.withdraw_consent(person.id, "face", now=utcnow())
    assert subject(page)["next"]["code"] == "resume", "what was begun is not lost"
