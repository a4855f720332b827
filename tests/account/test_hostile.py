"""Hostile input at each of the account's routes, and who may call them."""

from __future__ import annotations

import pytest

from app.account.models import Consent, VerificationCode
from tests import factories
from tests.account.screens import Screens, problem_of, sms_code
from tests.world import World

NUMBER = factories.an_id_number(4711)
GOOD: dict[str, dict[str, object]] = {
    "/login": {"programme": "yunnan", "id_number": NUMBER, "password": "Falsch-2026", "channel": "web"},
    "/login/code": {"programme": "yunnan", "id_number": NUMBER},
    "/activation": {"code": "000000"},
    "/password": {"new_password": "Neues-Wort-27", "old_password": "Falsch-2026"},
    "/password-reset/code": {"programme": "yunnan", "id_number": NUMBER},
    "/password-reset": {
        "programme": "yunnan", "id_number": NUMBER, "code": "000000", "new_password": "Neues-Wort-27",
    },
    "/consents": {"kind": "agreement", "version": "1", "agreed": True},
    "/phone/code": {"phone": "13900139000", "password": "Falsch-2026"},
    "/phone": {"code": "000000"},
}  # fmt: skip
VALUES: list[object] = [
    None, 0, -1, 1.5, True, [], {}, ["x"], {"$ne": ""}, "", " ", "\x00", "\ud800", "x" * 5000, "' OR 1=1 --",
    "../../etc/passwd", "１２３４５６", "٠١٢٣٤٥", "12345\n", "123456\n", "<script>", "%00", "🙂" * 10,
]  # fmt: skip
WHOLE: list[object] = [None, [], "text", 7, {}, {"unknown": 1}, {"programme": {}}]
# what a value of the list may be without being wrong: a free text
FREE = {("/login", "password"), ("/password", "old_password"), ("/phone/code", "password")}


@pytest.mark.parametrize("path", GOOD)
def test_wrong_bodies_are_refused_in_words(world: World, screens: Screens, path: str) -> None:
    screens.token = factories.a_session(factories.a_person())
    for body in WHOLE:
        answer = screens.call("POST", path, body)
        assert problem_of(answer)[0] in (400, 415, 422), (path, body)


@pytest.mark.parametrize("path", GOOD)
def test_hostile_values_are_refused_and_named(world: World, screens: Screens, path: str) -> None:
    screens.token = factories.a_session(factories.a_person())
    consents = Consent.select().count()
    for name in GOOD[path]:
        for value in VALUES:
            if (path, name, value) == ("/consents", "agreed", True):
                continue
            answer = screens.call("POST", path, GOOD[path] | {name: value})
            status, _ = problem_of(answer)
            assert 400 <= status < 500, (path, name, value)
            if status == 422 and (path, name) not in FREE and name != "new_password":
                assert list(answer.get_json().get("fields", {})) == [name], (path, name, value)
    assert VerificationCode.select().count() == 0
    assert Consent.select().count() == consents


@pytest.mark.parametrize(
    "path", ["/activation/code", *(path for path in GOOD if "login" not in path and "reset" not in path)]
)
def test_without_a_session_nothing_is_done(world: World, screens: Screens, path: str) -> None:
    for token in ("", "x", "a.b", "é"):
        screens.token = token
        assert problem_of(screens.call("POST", path, GOOD.get(path)))[0] == 401
    assert VerificationCode.select().count() == 0


def test_a_body_over_its_bound_is_not_read(world: World, screens: Screens) -> None:
    answer = screens.post("/login", **GOOD["/login"] | {"password": "x" * 70_000})
    assert problem_of(answer) == (413, "too_large")


def test_a_session_of_a_first_password_opens_nothing_but_the_activation(world: World, screens: Screens) -> None:
    person = factories.a_person(activated=False)
    assert screens.login(person.id_number, "12345678").get_json()["next"] == "activate"
    for path in ("/phone/code", "/phone"):
        assert problem_of(screens.call("POST", path, GOOD[path])) == (403, "sign_in_unfinished")
    answer = screens.post("/password", new_password="Neues-Wort-27")
    assert problem_of(answer) == (403, "activation_needed")
    assert screens.call("GET", "/me").get_json()["next"] == "activate"


def test_a_code_opens_only_the_account_it_was_sent_for(world: World) -> None:
    owner, stranger = factories.a_person(activated=False), factories.a_person(activated=False)
    at_home, elsewhere = Screens(world, "10.2.0.1"), Screens(world, "10.2.0.2")
    at_home.login(owner.id_number, "12345678")
    elsewhere.login(stranger.id_number, "12345678")
    assert at_home.post("/activation/code").status_code == 200
    code = sms_code(owner.id_number, "activation")
    assert problem_of(elsewhere.post("/activation", code=code)) == (422, "code_wrong")
    assert at_home.post("/activation", code=code).status_code == 200


def test_a_code_is_good_for_its_purpose_only(world: World, screens: Screens) -> None:
    person = factories.a_person(activated=False)
    screens.login(person.id_number, "12345678")
    screens.post("/password-reset/code", programme="yunnan", id_number=person.id_number)
    code = sms_code(person.id_number, "reset")
    assert problem_of(screens.post("/activation", code=code)) == (422, "code_wrong")


def test_me_is_masked(world: World, screens: Screens) -> None:
    person = factories.a_person(name="欧阳建国")
    screens.token = factories.a_session(person)
    text = screens.call("GET", "/me").get_data(as_text=True)
    for whole in (person.name, person.id_number, person.phone):
        assert whole not in text
    assert screens.me()["id_number"] == person.id_number[:3] + "*" * 11 + person.id_number[-4:]
