"""What goes wrong for trainees, as the manuals list it, and support solves: the call, the page, the button, and the
trainee's next step, over HTTP on both sides."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, timedelta
from typing import Any

import pytest

from app.account import looks
from app.account.models import Person
from app.cases.models import Case
from app.core import audit, outbox
from app.core.audit import AuditEntry
from app.core.clock import shanghai, utcnow
from app.core.staff import EVERYWHERE, Right
from app.enrol.models import Enrolment, RosterEntry
from app.exam import service as exam_service
from app.exam.audit import audit_attempts
from app.exam.models import Attempt, AttemptGrant
from app.face.models import FaceRecord
from app.invoice.models import Invoice, InvoiceEvent
from app.notify import service as notify
from app.notify.models import Sms
from app.notify.status import Status as SmsStatus
from app.pay.models import PaymentAttempt
from app.study import flush
from app.study.models import Course, Lesson
from sandbox.faces import make_face, person_of
from tests import factories
from tests.account.screens import Screens, problem_of, sms_code
from tests.certificate.offices import a_graduate, a_photo
from tests.exam.rooms import Candidate, a_candidate
from tests.face.conftest import Someone
from tests.notify.conftest import received
from tests.pay.test_closing import a_late_payment
from tests.pay.till import a_sale, in_background, lose_letters, scan, show_code
from tests.staffroom import Browser, a_member, at_desk
from tests.study.phones import Clock, a_clock
from tests.study.test_api import Student, a_face_pass
from tests.world import World

SUPPORT = (Right.SUPPORT, "yunnan")


@dataclass
class Phone:
    """Somebody of support on the telephone with a trainee."""

    browser: Browser
    person_id: str = ""

    def asks_for(self, text: str) -> str:
        """Look for what the caller says; gives the page."""
        self.browser.get("/console/people")
        answer = self.browser.post("/console/people", {"text": text})
        assert answer.status_code == 303, html.unescape(answer.text)
        self.person_id = answer.headers["Location"].removeprefix("/console/people/")
        return self.page()

    def page(self) -> str:
        answer = self.browser.get(f"/console/people/{self.person_id}")
        assert answer.status_code == 200
        return html.unescape(answer.text)

    def press(self, key: str, **form: str) -> str:
        """Press a button that stands on the page; gives what the page says then."""
        page = self.page()
        found = re.search(rf'action="[^"]*/help/{re.escape(key)}".*?name="target" value="([^"]+)"', page, re.DOTALL)
        assert found, f"no button {key}: {page}"
        return self.send(key, target=found[1], **form)

    def send(self, key: str, **form: str) -> str:
        answer = self.browser.hx(f"/console/people/{self.person_id}/help/{key}", form)
        said = re.search(r'id="message" class="message (\w+)"[^>]*>([^<]*)<', answer.text)
        assert said, answer.text
        return html.unescape(said[2])

    def has(self, key: str) -> bool:
        return f"/help/{key}" in self.page()


@pytest.fixture
def phone(world: World) -> Phone:
    return Phone(at_desk(world, a_member(SUPPORT)))


@pytest.fixture
def colleague(world: World) -> Browser:
    return at_desk(world, a_member(SUPPORT, name="李敏"))


@pytest.fixture
def clock(world: World) -> Iterator[Clock]:
    with a_clock(utcnow()) as moving:
        yield moving


def call(world: World, person: Person, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    """The trainee's own page asks."""
    client = world.app.test_client()
    answer = client.open(f"/api/v1{path}", method=method, json=body, headers=factories.auth(person))
    return answer.status_code, answer.get_json()


def agree(browser: Browser, kind: str) -> str:
    """Another of support opens the case and agrees; gives what the desk said of it before."""
    case = Case.get(Case.kind == kind, Case.status == "open")
    shown = browser.get(f"/console/cases/{case.id}")
    assert shown.status_code == 200
    answer = browser.post(f"/console/cases/{case.id}/decide", {"decision": "agree"})
    assert answer.status_code == 303, html.unescape(answer.text)
    return html.unescape(shown.text)


# --- money -------------------------------------------------------------------------------------------------------


