from __future__ import annotations

from app.account import service
from app.account.models import Notice, Person
from app.core.audit import AuditEntry
from tests.account.screens import Clock, Screens, another, notices, problem_of, sms_code
from tests.factories import NOW, PASSWORD, a_person, a_session
from tests.world import World

NEW = "13911112222"


def ask(screens: Screens, phone: str = NEW, password: str = PASSWORD) -> tuple[int, str]:
    answer = screens.post("/phone/code", phone=phone, password=password)
    return (200, "") if answer.status_code == 200 else problem_of(answer)


def test_a_new_phone_is_proved_by_a_code_and_the_old_one_is_told(screens: Screens) -> None:
    person = a_person(phone="13812345678")
    screens.token = a_session(person)
    assert ask(screens) == (200, "")
    code = sms_code(person.id_number, "phone")
    assert screens.post("/phone", code=code).get_json() == {"phone": "139****2222"}
    now = Person.get_by_id(person.id)
    assert (now.phone, now.phone_origin) == (NEW, "verified")
    assert notices() == [("phone_changed", "13812345678")]
    message = service.notice_message(Notice.get().id)
    assert message is not None
    assert (message.phone, message.template, message.params[0]) == ("13812345678", "security_notice", "更换手机号")
    entry = AuditEntry.get(AuditEntry.action == "phone.changed")
    assert "138****5678" in entry.data
    assert "13812345678" not in entry.data + str(AuditEntry.select().dicts().get())
    assert problem_of(screens.post("/phone", code=code)) == (422, "code_wrong")


def test_the_password_is_asked_for_and_limited(screens: Screens, clock: Clock) -> None:
    screens.token = a_session(a_person())
    for _ in range(5):
        assert ask(screens, password="Falsch-2026") == (422, "password_wrong")
    assert ask(screens) == (429, "login_paused")
    clock.wait(seconds=61)
    assert ask(screens) == (200, "")


def test_a_wrong_code_changes_nothing(screens: Screens) -> None:
    person = a_person()
    screens.token = a_session(person)
    ask(screens)
    wrong = another(sms_code(person.id_number, "phone"))
    assert problem_of(screens.post("/phone", code=wrong)) == (422, "code_wrong")
    assert Person.get_by_id(person.id).phone == person.phone
    assert notices() == []


def test_a_code_for_one_purpose_does_not_serve_another(screens: Screens) -> None:
    person = a_person()
    screens.token = a_session(person)
    ask(screens)
    body = {"programme": "yunnan", "id_number": person.id_number, "new_password": "Neuanfang-7"}
    code = sms_code(person.id_number, "phone")
    assert problem_of(screens.post("/password-reset", code=code, **body)) == (422, "code_wrong")


def test_the_same_phone_is_no_change(screens: Screens) -> None:
    person = a_person()
    screens.token = a_session(person)
    assert ask(screens, person.phone) == (409, "phone_unchanged")


def test_a_new_phone_has_the_limits_of_every_phone(world: World, clock: Clock) -> None:
    one, two = Screens(world), Screens(world)
    one.token, two.token = a_session(a_person()), a_session(a_person())
    assert ask(one) == (200, "")
    assert ask(two) == (429, "sms_too_often")
    assert ask(one, "13911113333") == (429, "sms_too_often")
    clock.wait(seconds=61)
    assert ask(two) == (200, "")


def test_a_person_without_a_phone_gets_one_and_nobody_is_told(screens: Screens) -> None:
    person = a_person(phone=None, phone_origin=None)
    screens.token = a_session(person)
    ask(screens)
    assert screens.post("/phone", code=sms_code(person.id_number, "phone")).status_code == 200
    assert notices() == []


def test_a_roster_does_not_take_a_verified_phone_away(screens: Screens) -> None:
    person = a_person()
    screens.token = a_session(person)
    ask(screens)
    screens.post("/phone", code=sms_code(person.id_number, "phone"))
    service.find_or_create_people([service.NewPerson(person.id_number, person.name, "13800000000")], now=NOW)
    assert Person.get_by_id(person.id).phone == NEW
