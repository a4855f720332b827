"""A phone number from WeChat: in place of a code by SMS when the phone is changed, and for nothing else."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from werkzeug.test import TestResponse

from app.account.models import Person
from tests import factories
from tests.account.screens import notices
from tests.wechat.phones import a_phone_code, post
from tests.world import World


def change(world: World, person: Person, code: str, password: str = factories.PASSWORD) -> TestResponse:
    body = {"code": code, "password": password}
    return post(
        world, "/api/v1/wechat/phone", body, factories.auth(person, activated=person.activated_at is not None)
    )


def test_the_number_that_wechat_has_is_the_phone_and_the_old_one_is_told(world: World) -> None:
    person = factories.a_person(phone="13811112222")
    answer = change(world, person, a_phone_code(world.sandbox, "13933334444"))
    assert answer.get_json() == {"phone": "139****4444"}
    now = Person.get_by_id(person.id)
    assert (now.phone, now.phone_origin) == ("13933334444", "verified")
    assert notices() == [("phone_changed", "13811112222")]


def test_the_same_number_again_changes_nothing_and_tells_nobody(world: World) -> None:
    person = factories.a_person(phone="13811112222")
    for _ in range(2):
        answer = change(world, person, a_phone_code(world.sandbox, "13811112222"))
        assert answer.get_json() == {"phone": "138****2222"}
    assert notices() == []
    assert Person.get_by_id(person.id).phone_origin == "roster"


def test_without_the_password_wechat_is_not_even_asked(world: World) -> None:
    person = factories.a_person(phone="13811112222")
    answer = change(world, person, a_phone_code(world.sandbox, "13933334444"), "Falsch-2026")
    assert (answer.status_code, answer.get_json()["code"]) == (422, "password_wrong")
    assert world.sandbox.box.journal.count("wechat", "phone") == 0
    assert Person.get_by_id(person.id).phone == "13811112222"


def test_an_account_that_is_not_active_yet_is_not_opened_by_it(world: World) -> None:
    person = factories.a_person(activated=False, phone="13811112222")
    answer = change(world, person, a_phone_code(world.sandbox, "13811112222"), "12345678")
    assert answer.status_code == 403
    assert Person.get_by_id(person.id).activated_at is None
    assert world.sandbox.box.journal.count("wechat", "phone") == 0


def test_a_code_that_is_brought_many_times_at_once_tells_the_owner_once(world: World) -> None:
    person = factories.a_person(phone="13811112222")
    code = a_phone_code(world.sandbox, "13933334444")
    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(lambda _: change(world, person, code).status_code, range(8)))
    assert statuses.count(200) == 1
    assert len(notices()) == 1


@pytest.mark.parametrize(
    ("kind", "value", "status", "code"),
    [
        ("error", "40029", 409, "phone_code_refused"),
        ("error", "-1", 503, "wechat_unavailable"),
        ("error", 502, 503, "wechat_unavailable"),
        ("garbage", None, 503, "wechat_unavailable"),
        ("alter", {"phone_info": {"watermark": {"appid": "wxforeign"}}}, 503, "wechat_unavailable"),
    ],
)
def test_trouble_changes_nothing_and_is_told_in_words(
    world: World, kind: str, value: object, status: int, code: str
) -> None:
    person = factories.a_person(phone="13811112222")
    world.sandbox.box.knobs.add("wechat", "phone", kind, value)
    answer = change(world, person, a_phone_code(world.sandbox, "13933334444"))
    assert (answer.status_code, answer.get_json()["code"]) == (status, code)
    assert Person.get_by_id(person.id).phone == "13811112222"
    assert notices() == []
