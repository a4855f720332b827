"""What goes wrong for trainees with getting in, as the manuals list it, and support solves: the call, the
page, the button, and the trainee's next step, over HTTP on both sides."""

from __future__ import annotations

import html
from datetime import UTC, timedelta

from app.account.models import Person
from app.cases.models import Case
from app.core.clock import shanghai, utcnow
from app.notify import service as notify
from app.notify.models import Sms
from app.notify.status import Status as SmsStatus
from tests import factories
from tests.account.screens import Screens, problem_of
from tests.certificate.offices import a_graduate
from tests.console.phone import Phone, agree, call
from tests.notify.conftest import received
from tests.pay.till import in_background
from tests.staffroom import Browser
from tests.world import World


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


def test_a_phone_that_is_another_persons_too_is_said_to_be_so_to_both_who_decide(
    world: World, phone: Phone, colleague: Browser
) -> None:
    person = factories.a_person(phone="13800001111")
    factories.an_enrolment(person)
    factories.a_person(phone="13900002222")
    phone.asks_for(person.id_number)
    assert "登记在别的学员名下" in phone.press("staff.phone", say_phone="13900002222", note="电话核对了报名信息")
    assert "登记在别的学员名下" in agree(colleague, "account.phone_change")


def test_the_phone_is_lost_and_another_one_takes_its_place(world: World, phone: Phone, colleague: Browser) -> None:
    person = factories.a_person(phone="13800001111")
    factories.an_enrolment(person)
    trainee = Screens(world)
    trainee.login(person.id_number)
    phone.asks_for(person.id_number)
    said = phone.press("staff.phone", say_phone="139 0000 2222", note="电话核对了三项报名信息")
    assert "等待另一位同事" in said
    assert "登记在别的学员名下" not in said
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
