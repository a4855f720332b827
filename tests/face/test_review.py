"""Photos that staff look at, where the programme has it (henan manual: 待确认, 已确认, 退回)."""

from __future__ import annotations

from typing import Any

import pytest

from app.cases import service as cases
from app.cases.models import Case
from app.core.clock import utcnow
from app.core.errors import Problem
from app.core.staff import Right, Staff
from app.face import queries, store
from app.face.models import FaceRecord
from app.policy import load
from app.policy.rooms import missing
from app.policy.schema import Programme
from sandbox.faces import make_face, person_of
from tests.exam.rooms import a_bank, a_course
from tests.face.conftest import People, Someone, another_programme, in_programme

FANG = Staff("staff:fang", frozenset({(Right.REVIEWER, "other")}))


@pytest.fixture
def reviewing(monkeypatch: pytest.MonkeyPatch) -> Programme:
    """Yunnan's programme, but with henan's rule of the photo."""
    (henan,) = [one.photo for one in load.all_programmes() if one.key == "henan"]
    assert henan is not None
    assert henan.reviewed
    programme = another_programme(monkeypatch, photo=henan)
    assert missing(programme) == (), "the room is built"
    return programme


@pytest.fixture
def me(people: People, reviewing: Programme) -> Someone:
    return in_programme(people(), reviewing)


def another_picture(me: Someone) -> bytes:
    return make_face(person_of(me.id_number), size=(590, 826))


def the_case() -> Case:
    case: Case = Case.get(Case.kind == "face.photo", Case.status == "open")
    return case


def decide(case: Case, key: str, reason: str = "") -> None:
    cases.decide_by_staff(FANG, case.id, key, reason=reason, now=utcnow())


def status(me: Someone) -> str:
    return str(queries.photo_status(me.id))


def test_an_upload_waits_for_the_reviewer_and_is_then_confirmed(me: Someone) -> None:
    me.anchor()
    assert me.put_photo().get_json()["status"] == "review"
    assert not queries.photo_ready(me.id)
    case = the_case()
    assert (case.programme, case.person_id) == ("other", me.id)
    decide(case, "confirm")
    assert queries.photo_ready(me.id)
    assert me.put_photo(another_picture(me)).get_json()["code"] == "photo_fixed"


def test_before_the_real_name_check_a_confirmed_photo_waits_to_be_compared(me: Someone) -> None:
    me.put_photo()
    decide(the_case(), "confirm")
    assert status(me) == "waiting"
    me.anchor()
    assert status(me) == "confirmed"


def test_a_check_that_passes_meanwhile_does_not_confirm_what_nobody_looked_at(me: Someone) -> None:
    me.put_photo()
    me.anchor()
    assert status(me) == "review"
    decide(the_case(), "confirm")
    assert status(me) == "confirmed"


def test_another_persons_face_is_no_photo_and_nobody_need_look_at_it(me: Someone) -> None:
    me.put_photo(make_face((person_of(me.id_number) + 1) % 4096))
    me.anchor()
    assert status(me) == "returned"
    assert cases.open_cases("face.photo") == []