def test_paid_but_the_order_shows_unpaid(world: World, phone: Phone) -> None:
    """The provider's word got lost: one press, and the trainee studies."""
    lose_letters(world)
    sale = a_sale()
    scan(world, show_code(sale))
    assert call(world, sale.person, "GET", f"/orders/{sale.order_id}")[1]["status"] == "pending"
    assert "订单待支付" in phone.asks_for(sale.order_id)
    assert "订单已支付，课程已开通" in phone.press("pay.ask", reason="paid")
    assert not phone.has("pay.ask"), "the button is gone with its reason"
    in_background()
    assert "平台流水号" in phone.page(), "the provider's evidence stands in the history"
    assert call(world, sale.person, "GET", f"/orders/{sale.order_id}")[1]["status"] == "paid"
    assert sale.granted


def test_a_press_too_many_asks_nobody_and_pays_nothing_twice(world: World, phone: Phone) -> None:
    lose_letters(world)
    sale = a_sale()
    scan(world, show_code(sale))
    phone.asks_for(sale.order_id)
    attempt = sale.attempt
    phone.press("pay.ask", reason="paid")
    assert "已经办过" in phone.send("pay.ask", target=attempt.id, reason="paid")
    assert sale.times("pay") == 1


def test_not_paid_after_all_and_the_trainee_can_pay(world: World, phone: Phone) -> None:
    lose_letters(world)
    sale = a_sale()
    show_code(sale)
    phone.asks_for(sale.order_id)
    assert "没有收到这笔款" in phone.press("pay.ask", reason="paid")
    scan(world, show_code(sale))
    phone.press("pay.ask", reason="paid")
    in_background()
    assert sale.granted


def test_no_bank_is_asked_about_a_transfer(world: World, phone: Phone) -> None:
    """The account answers from imported statements: "not there" would make the trainee pay twice."""
    sale = a_sale()
    show_code(sale)
    phone.asks_for(sale.order_id)
    assert phone.has("pay.ask")
    PaymentAttempt.update(channel="bank_transfer").where(PaymentAttempt.order_id == sale.order_id).execute()
    assert not phone.has("pay.ask")


def test_paid_after_the_thirty_minutes(world: World, phone: Phone) -> None:
    """The order is void: the money goes back by itself, the trainee orders anew."""
    lose_letters(world)
    sale = a_sale()
    a_late_payment(world, sale)
    assert sale.order.status == "closed"
    phone.asks_for(str(sale.person.phone))
    assert "款项正原路退回" in phone.press("pay.ask", reason="paid")
    assert len(sale.refunds) == 1
    body = {
        "enrolment_ids": [sale.enrolment_id],
        "payer_name": sale.person.name,
        "payer_number": sale.person.id_number,
    }
    status, order = call(world, sale.person, "POST", "/checkout", body)
    assert (status, order["status"]) == (200, "pending")
    assert order["order_id"] != sale.order_id


def test_the_invoice_will_not_download(world: World, phone: Phone) -> None:
    """Support sees how far it is, and since when."""
    sale = a_sale()
    row = Invoice.create(
        order_id=sale.order_id, person_id=sale.person.id, programme="yunnan", version="2021-02-01", authority="x",
        serial="S1", profile_id="p", kind="electronic_ordinary", status="issuing", gross_fen=20000, net_fen=19417,
        tax_fen=583, tax_rate_permille=30, goods_name="培训", goods_code="1", paid_at=utcnow(), planned_at=utcnow(),
        due_from=utcnow(), due_until=utcnow(),
    )  # fmt: skip
    InvoiceEvent.create(
        invoice_id=row.id, action="take", before="sending", after="issuing", at=utcnow(), evidence="vendor:77"
    )
    page = phone.asks_for(sale.order_id)
    assert "发票开具中" in page
    assert "vendor:77" in page


# --- getting in --------------------------------------------------------------------------------------------------


