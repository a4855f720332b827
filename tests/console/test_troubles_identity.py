"""What goes wrong for trainees with who somebody is, as the manuals list it, and support solves: the call, the
page, the button, and the trainee's next step, over HTTP on both sides."""

from __future__ import annotations

import html

import pytest

from app.account import looks
from app.account.models import Person
from app.cases.models import Case
from app.core import audit, outbox
from app.core.audit import AuditEntry
from app.core.clock import utcnow
from app.core.staff import EVERYWHERE, Right
from app.enrol.models import Enrolment
from app.notify.models import Sms
from tests import factories
from tests.account.screens import Screens, problem_of
from tests.certificate.offices import a_graduate
from tests.console.phone import Phone, agree
from tests.staffroom import Browser, a_member, at_desk
from tests.world import World


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


@pytest.mark.parametrize("name", ['=HYPERLINK("http://x.cn","点")', "<b>董</b>=1+1", "张", "·张三", "张三1"])
def test_what_is_no_name_becomes_nobodys_name(world: World, phone: Phone, name: str) -> None:
    person = factories.a_person(name="董刚")
    factories.an_enrolment(person)
    phone.asks_for(person.id_number)
    assert "只能填写姓名" in phone.press("staff.identity", say_name=name, note="看了身份证")
    assert Case.select().count() == 0


def test_a_corrected_name_is_kept_in_the_form_of_the_roster(world: World, phone: Phone, colleague: Browser) -> None:
    person = factories.a_person(name="买买提")
    factories.an_enrolment(person)
    phone.asks_for(person.id_number)
    phone.press("staff.identity", say_name=" 买买提 • 艾力 ", note="看了身份证")
    agree(colleague, "account.identity")
    assert Person.get_by_id(person.id).name == "买买提·艾力"


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
