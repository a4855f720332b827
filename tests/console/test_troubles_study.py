"""What goes wrong for trainees with photo, face and study, as the manuals list it, and support solves: the call, the
page, the button, and the trainee's next step, over HTTP on both sides."""

from __future__ import annotations

from typing import Any

from app.account.models import Person
from app.cases.models import Case
from app.core.clock import utcnow
from app.face.models import FaceRecord
from app.notify.models import Sms
from app.study import flush
from app.study.models import Course, Lesson
from sandbox.faces import make_face, person_of
from tests import factories
from tests.account.screens import Screens, sms_code
from tests.certificate.offices import a_graduate, a_photo
from tests.console.phone import Phone, call
from tests.face.conftest import Someone
from tests.pay.till import in_background
from tests.study.phones import Clock
from tests.study.test_api import Student, a_face_pass
from tests.world import World


def someone(world: World, **values: Any) -> tuple[Someone, Person]:
    person = factories.a_person(id_number="530102199003071234", name="张三", **values)
    factories.a_roster_entry(person)
    token = factories.a_session(person)
    return Someone(person.id, person.id_number, token, world.app.test_client()), person


def test_the_photo_is_wrong_and_cannot_be_changed(world: World, phone: Phone) -> None:
    trainee, person = someone(world)
    trainee.anchor()
    assert trainee.put_photo().status_code == 200
    other = make_face(person_of(person.id_number)) + b"\0"  # another file of the same face
    assert trainee.put_photo(other).get_json()["code"] == "photo_fixed"
    assert "已确认" in phone.asks_for(str(person.phone))
    assert "已允许重新上传" in phone.press("face.new_photo", reason="wrong")
    assert not phone.has("face.new_photo")
    assert trainee.put_photo(other).status_code == 200
    in_background()
    assert Sms.select().where(Sms.template == "photo_decided").count() == 1


def test_the_face_is_not_recognised_and_the_tries_are_used_up(world: World, phone: Phone) -> None:
    trainee, person = someone(world)
    stranger = make_face(person_of(person.id_number) + 1)
    check = trainee.start()
    for _ in range(5):
        trainee.show(check, stranger)
    assert trainee.show(check).get_json()["code"] == "face_manual_route"
    page = phone.asks_for(str(person.phone))
    assert "人脸核验（登录核验）" in page
    assert "人脸核验次数用完" in page, "the case that waits is linked"
    assert "次数已重新给予" in phone.press("face.tries", reason="video")
    assert FaceRecord.get(FaceRecord.person_id == person.id).tries == 0
    assert Case.get(Case.kind == "face.no_try_left").status == "decided"
    assert not phone.has("face.tries")
    trainee.anchor()


def test_the_proof_waits_for_a_photo(world: World, phone: Phone) -> None:
    graduate = a_graduate(photo=False)
    assert "缺合格的照片，上传并核验后自动出具" in phone.asks_for(graduate.person.id_number)
    a_photo(graduate.person, now=utcnow())
    status, proof = call(world, graduate.person, "GET", f"/enrolments/{graduate.enrolment.id}/proof")
    assert (status, proof["status"]) == (200, "valid")
    assert "出具证明" in phone.page()


def test_just_passed_and_not_yet_in_the_renewal_list(phone: Phone) -> None:
    """What the other office asks for stands on the page: the day, and the proof's number."""
    graduate = a_graduate()
    page = phone.asks_for(graduate.person.id_number)
    assert str(graduate.proof.number) in page
    assert "有效期至" in page


def a_student(world: World) -> Student:
    person = factories.a_person()
    enrolment = factories.an_enrolment(person, now=utcnow())
    course = Course.create(programme="yunnan", kind_code=enrolment.kind_code, title="塔机司机")
    lessons = [Lesson.create(course=course, number=1, title="塔机安全", seconds=60, video="one.mp4")]
    return Student(world.app.test_client(), enrolment, lessons, factories.auth(person))


def test_the_progress_is_not_recorded(world: World, phone: Phone, clock: Clock) -> None:
    """Support sees the second to which something was credited."""
    student = a_student(world)
    student.face_pass()
    ticket = student.ticket()
    clock.forward(30)
    student.beat(ticket, [0, 1, 2])
    flush.flush(now=utcnow())
    person = Person.get_by_id(student.enrolment.person_id)
    page = phone.asks_for(person.id_number)
    assert "学习第 1 课 塔机安全" in page
    assert "50%" in page
    assert student.overview()["items"][0]["percent"] == 50


def test_signed_in_on_a_second_device_which_is_lost(world: World, phone: Phone, clock: Clock) -> None:
    student = a_student(world)
    student.face_pass()
    lost = student.ticket()
    clock.forward(10)
    student.beat(lost, [0])
    a_face_pass(student.enrolment)
    refused = student.play(device="phone-bbbb")
    assert refused.get_json()["code"] == "studying_elsewhere"
    person = Person.get_by_id(student.enrolment.person_id)
    assert "正在学习的设备" in phone.asks_for(person.id_number)
    assert "学习占用已释放" in phone.press("study.free", reason="lost")
    assert not phone.has("study.free")
    assert student.beat(lost, [1]).get_json()["reason"] == "other_device", "the lost one is out"
    answer = student.play(device="phone-bbbb")
    assert answer.status_code == 200, answer.get_json()
    assert student.overview()["items"][0]["percent"] == 16, "nothing of what was watched is lost"


def test_someone_else_studies_in_ones_name(world: World, phone: Phone, clock: Clock) -> None:
    """The sign-ins stand on the page; the stranger's device loses the lease, the owner sets a new password."""
    student = a_student(world)
    student.face_pass()
    ticket = student.ticket()
    person = Person.get_by_id(student.enrolment.person_id)
    assert "登录（电脑网页）" in phone.asks_for(person.id_number)
    phone.press("study.free", reason="stranger")
    assert student.beat(ticket, [0]).get_json()["reason"] == "other_device"
    owner = Screens(world)
    owner.post("/password-reset/code", programme="yunnan", id_number=person.id_number)
    body = {"programme": "yunnan", "id_number": person.id_number, "code": sms_code(person.id_number, "reset")}
    assert owner.post("/password-reset", **body, new_password="Neues-Wort-77").status_code == 200
    assert student.play().status_code == 401, "every session has ended"