def test_the_name_is_not_on_the_roster(world: World, phone: Phone) -> None:
    """Nothing to press: support read where the caller has to go, and find them once the roster has them."""
    person = factories.a_person()
    phone.browser.get("/console/people")
    answer = html.unescape(phone.browser.post("/console/people", {"text": person.id_number}).text)
    assert "主管部门或所在单位" in answer
    factories.a_roster_entry(person)
    assert "还没有报名" in phone.asks_for(person.id_number)
    status, listed = call(world, person, "GET", "/sign-ups?programme=yunnan")
    assert (status, len(listed["offers"])) == (200, 1)


def test_the_password_was_wrong_too_often(world: World, phone: Phone) -> None:
    person = factories.a_person()
    factories.a_roster_entry(person)
    trainee = Screens(world)
    for _ in range(5):
        trainee.login(person.id_number, "falsch-2026")
    refused = trainee.login(person.id_number)
    assert problem_of(refused) == (429, "login_paused")
    assert 0 < refused.get_json()["retry_after"] <= 61
    assert "暂停到" in phone.asks_for(person.id_number)
    assert "密码错误，没有登录" in phone.page()
    assert "登录限制已解除" in phone.press("account.unlock", reason="by_phone")
    assert not phone.has("account.unlock")
    assert trainee.login(person.id_number).status_code == 200


def test_strangers_tried_passwords_and_the_owner_has_no_phone(world: World, phone: Phone) -> None:
    person = factories.a_person(phone=None)
    factories.a_roster_entry(person)
    for number in range(10):
        Screens(world, address=f"10.9.0.{number}").login(person.id_number, "falsch-2026")
    trainee = Screens(world)
    assert problem_of(trainee.login(person.id_number)) == (403, "login_code_needed")
    assert "登录须加短信验证码" in phone.asks_for(person.id_number)
    phone.press("account.unlock", reason="in_person")
    assert trainee.login(person.id_number).status_code == 200


def test_the_phone_is_lost_and_another_one_takes_its_place(world: World, phone: Phone, colleague: Browser) -> None:
    person = factories.a_person(phone="13800001111")
    factories.an_enrolment(person)
    trainee = Screens(world)
    trainee.login(person.id_number)
    phone.asks_for(person.id_number)
    said = phone.press("staff.phone", say_phone="139 0000 2222", note="电话核对了三项报名信息")
    assert "等待另一位同事" in said
    assert "已有一件同样的申请" in phone.press("staff.phone", say_phone="13900002222", note="再按一次")
    case = Case.get(Case.kind == "account.phone_change")
    own = phone.browser.post(f"/console/cases/{case.id}/decide", {"decision": "agree"})
    assert own.status_code == 403
    assert Person.get_by_id(person.id).phone == "13800001111"
    shown = agree(colleague, "account.phone_change")
    assert "139****2222" in shown
    assert "13900002222" not in shown, "in the clear for a reason only"
    assert Person.get_by_id(person.id).phone == "13900002222"
    in_background()
    told = sorted(sms.phone for sms in Sms.select().where(Sms.template == "security_notice"))
    assert told == ["13800001111", "13900002222"], "the old phone hears of it as well"
    assert trainee.call("GET", "/me").status_code == 401, "whoever has the old phone is signed in no longer"
    assert trainee.login(person.id_number).status_code == 200
    assert trainee.me()["phone"] == "139****2222"


def test_an_sms_did_not_arrive_and_comes_again_to_the_phone_of_today(world: World, phone: Phone) -> None:
    graduate = a_graduate()
    in_background()
    sms = Sms.get(Sms.template == "exam_passed")
    morning = shanghai(utcnow() + timedelta(days=1)).replace(hour=10).astimezone(UTC)  # no SMS goes out at night
    notify.send(sms.id, now=morning)
    Sms.update(status=SmsStatus.UNDELIVERED).where(Sms.id == sms.id).execute()
    phone.asks_for(graduate.person.id_number)
    assert "没有送达手机" in phone.page()
    assert "已重新发往" in phone.press("notify.again", reason="not_received")
    again = Sms.get(Sms.key == f"again:{sms.id}")
    assert "已经办过" in phone.send("notify.again", target=sms.id, reason="not_received")
    assert Sms.select().where(Sms.key.startswith("again:")).count() == 1
    notify.send(again.id, now=morning + timedelta(hours=1))
    texts = [message["params"] for message in received(world, graduate.person.phone)]
    assert texts.count(["塔机司机继续教育"]) >= 1


