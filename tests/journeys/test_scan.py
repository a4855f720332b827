"""A person at a computer with a phone beside it: signs in and studies there, and the face is checked on the phone."""

from __future__ import annotations

from app.enrol.models import Enrolment
from app.study.models import Course, Lesson
from tests import factories
from tests.face.conftest import Someone
from tests.wechat.scanning import Page, Phone, code_of
from tests.world import World


def test_sign_in_and_study_on_the_web_by_the_phone(world: World) -> None:
    person = factories.a_person()
    enrolment: Enrolment = factories.an_enrolment(person)
    course = Course.create(programme="yunnan", kind_code=enrolment.kind_code, title="塔机司机")
    lesson = Lesson.create(course=course, number=1, title="塔机安全", seconds=60, video="one.mp4")
    phone = Phone(world, person)
    camera = Someone(person.id, person.id_number, phone.token, world.app.test_client())
    camera.anchor()
    assert camera.put_photo().get_json()["status"] == "confirmed"

    page = Page(world)
    page.ask()
    assert phone.post(page.id, "scan").get_json()["face"] is None  # checked a moment ago, good for twelve hours
    assert phone.post(page.id, "confirm").status_code == 204
    assert page.poll().get_json()["status"] == "confirmed"
    web = {"Authorization": f"Bearer {page.go_on().get_json()['token']}"}

    path, body = f"/api/v1/enrolments/{enrolment.id}/lessons/{lesson.id}/play", {"device": "computer-1"}
    client = world.app.test_client()
    assert code_of(client.post(path, json=body, headers=web)) == (403, "face_check_needed")

    study = Page(world, token=web["Authorization"].removeprefix("Bearer "))
    study.ask(enrolment.id)
    assert client.post(path, json=body, headers=web).status_code == 403
    wanted = phone.post(study.id, "scan").get_json()["face"]
    check = camera.start(wanted["purpose"], "picture", wanted["subject"])
    assert camera.show(check).get_json()["status"] == "passed"
    assert phone.post(study.id, "confirm").status_code == 204
    assert study.poll().get_json()["status"] == "confirmed"
    assert study.go_on().get_json()["enrolment_id"] == enrolment.id
    assert client.post(path, json=body, headers=web).status_code == 200

    again = {"device": "computer-2", "take_over": True}
    assert code_of(client.post(path, json=again, headers=web)) == (403, "face_check_needed")  # one pass, one session