def test_a_photo_that_came_while_the_check_ran_is_not_taken_for_compared(
    me: Someone, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a comparison a reviewer would confirm it beside the words that it is the same face."""
    put, sent = store.put, list[str]()

    def first_the_photo(kind: store.Kind, person_id: str, picture: bytes, **options: Any) -> str:
        if kind == "anchor" and not sent:
            sent.append(me.put_photo(make_face((person_of(me.id_number) + 1) % 4096)).get_json()["status"])
        return put(kind, person_id, picture, **options)

    monkeypatch.setattr(store, "put", first_the_photo)
    me.anchor()
    assert sent == ["review"]
    assert status(me) == "returned"
    assert cases.open_cases("face.photo") == []
    assert me.put_photo().get_json()["status"] == "review"


def test_a_returned_photo_is_uploaded_again_also_the_same_file(me: Someone) -> None:
    me.put_photo()
    decide(the_case(), "return", "blurred")
    assert status(me) == "returned"
    assert me.put_photo().get_json()["status"] == "review"
    assert len(cases.open_cases("face.photo")) == 1


def test_what_was_decided_about_one_photo_says_nothing_of_the_next(me: Someone) -> None:
    """The reviewer looks at one photo while the person uploads another."""
    me.put_photo()
    seen = the_case()
    assert me.put_photo().get_json()["status"] == "review", "the same file is no change"
    assert the_case().id == seen.id
    me.put_photo(another_picture(me))
    assert the_case().id != seen.id
    with pytest.raises(Problem) as caught:
        decide(seen, "confirm")
    assert caught.value.code == "case_over"
    assert status(me) == "review"


def test_without_the_comparison_of_the_photo_the_unseen_one_would_be_confirmed(
    me: Someone, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The twin: the case of the first photo is left open, and confirms whatever is there."""
    monkeypatch.setattr("app.face.review.withdraw", lambda *_args, **_kwargs: None)
    monkeypatch.setattr(
        "app.face.review.record_of", lambda person_id, _subject: FaceRecord.get(FaceRecord.person_id == person_id)
    )
    me.put_photo()
    seen = the_case()
    me.put_photo(another_picture(me))
    decide(seen, "confirm")
    assert status(me) == "waiting"


def test_where_photos_are_not_reviewed_there_is_no_case(people: People) -> None:
    me = people()
    me.put_photo()
    assert status(me) == "waiting"
    assert Case.select().count() == 0


def test_the_first_screen_says_how_far_the_photo_is(me: Someone) -> None:
    def next_step() -> tuple[str, str]:
        found = me.call("GET", "/api/v1/home").get_json()["trainings"][0]["next"]
        return found["code"], found["text"]

    a_course()
    a_bank()
    assert me.enrolment
    assert next_step() == ("photo", "上传头像")
    me.put_photo()
    assert next_step() == ("photo", "头像正在审核，请留意短信")
    decide(the_case(), "return", "covered")
    assert next_step() == ("photo", "头像被退回，请重新上传")
    me.put_photo(another_picture(me))
    decide(the_case(), "confirm")
    assert next_step() == ("face", "去人脸核验")


def rule(me: Someone) -> dict[str, Any]:
    body: dict[str, Any] = me.call("GET", "/api/v1/photo/rule").get_json()
    return body


def test_whose_photo_is_returned_reads_why_and_nothing_of_the_staffs_own_note(me: Someone) -> None:
    me.put_photo()
    assert rule(me)["returned_because"] is None
    cases.decide_by_staff(FANG, the_case().id, "return", reason="ground", note="第三次了", now=utcnow())
    said = rule(me)
    assert (said["status"], said["changeable"]) == ("returned", True)
    assert said["returned_because"] == "照片背景不是白色，请以白墙为背景重新拍摄。"
    me.put_photo()
    assert rule(me)["returned_because"] is None


def test_whoever_asked_for_another_photo_sees_what_became_of_it(me: Someone) -> None:
    support = Staff("staff:li", frozenset({(Right.SUPPORT, "other")}))
    me.anchor()
    me.put_photo()
    decide(the_case(), "confirm")
    assert rule(me)["replacement"] == "none"

    def ask() -> str:
        me.call("POST", "/api/v1/photo/replacement", json={"reason": "戴了眼镜"})
        assert (rule(me)["replacement"], rule(me)["refused_because"]) == ("asked", None)
        (case,) = cases.open_cases("face.photo_replacement")
        return case.id

    cases.decide_by_staff(support, ask(), "keep", reason="fits", note="", now=utcnow())
    said = rule(me)
    assert (said["replacement"], said["refused_because"]) == (
        "refused",
        "现在的照片清晰、与本人相符，不需要更换。",
    )
    cases.decide_by_staff(support, ask(), "release", now=utcnow())
    assert (rule(me)["status"], rule(me)["replacement"]) == ("none", "agreed")
    me.put_photo()
    assert rule(me)["replacement"] == "none"