def test_a_code_is_not_sent_again_by_support(world: World, phone: Phone) -> None:
    person = factories.a_person()
    factories.a_roster_entry(person)
    Screens(world).post("/password-reset/code", programme="yunnan", id_number=person.id_number)
    in_background()
    sms = Sms.get(Sms.template == "password_reset_code")
    phone.asks_for(person.id_number)
    assert not phone.has("notify.again")
    assert "已经办过" in phone.send("notify.again", target=sms.id, reason="not_received")


# --- who somebody is ---------------------------------------------------------------------------------------------


def test_the_id_number_on_the_roster_was_wrong(world: World, phone: Phone, colleague: Browser) -> None:
    person = factories.a_person(name="张建国")
    factories.an_enrolment(person)
    right = factories.an_id_number()
    trainee = Screens(world)
    assert trainee.login(right).status_code == 401
    phone.asks_for(person.id_number)
    assert "身份证号不正确" in phone.press("staff.identity", say_id_number="530102190001011234", note="看了身份证")
    assert "等待另一位同事" in phone.press("staff.identity", say_id_number=right, note="看了身份证照片")
    agree(colleague, "account.identity")
    assert trainee.login(right).status_code == 200
    assert problem_of(Screens(world, "10.3.0.1").login(person.id_number)) == (401, "login_failed")


def test_that_an_id_number_has_an_account_is_told_seldom_and_written_down(world: World, phone: Phone) -> None:
    person, other = factories.a_person(name="张建国"), factories.a_person()
    factories.an_enrolment(person)
    factories.a_roster_entry(other, programme="henan")
    page = f"/console/people/{person.id}"
    form = {"target": f"person:{person.id}", "note": "看了身份证", "say_id_number": str(other.id_number)}
    phone.browser.get(page)

    def tried() -> str:
        return html.unescape(phone.browser.post(f"{page}/help/staff.identity", form).text)

    assert "已经属于另一位学员" in tried()
    (line,) = AuditEntry.select().where(AuditEntry.action == "person.number_taken")
    assert (line.subject, line.programme, str(other.id_number) in line.data) == (
        f"person:{person.id}",
        "yunnan",
        False,
    )
    assert "得知这个身份证号已有账号" in phone.browser.get(page).text
    for _ in range(looks.MOST - 1):
        audit.record(line.actor, "person.unmasked", "person:x", now=utcnow())
    assert "一小时内查看的原始信息太多" in tried()
    assert AuditEntry.select().where(AuditEntry.action == "person.number_taken").count() == 1


def test_while_one_correction_waits_no_other_number_is_answered(world: World, phone: Phone) -> None:
    person, other = factories.a_person(name="张建国"), factories.a_person()
    factories.an_enrolment(person)
    phone.asks_for(person.id_number)
    phone.press("staff.identity", say_id_number=factories.an_id_number(), note="看了身份证照片")
    for number in (other.id_number, factories.an_id_number()):
        assert "已有一件同样的申请" in phone.press("staff.identity", say_id_number=number, note="看了身份证照片")
    assert not AuditEntry.select().where(AuditEntry.action == "person.number_taken").exists()


def test_a_changed_name_is_corrected_and_the_proof_of_before_becomes_a_case(
    world: World, phone: Phone, colleague: Browser
) -> None:
    graduate = a_graduate(name="张小红")
    proof = graduate.proof
    assert proof.name == "张小红"
    phone.asks_for(graduate.person.id_number)
    phone.press("staff.identity", say_name="张红", note="看了户口本上的曾用名")
    agree(colleague, "account.identity")
    outbox.sweep(now=utcnow())
    assert graduate.proof.name == "张小红", "what was issued keeps its text"
    assert Person.get_by_id(graduate.person.id).name == "张红"
    page = phone.page()
    assert "证明与更正后的身份不一致" in page
    case = Case.get(Case.kind == "certificate.identity_differs")
    assert "姓名" in html.unescape(colleague.get(f"/console/cases/{case.id}").text)


