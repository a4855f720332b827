"""Study over HTTP: lessons, play, heartbeat; whose it is, and what hostile bodies get."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import redis
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.account import service as account
from app.core import redis as redis_clients
from app.core.clock import utcnow
from app.core.errors import Problem
from app.core.ids import new_id
from app.enrol.models import Enrolment
from app.face.models import FaceCheck
from app.face.status import CheckStatus
from app.study import flush, heartbeat, service, store
from app.study.models import Course, Lesson, LessonProgress
from app.study.tickets import sign_play
from tests.factories import a_person, an_enrolment, auth
from tests.study.phones import Clock, a_clock, a_phone, changed, chunks_of, with_face_until
from tests.world import World


@pytest.fixture
def moving(world: World) -> Iterator[Clock]:
    """Redis' clock beginning now, in the test's hand."""
    with a_clock(utcnow()) as clock:
        yield clock


@dataclass
class Student:
    """A signed-in trainee with a paid enrolment of a course of two lessons (60 s and 35 s)."""

    client: FlaskClient
    enrolment: Enrolment
    lessons: list[Lesson]
    headers: dict[str, str]

    def face_pass(self) -> None:
        """A passed face check for studying."""
        a_face_pass(self.enrolment)

    def play(self, lesson: int = 0, **body: Any) -> TestResponse:
        path = f"/api/v1/enrolments/{self.enrolment.id}/lessons/{self.lessons[lesson].id}/play"
        return self.client.post(path, json={"device": "phone-aaaa", **body}, headers=self.headers)

    def ticket(self, lesson: int = 0, **body: Any) -> str:
        answer = self.play(lesson, **body)
        assert answer.status_code == 200, answer.get_data(as_text=True)
        return str(answer.get_json()["ticket"])

    def beat(self, ticket: str, chunks: list[int], **more: Any) -> TestResponse:
        return self.client.post("/api/v1/heartbeat", json={"ticket": ticket, "chunks": chunks, **more})

    def overview(self) -> dict[str, Any]:
        answer = self.client.get(f"/api/v1/enrolments/{self.enrolment.id}/lessons", headers=self.headers)
        assert answer.status_code == 200, answer.get_data(as_text=True)
        body: dict[str, Any] = answer.get_json()
        return body


def a_face_pass(enrolment: Enrolment, *, now: datetime | None = None) -> None:
    now = now or utcnow()
    FaceCheck.create(
        person_id=enrolment.person_id,
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


@pytest.fixture
def student(client: FlaskClient) -> Student:
    person = a_person()
    enrolment = an_enrolment(person, now=utcnow())
    course = Course.create(programme="yunnan", kind_code=enrolment.kind_code, title="塔机司机")
    lessons = [
        Lesson.create(course=course, number=1, title="塔机安全", seconds=60, video="one.mp4"),
        Lesson.create(course=course, number=2, title="吊装作业", seconds=35, video="two.mp4"),
    ]
    return Student(client, enrolment, lessons, auth(person))


def code(answer: TestResponse) -> tuple[int, str]:
    assert answer.content_type == "application/problem+json"
    return answer.status_code, answer.get_json()["code"]


def test_a_course_is_studied_to_its_end(student: Student, moving: Clock) -> None:
    student.face_pass()
    play = student.play().get_json()
    assert play["chunks"] == 6
    assert play["resume_at"] == 0
    assert play["watched"] == ""
    moving.forward(60)
    answer = student.beat(play["ticket"], [0, 1, 2, 3, 4, 5], position=60).get_json()
    assert (answer["next"], answer["percent"], answer["refused"]) == ("done", 100, [])
    assert student.overview()["items"][0]["done"], "the screen does not wait for the flusher"
    assert not service.is_complete(student.enrolment.id)
    second = student.ticket(1)
    moving.forward(35)
    answer = student.beat(second, [0, 1, 2, 3], position=35).get_json()
    assert (answer["next"], answer["percent"]) == ("done", 100), "the last chunk is half as long"
    overview = student.overview()
    assert (overview["lessons_done"], overview["percent"], overview["complete"]) == (2, 100, True)
    assert not service.is_complete(student.enrolment.id), "the gate of the exam asks SQL"
    assert service.settle(student.enrolment.id, now=utcnow())
    assert service.is_complete(student.enrolment.id)
    rows = LessonProgress.select().where(LessonProgress.enrolment_id == student.enrolment.id)
    assert all(row.completed_at is not None for row in rows)


def test_the_exams_page_does_not_wait_for_the_flusher(student: Student, moving: Clock) -> None:
    student.face_pass()
    for number, chunks in ((0, [0, 1, 2, 3, 4, 5]), (1, [0, 1, 2, 3])):
        page = student.client.get(f"/api/v1/enrolments/{student.enrolment.id}/exam", headers=student.headers)
        assert [each["refusal"] for each in page.get_json()["subjects"]] == ["study_not_complete"]
        ticket = student.ticket(number)
        moving.forward(60)
        student.beat(ticket, chunks, position=35)
    assert not service.is_complete(student.enrolment.id)
    page = student.client.get(f"/api/v1/enrolments/{student.enrolment.id}/exam", headers=student.headers)
    assert [each["refusal"] for each in page.get_json()["subjects"]] == [None]


def test_a_half_watched_lesson_goes_on_where_it_stopped(student: Student, moving: Clock) -> None:
    student.face_pass()
    ticket = student.ticket()
    moving.forward(30)
    student.beat(ticket, [0, 1], position=27)
    flush.flush(now=utcnow())
    again = student.play().get_json()
    assert again["resume_at"] == 20, "chunk 2 was not seen to its end"
    assert chunks_of(again["watched"]) == chunks_of(again["durable"]) == {0, 1}
    assert student.overview()["items"][0]["percent"] == 33
    assert student.overview()["percent"] == 19
    assert not service.settle(student.enrolment.id, now=utcnow())


def test_study_needs_a_face_pass_once_a_session(student: Student) -> None:
    assert code(student.play()) == (403, "face_check_needed")
    student.face_pass()
    assert student.play().status_code == 200
    assert student.play(1).status_code == 200, "not for each lesson"
    assert code(student.play(1, device="tablet-bbbb", take_over=True)) == (403, "face_check_needed")
    student.face_pass()
    assert student.play(1, device="tablet-bbbb", take_over=True).status_code == 200
    assert code(student.play(take_over=True)) == (403, "face_check_needed"), "the first device begins anew"


def test_a_second_device_is_told_and_may_take_over(student: Student, moving: Clock) -> None:
    student.face_pass()
    first = student.ticket()
    student.face_pass()
    refused = student.play(device="tablet-bbbb")
    assert code(refused) == (409, "studying_elsewhere")
    second = student.ticket(device="tablet-bbbb", take_over=True)
    moving.forward(20)
    answer = student.beat(first, [0]).get_json()
    assert (answer["next"], answer["reason"], answer["refused"]) == ("kicked", "other_device", [0])
    assert chunks_of(student.beat(second, [0]).get_json()["credited"]) == {0}


def test_a_refused_second_device_keeps_its_face_pass(student: Student) -> None:
    student.face_pass()
    student.ticket()
    student.face_pass()
    assert code(student.play(device="tablet-bbbb")) == (409, "studying_elsewhere")
    assert student.play(device="tablet-bbbb", take_over=True).status_code == 200


def test_a_lost_redis_gives_the_lease_back_to_its_holder_and_not_to_the_refused_one(
    student: Student, moving: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "_refuse_second_device", lambda *_: None)  # both looked before either had it
    for _ in range(2):
        student.face_pass()
    ticket = student.ticket()
    assert code(student.play(device="phone-bbbb")) == (409, "studying_elsewhere")
    redis_clients.heartbeat().delete(*redis_clients.heartbeat().keys("h:*"))
    assert student.beat(ticket, []).get_json()["next"] == "go_on"
    assert student.play().status_code == 200  # its face pass is still good


def test_a_session_that_redis_never_heard_of_is_taken_back(
    student: Student, moving: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    student.face_pass()
    ticket = student.ticket()

    def gone(*_: Any, **__: Any) -> None:
        raise redis.exceptions.ConnectionError("gone")

    with monkeypatch.context() as patch:
        patch.setattr(store, "open_lesson", gone)
        assert student.play(take_over=True).status_code == 503
    redis_clients.heartbeat().delete(*redis_clients.heartbeat().keys("h:*"))
    assert student.beat(ticket, []).get_json()["next"] == "go_on"


def test_chunks_are_watched_in_order(student: Student, moving: Clock) -> None:
    student.face_pass()
    ticket = student.ticket()
    moving.forward(60)
    answer = student.beat(ticket, [5]).get_json()
    assert (answer["credited"], answer["refused"], answer["resume_at"], answer["next"]) == ("", [5], 0, "go_on")
    answer = student.beat(ticket, [3, 1, 0]).get_json()
    assert (chunks_of(answer["credited"]), answer["refused"], answer["resume_at"]) == ({0, 1}, [3], 20)
    answer = student.beat(ticket, [2, 3, 4, 5]).get_json()
    assert answer["next"] == "done"


def test_any_order_counts_where_the_programme_allows_skipping(
    student: Student, moving: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules = heartbeat.Rules(chunk_seconds=10, rate=1.0, cap_ms=1_800_000, in_order=0, lesson_percent=100)
    monkeypatch.setattr(heartbeat, "rules_of", lambda *_: rules)
    student.face_pass()
    ticket = student.ticket()
    moving.forward(60)
    assert chunks_of(student.beat(ticket, [5, 2]).get_json()["credited"]) == {2, 5}


def test_a_face_pass_that_ran_out_stops_the_credit_and_keeps_the_chunks(moving: Clock) -> None:
    phone = a_phone(saved_up=60)
    late = with_face_until(phone, utcnow())
    answer = late.send([0, 1], now=utcnow())
    assert (answer.next, answer.refused, answer.credited) == ("face_check", [0, 1], "")
    assert chunks_of(phone.send([0, 1], now=utcnow()).credited) == {0, 1}


def test_the_study_period_binds_the_ticket(student: Student, moving: Clock) -> None:
    soon = utcnow() + timedelta(seconds=30)
    Enrolment.update(study_deadline=soon).where(Enrolment.id == student.enrolment.id).execute()
    student.face_pass()
    ticket = student.ticket()
    with pytest.raises(Problem) as raised:
        heartbeat.answer(json.dumps({"ticket": ticket, "chunks": [0]}).encode(), now=soon)
    assert raised.value.code == "play_ticket_invalid"
    Enrolment.update(study_deadline=utcnow()).where(Enrolment.id == student.enrolment.id).execute()
    assert code(student.play()) == (409, "study_period_over")


def test_another_persons_enrolment_is_not_found(student: Student) -> None:
    other = a_person()
    student.headers = auth(other)
    assert student.play().status_code == 404
    path = f"/api/v1/enrolments/{student.enrolment.id}/lessons"
    assert student.client.get(path, headers=student.headers).status_code == 404
    assert student.client.get(path).status_code == 401


def test_a_lesson_of_another_course_is_not_found(student: Student) -> None:
    other = Course.create(programme="yunnan", kind_code="A", title="企业主要负责人")
    lesson = Lesson.create(course=other, number=1, title="别的课", seconds=60, video="one.mp4")
    student.face_pass()
    student.lessons.append(lesson)
    assert student.play(2).status_code == 404


def test_nobody_studies_before_paying(student: Student) -> None:
    Enrolment.update(status="signed_up").where(Enrolment.id == student.enrolment.id).execute()
    assert code(student.play())[1] == "not_paid_yet"


def test_a_kind_without_a_course_says_so(client: FlaskClient) -> None:
    person = a_person()
    enrolment = an_enrolment(person, now=utcnow())
    answer = client.get(f"/api/v1/enrolments/{enrolment.id}/lessons", headers=auth(person))
    assert code(answer) == (409, "no_course")


BODIES: list[tuple[bytes, int]] = [
    (b"", 400),
    (b"\xff\xfe", 400),
    (b"[]", 422),
    (b"null", 422),
    (b'{"chunks":[1]}', 422),
    (b'{"ticket":"TICKET","chunks":[-1]}', 422),
    (b'{"ticket":"TICKET","chunks":["1"]}', 422),
    (b'{"ticket":"TICKET","chunks":[1.5]}', 422),
    (b'{"ticket":"TICKET","chunks":[null]}', 422),
    (b'{"ticket":"TICKET","chunks":{"0":1}}', 422),
    (b'{"ticket":"TICKET","chunks":[99999999999999999999]}', 422),
    (b'{"ticket":"TICKET","chunks":[60]}', 422),
    (b'{"ticket":"TICKET","chunks":[65535]}', 422),
    (b'{"ticket":"TICKET","chunks":[0],"position":-1}', 422),
    (b'{"ticket":"TICKET","chunks":[0],"position":1e400}', 400),
    (b'{"ticket":"TICKET","chunks":[' + b"0," * 1000 + b"0]}", 422),
    (b'{"ticket":"TICKET","chunks":[' + b"0," * 40000 + b"0]}", 413),
    (b'{"ticket":"","chunks":[0]}', 401),
    (b'{"ticket":"a.b","chunks":[0]}', 401),
    (b'{"ticket":"' + b"x" * 600 + b'","chunks":[0]}', 422),
    (b'{"ticket":7,"chunks":[0]}', 422),
]


@pytest.mark.parametrize(("body", "status"), BODIES, ids=range(len(BODIES)))
@pytest.mark.parametrize("behind", [False, True], ids=["front", "flask"])
def test_hostile_heartbeats_are_refused(
    world: World, body: bytes, status: int, behind: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if behind:
        monkeypatch.setattr(heartbeat, "PATH", "/nowhere")
    token = a_phone().token().encode()
    answer = _post(world, body.replace(b"TICKET", token))
    assert answer.status_code in ({status, 400, 422} if status in (400, 422) else {status})
    assert answer.content_type == "application/problem+json"
    assert answer.headers["X-Request-Id"]
    assert LessonProgress.get().credited_chunks == 0


def _post(world: World, body: bytes) -> TestResponse:
    return world.app.test_client().post("/api/v1/heartbeat", data=body, content_type="application/json")


def test_the_route_behind_answers_as_the_callable_in_front(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    phone = a_phone(saved_up=40)
    front = _post(world, phone.body([0, 1]))
    monkeypatch.setattr(heartbeat, "PATH", "/nowhere")
    behind = _post(world, phone.body([0, 1]))
    assert (front.status_code, front.get_json()) == (behind.status_code, behind.get_json())
    assert front.status_code == 200
    for name in ("Content-Security-Policy", "X-Content-Type-Options", "Cache-Control", "Referrer-Policy"):
        assert front.headers[name] == behind.headers[name]


def test_a_ticket_is_good_for_its_own_lesson_only(student: Student, moving: Clock) -> None:
    student.face_pass()
    ticket = student.ticket(1)
    moving.forward(60)
    assert code(student.beat(ticket, [4])) == (422, "wrong_chunks"), "the other lesson has it, this one has not"


def test_a_forged_or_expired_ticket_is_refused(student: Student, moving: Clock) -> None:
    phone = a_phone()
    good = sign_play(phone.ticket, expires=utcnow() + timedelta(minutes=1))
    assert student.beat(good, []).status_code == 200
    for position in range(0, len(good), 7):
        swapped = "A" if good[position] != "A" else "B"
        assert student.beat(good[:position] + swapped + good[position + 1 :], []).status_code == 401
    expired = sign_play(phone.ticket, expires=utcnow() - timedelta(seconds=1))
    assert code(student.beat(expired, [])) == (401, "play_ticket_invalid")


def test_a_ticket_whose_rows_are_gone_is_refused(student: Student, moving: Clock) -> None:
    phone = a_phone()
    redis_clients.heartbeat().flushdb()
    moving.set(moving.now)
    LessonProgress.delete().execute()
    assert code(student.beat(phone.token(), [0])) == (401, "play_ticket_invalid")


def test_a_redis_that_is_away_is_told_with_a_time(student: Student, monkeypatch: pytest.MonkeyPatch) -> None:
    token = a_phone().token()
    away = redis.Redis(unix_socket_path="/nonexistent/redis.sock")
    monkeypatch.setitem(redis_clients._clients, "heartbeat", away)
    for _ in range(2):
        answer = student.beat(token, [0])
        assert code(answer) == (503, "recording_paused")
        assert int(answer.headers["Retry-After"]) > 0
    assert student.overview()["items"][0]["percent"] == 0, "SQL alone answers"
    assert not service.settle(student.enrolment.id, now=utcnow())


def test_a_purge_takes_everything_back(student: Student, moving: Clock) -> None:
    student.face_pass()
    ticket = student.ticket()
    moving.forward(60)
    student.beat(ticket, list(range(6)))
    flush.flush(now=utcnow())
    assert service.purge(student.enrolment.id, actor="staff:1", reason="代学", now=utcnow()) == 1
    assert student.overview()["percent"] == 0
    assert student.beat(ticket, [0]).get_json()["reason"] == "purged"
    flush.flush(now=utcnow())
    assert student.overview()["percent"] == 0
    again = student.play().get_json()
    assert (again["epoch"], again["watched"]) == (1, "")
    assert student.beat(again["ticket"], list(range(6))).get_json()["credited"] == ""


def test_a_bug_is_an_answer_of_500_and_no_stack(student: Student) -> None:
    token = a_phone().token()
    with changed(beat=("return {0, record", "return {0, nil_value.field")):
        answer = student.beat(token, [0])
    assert answer.status_code in (500, 503)
    assert b"lua" not in answer.data.lower()


def test_films_lie_behind_the_link_of_the_play_answer(student: Student, data_dir: Path) -> None:
    (data_dir / "videos").mkdir(exist_ok=True)
    (data_dir / "videos" / "one.mp4").write_bytes(bytes(range(256)) * 10)
    student.face_pass()
    url = student.play().get_json()["video_url"]
    answer = student.client.get(url)
    assert (answer.status_code, answer.content_type) == (200, "video/mp4")
    assert answer.data == bytes(range(256)) * 10


def test_the_page_of_a_training_says_all_that_its_screen_shows(student: Student, moving: Clock, world: World) -> None:
    folder = world.settings.data_dir / "videos"
    folder.mkdir(exist_ok=True)
    (folder / "one.mp4").write_bytes(b"x" * 3800)
    page = student.overview()
    assert (page["kind"], page["refusal"], page["saved_at"]) == ("塔机司机", None, None)
    assert (page["lessons"], page["lessons_done"], page["seconds_left"]) == (2, 0, 95)
    assert (page["lesson_percent"], page["total_percent"]) == (100, 100)
    assert (page["in_order"], page["autoplay"]) == (True, True)
    assert (page["face_on_web"], page["clients"]) == ("phone_qr", ["web", "app", "mini_program"])
    assert [item["bytes"] for item in page["items"]] == [3800, None]
    assert page["next_lesson_id"] == student.lessons[0].id
    assert page["days_left"] in range(29, 32)
    student.face_pass()
    play = student.play().get_json()
    assert (play["bytes"], play["number"], play["next_lesson_id"]) == (3800, 1, student.lessons[1].id)
    assert datetime.fromisoformat(play["face_until"]) > datetime.fromisoformat(play["server_now"])
    moving.forward(60)
    told = student.beat(play["ticket"], [0, 1, 2, 3, 4, 5], position=60).get_json()
    assert abs((datetime.fromisoformat(told["server_now"]) - utcnow()).total_seconds()) < 10
    page = student.overview()
    assert (page["seconds_left"], page["next_lesson_id"]) == (35, student.lessons[1].id)
    assert page["saved_at"] is None, "it is in Redis only"
    flush.flush(now=utcnow())
    assert datetime.fromisoformat(student.overview()["saved_at"]) <= utcnow()
    assert student.play(1).get_json()["next_lesson_id"] is None, "the other one is done"


@pytest.mark.parametrize(
    ("values", "code_of"),
    [
        ({"status": "signed_up"}, "not_paid_yet"),
        ({"status": "lapsed"}, "study_period_over"),
        ({"status": "studying", "study_deadline": datetime(2021, 3, 1, tzinfo=UTC)}, "study_period_over"),
        ({"status": "passed", "study_deadline": datetime(2021, 3, 1, tzinfo=UTC)}, None),
    ],
)
def test_what_is_against_studying_stands_on_the_page_as_playing_would_say_it(
    student: Student, values: dict[str, Any], code_of: str | None
) -> None:
    Enrolment.update(**values).where(Enrolment.id == student.enrolment.id).execute()
    page = student.overview()
    assert (page["refusal"] or {}).get("code") == code_of
    student.face_pass()
    answer = student.play()
    assert (answer.get_json().get("code") if answer.status_code >= 400 else None) == code_of


def test_a_face_pass_ends_with_the_consent_it_rests_on(student: Student) -> None:
    student.face_pass()
    assert student.play().status_code == 200
    student.face_pass()  # one more, not used up
    account.withdraw_consent(student.enrolment.person_id, "face", now=utcnow())
    assert code(student.play(1)) == (403, "face_check_needed")
    account.give_consent(student.enrolment.person_id, "face", account.CONSENT_VERSIONS["face"], now=utcnow())
    assert student.play(1).status_code == 200
