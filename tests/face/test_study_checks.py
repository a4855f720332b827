"""Checks for a study session: against the photo, for one enrolment, used once."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest

from app.core.clock import utcnow
from app.face import passes, queries, service
from app.face.models import FaceCheck
from app.policy import load
from tests.face.cameras import at_once, back_from_page, code_of, row, stranger_of
from tests.face.conftest import People, Someone, another_programme, in_programme
from tests.world import World


def test_a_study_check_needs_the_anchor_then_the_photo(people: People) -> None:
    me = people()
    body = {"purpose": "study", "subject": me.enrolment, "method": "picture"}
    assert me.call("POST", "/api/v1/face-checks", json=body).get_json()["code"] == "face_anchor_needed"
    me.anchor()
    assert me.call("POST", "/api/v1/face-checks", json=body).get_json()["code"] == "photo_needed"
    me.put_photo()
    assert me.call("POST", "/api/v1/face-checks", json=body).status_code == 201


def test_where_only_studying_asks_for_the_face_the_real_name_check_comes_first_all_the_same(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    face = load.programme("yunnan", "2021-02-01").face
    assert face is not None
    only = msgspec.structs.replace(face, purposes=tuple(one for one in face.purposes if one.purpose == "study_now"))
    me = in_programme(people(), another_programme(monkeypatch, face=only))
    me.anchor()
    assert me.put_photo().get_json()["status"] == "confirmed"
    again = me.call("POST", "/api/v1/face-checks", json={"purpose": "login", "method": "picture"})
    assert again.get_json()["code"] == "face_not_offered"
    study = {"purpose": "study", "subject": me.enrolment, "method": "picture"}
    assert me.call("POST", "/api/v1/face-checks", json=study).status_code == 201


def ready(people: People) -> Someone:
    me = people()
    me.anchor()
    assert me.put_photo().get_json()["status"] == "confirmed"
    return me


@pytest.mark.parametrize("method", ["picture", "h5"])
def test_a_study_pass_is_for_its_enrolment_and_used_once(people: People, world: World, method: str) -> None:
    me = ready(people)
    check = me.start("study", method, me.enrolment)
    if method == "picture":
        assert me.show(check).get_json()["status"] == "passed"
    else:
        back_from_page(check, world)
        assert me.finish(check).get_json()["status"] == "passed"
    now = utcnow()
    assert code_of(lambda: service.consume_pass(me.id, "study", "another", now=now)) == "face_check_needed"
    assert (
        code_of(lambda: service.consume_pass("someone-else", "study", me.enrolment, now=now)) == "face_check_needed"
    )
    assert service.consume_pass(me.id, "study", me.enrolment, now=now) == check["id"]
    assert code_of(lambda: service.consume_pass(me.id, "study", me.enrolment, now=now)) == "face_check_needed"
    assert row(check).status == "consumed"
    if method == "picture":
        assert me.show(check).get_json()["code"] == "face_check_over"
    else:
        assert me.finish(check).get_json()["code"] == "face_check_over"


def test_someone_else_before_the_camera_does_not_study(people: People) -> None:
    me = ready(people)
    check = me.start("study", "picture", me.enrolment)
    answer = me.show(check, stranger_of(me)).get_json()
    assert (answer["status"], answer["reason"]) == ("failed", "low_score")


def test_a_pass_ends_after_the_minutes_of_the_programme(people: People) -> None:
    me = ready(people)
    check = me.start("study", "picture", me.enrolment)
    me.show(check)
    passed_at: datetime = row(check).passed_at  # type: ignore[assignment]
    assert row(check).expires_at == passed_at + timedelta(minutes=240)  # the programme's study_now
    service.require_pass(me.id, "study", me.enrolment, now=passed_at + timedelta(minutes=239, seconds=59))
    late = passed_at + timedelta(minutes=240)
    assert code_of(lambda: service.require_pass(me.id, "study", me.enrolment, now=late)) == "face_check_needed"
    assert code_of(lambda: service.consume_pass(me.id, "study", me.enrolment, now=late)) == "face_check_needed"
    assert service.expire_checks(now=late) == 1
    assert row(check).status == "expired"
    assert service.expire_checks(now=late) == 0


def a_study_pass(me: Someone) -> str:
    check = me.start("study", "picture", me.enrolment)
    assert me.show(check).get_json()["status"] == "passed"
    return str(check["id"])


def consume(me: Someone) -> list[object]:
    return at_once(8, lambda _: service.consume_pass(me.id, "study", me.enrolment, now=utcnow()))


def test_of_eight_study_sessions_at_once_one_gets_the_pass(people: People) -> None:
    me = ready(people)
    check_id = a_study_pass(me)
    results = consume(me)
    assert results.count(check_id) == 1
    assert results.count("face_check_needed") == 7


def test_twin_without_compare_and_set_several_get_the_pass(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    me = ready(people)
    check_id = a_study_pass(me)
    seen = threading.Barrier(8)
    good_pass = queries.good_pass

    def all_look_first(*args: Any, **options: Any) -> FaceCheck | None:
        found = good_pass(*args, **options)
        seen.wait(5)
        return found

    def without_guard(model: Any, row_id: str, where: dict[str, Any], values: dict[str, Any]) -> bool:
        return bool(model.update(values).where(model.id == row_id).execute())

    monkeypatch.setattr(queries, "good_pass", all_look_first)
    monkeypatch.setattr(passes, "compare_and_set", without_guard)
    assert consume(me).count(check_id) > 1


def test_a_study_check_stands_under_the_rules_of_the_enrolment_and_not_of_the_session(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    me = ready(people)
    face = load.programme("yunnan", "2021-02-01").face
    assert face is not None
    easier = another_programme(monkeypatch, face=msgspec.structs.replace(face, match_score=1.0))
    check = in_programme(me, easier).start("study", "picture", me.enrolment)
    assert row(check).programme == "yunnan"
    assert me.show(check, stranger_of(me)).get_json()["reason"] == "low_score"


def test_nobody_is_checked_for_anothers_enrolment(people: People) -> None:
    me, other = ready(people), people("530102198501010018", "李四")
    body = {"purpose": "study", "subject": other.enrolment, "method": "picture"}
    assert me.call("POST", "/api/v1/face-checks", json=body).status_code == 404