def test_two_accounts_of_one_person_become_one(world: World, phone: Phone, colleague: Browser) -> None:
    keep, gone = factories.a_person(), factories.a_person()
    factories.a_roster_entry(keep)
    enrolment = factories.an_enrolment(gone)
    trainee, old = Screens(world), Screens(world, "10.2.0.1")
    trainee.login(keep.id_number)
    old.login(gone.id_number)
    phone.asks_for(keep.id_number)
    assert "等待另一位同事" in phone.press("enrol.merge", say_id_number=gone.id_number, note="两张身份证复印件")
    case = Case.get(Case.kind == "account.merge")
    assert str(gone.id_number) in colleague.hx(f"/console/cases/{case.id}/unmask", {"reason": "核对两张身份证"}).text
    unmasked = AuditEntry.select(AuditEntry.subject).where(AuditEntry.action == "person.unmasked").tuples()
    assert {subject for (subject,) in unmasked} == {f"person:{keep.id}", f"person:{gone.id}"}
    agree(colleague, "account.merge")
    assert Enrolment.get_by_id(enrolment.id).person_id == keep.id
    assert (trainee.call("GET", "/me").status_code, old.call("GET", "/me").status_code) == (401, 401)
    assert problem_of(old.login(gone.id_number)) == (401, "login_failed")
    assert trainee.login(keep.id_number).status_code == 200
    listed = trainee.call("GET", "/enrolments").get_json()["enrolments"]
    assert [one["id"] for one in listed] == [enrolment.id]
    assert phone.asks_for(gone.id_number) == phone.page(), "found by either number"
    assert phone.person_id == keep.id
    assert phone.browser.get(f"/console/people/{gone.id}").headers["Location"] == f"/console/people/{keep.id}"


def test_two_accounts_of_different_programmes_are_seen_together_by_those_of_both(world: World, phone: Phone) -> None:
    keep, gone = factories.a_person(name="欧阳海燕"), factories.a_person(name="司马长风")
    factories.a_roster_entry(keep)
    factories.a_roster_entry(gone, programme="henan")
    desks = [
        at_desk(world, a_member(*((Right.SUPPORT, where) for where in places), name=name))
        for name, places in (("甲", ("yunnan", "henan")), ("乙", ("yunnan",)), ("丙", (EVERYWHERE,)))
    ]
    both, only, chief = desks
    caller = Phone(both)
    caller.asks_for(keep.id_number)
    told = caller.press("enrol.merge", say_id_number=gone.id_number, note="电话核实")
    assert "由负责全部项目的客服核对" in told
    case = Case.get(Case.kind == "account.merge")
    reason = {"reason": "核对合并申请"}
    for desk in (only, both):
        for answer in (desk.get(f"/console/cases/{case.id}"), desk.hx(f"/console/cases/{case.id}/unmask", reason)):
            assert (answer.status_code, str(gone.id_number) in answer.text) == (404, False)
    assert str(gone.id_number) in chief.hx(f"/console/cases/{case.id}/unmask", reason).text
    agree(chief, "account.merge")
    assert Person.get_by_id(gone.id).merged_into == keep.id
    outbox.sweep(now=utcnow())
    assert Sms.select().where(Sms.template == "security_notice").count() == 2, "both are told"


def test_a_merge_belongs_to_a_programme_that_both_share(world: World) -> None:
    keep, gone = factories.a_person(), factories.a_person()
    for person, where in ((keep, "henan"), (keep, "yunnan"), (gone, "yunnan")):
        factories.a_roster_entry(person, programme=where)
    caller = Phone(at_desk(world, a_member((Right.SUPPORT, "henan"), (Right.SUPPORT, "yunnan"))))
    caller.asks_for(keep.id_number)
    caller.press("enrol.merge", say_id_number=gone.id_number, note="电话核实")
    assert Case.get(Case.kind == "account.merge").programme == "yunnan"


def test_two_accounts_with_the_same_course_open_are_not_merged(world: World, phone: Phone) -> None:
    keep, gone = factories.a_person(), factories.a_person()
    factories.an_enrolment(keep)
    factories.an_enrolment(gone)
    phone.asks_for(keep.id_number)
    said = phone.press("enrol.merge", say_id_number=gone.id_number, note="同一个人")
    assert "都有没办完的“塔机司机”报名，不能合并" in said
    assert Case.select().count() == 0


# --- photo and face ----------------------------------------------------------------------------------------------


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


# --- study -------------------------------------------------------------------------------------------------------


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


# --- exam --------------------------------------------------------------------------------------------------------


def spent(candidate: Candidate, times: int) -> list[Attempt]:
    """So many attempts that broke off."""
    rows = []
    for _ in range(times):
        attempt = candidate.start()
        candidate.later(60)
        exam_service.leave(attempt.id, candidate.person.id, now=candidate.now)
        rows.append(attempt)
    return rows


def test_a_crash_in_the_exam_took_an_attempt_and_it_comes_back(world: World, phone: Phone) -> None:
    candidate = a_candidate(now=utcnow() - timedelta(hours=2))
    spent(candidate, 5)
    path = f"/enrolments/{candidate.enrolment.id}"
    assert (
        call(world, candidate.person, "POST", f"{path}/attempts", {"subject": "TJ"})[1]["code"] == "no_attempts_left"
    )
    page = phone.asks_for(candidate.person.id_number)
    assert "中途离开，本次作废" in page
    assert "请填写说明" in phone.press("exam.give_back", reason="crashed")
    said = phone.press("exam.give_back", reason="crashed", note="学员发来了闪退的截图 10:02")
    assert "这个科目还可以考 1 次" in said
    status, exam = call(world, candidate.person, "GET", f"{path}/exam")
    assert (exam["subjects"][0]["attempts_used"], exam["subjects"][0]["attempts_left"]) == (5, 1)
    assert exam["subjects"][0]["next"]["code"] == "start"
    status, paper = call(world, candidate.person, "POST", f"{path}/attempts", {"subject": "TJ"})
    assert (status, len(paper["questions"])) == (200, 50)
    assert Attempt.select().where(Attempt.enrolment_id == candidate.enrolment.id).count() == 6, "history is kept"
    assert "闪退的截图" in phone.page()
    assert audit_attempts() == []


def test_an_attempt_comes_back_once_however_often_it_is_pressed(world: World, phone: Phone) -> None:
    candidate = a_candidate(now=utcnow() - timedelta(hours=2))
    (attempt,) = spent(candidate, 1)
    phone.asks_for(candidate.person.id_number)
    phone.press("exam.give_back", reason="network", note="运营商停机通知")
    said = phone.send("exam.give_back", target=attempt.id, reason="network", note="运营商停机通知")
    assert "已经办过" in said
    assert AttemptGrant.select().count() == 1
    exam = call(world, candidate.person, "GET", f"/enrolments/{candidate.enrolment.id}/exam")[1]
    assert exam["subjects"][0]["attempts_left"] == 5


def test_the_exams_clock_and_a_lower_score_are_explained_on_the_page(world: World, phone: Phone) -> None:
    """Start, end and score of each attempt; the best one counts."""
    candidate = a_candidate(now=utcnow() - timedelta(hours=3))
    candidate.start()
    candidate.hand_in(range(1, 46))
    candidate.later(60)
    candidate.start()
    candidate.hand_in(range(1, 11))
    page = phone.asks_for(candidate.person.id_number)
    scores = [int(text) for text in re.findall(r"(\d+) 分</span>", page)]
    assert len(scores) == 2
    assert "第 1 次" in page
    assert "第 2 次" in page
    exam = call(world, candidate.person, "GET", f"/enrolments/{candidate.enrolment.id}/exam")[1]
    assert exam["subjects"][0]["best_score"] == max(scores)


def test_an_extension_or_make_up_asked_for_too_early_and_an_expired_certificate(world: World, phone: Phone) -> None:
    """Nothing to press: deadline, attempts and expiry stand there for support to say."""
    candidate = a_candidate(now=utcnow() - timedelta(hours=1))
    spent(candidate, 1)
    RosterEntry.update(expires_on=(utcnow() - timedelta(days=70)).date()).execute()
    page = phone.asks_for(candidate.person.id_number)
    assert "截止" in page
    assert str((utcnow() - timedelta(days=70)).date()) in page
