from __future__ import annotations

import pytest

from app.account import own_password, passwords, service
from app.account.models import Person
from app.core.clock import utcnow
from app.core.errors import Problem
from tests.account.screens import Clock, Screens, another, notices, problem_of, sms_code
from tests.factories import NOW, PASSWORD, a_person, a_session, an_id_number
from tests.world import World

NEW = "Neuanfang-7"


def reset(screens: Screens, id_number: str, code: str, new: str = NEW) -> tuple[int, str]:
    """Reset the password; status, and code of the problem."""
    body = {"programme": "yunnan", "id_number": id_number, "code": code, "new_password": new}
    answer = screens.post("/password-reset", **body)
    return (200, answer.get_json()["next"]) if answer.status_code == 200 else problem_of(answer)


def ask(screens: Screens, id_number: str) -> None:
    answer = screens.post("/password-reset/code", programme="yunnan", id_number=id_number)
    assert answer.status_code == 200
    assert "phone" not in answer.get_json()


# --- change ---


def test_a_change_ends_every_other_session_and_the_owner_is_told(world: World, screens: Screens) -> None:
    person = a_person()
    elsewhere = a_session(person, channel="app")
    screens.login(person.id_number)
    answer = screens.post("/password", new_password=NEW, old_password=PASSWORD)
    assert answer.get_json() == {"next": "home"}
    assert screens.me()["next"] == "home"
    assert service.authenticate(elsewhere, now=utcnow()) is None
    assert notices() == [("password_set", person.phone)]
    assert problem_of(screens.login(person.id_number)) == (401, "login_failed")
    assert screens.login(person.id_number, NEW).status_code == 200


def test_sent_again_it_changes_nothing(screens: Screens) -> None:
    person = a_person()
    screens.login(person.id_number)
    for _ in range(2):
        assert screens.post("/password", new_password=NEW, old_password=PASSWORD).status_code == 200
    assert len(notices()) == 1


@pytest.mark.parametrize("old", [None, "Falsch-2026"])
def test_without_the_old_password_there_is_no_new_one(screens: Screens, old: str | None) -> None:
    person = a_person()
    screens.login(person.id_number)
    body = {"new_password": NEW} | ({"old_password": old} if old else {})
    answer = screens.call("POST", "/password", body)
    assert problem_of(answer) == (422, "password_wrong")
    assert list(answer.get_json()["fields"]) == ["old_password"]


def test_a_stolen_session_does_not_guess_the_password(screens: Screens, clock: Clock) -> None:
    person = a_person()
    screens.login(person.id_number)
    for number in range(5):
        body = {"new_password": f"Raten-{number:03d}", "old_password": "Falsch-2026"}
        assert problem_of(screens.post("/password", **body)) == (422, "password_wrong")
    for new in (PASSWORD, NEW):  # neither field tells
        answer = screens.post("/password", new_password=new, old_password=PASSWORD)
        assert problem_of(answer) == (429, "login_paused")
    clock.wait(seconds=61)
    assert screens.post("/password", new_password=NEW, old_password=PASSWORD).status_code == 200


def test_of_two_changes_at_once_one_wins(world: World) -> None:
    person = a_person()
    before = person.password_hash
    own_password._replace(person, before, "first", NOW)
    with pytest.raises(Problem) as caught:
        own_password._replace(person, before, "second", NOW)
    assert caught.value.code == "conflict"
    assert Person.get_by_id(person.id).password_hash == "first"


# --- forgotten ---


def test_a_code_to_the_phone_on_record_sets_a_new_password_and_ends_all_sessions(screens: Screens) -> None:
    person = a_person()
    screens.token = a_session(person)
    ask(screens, person.id_number)
    assert reset(screens, person.id_number, sms_code(person.id_number, "reset")) == (200, "login")
    assert screens.call("GET", "/me").status_code == 401
    assert notices() == [("password_reset", person.phone)]
    assert screens.login(person.id_number, NEW).get_json()["next"] == "home"
    assert problem_of(screens.login(person.id_number)) == (401, "login_failed")


def test_a_reset_activates_who_was_not_active_and_drops_what_strangers_ticked(screens: Screens) -> None:
    person = a_person(activated=False)
    screens.token = a_session(person, activated=False)
    screens.post("/consents", kind="agreement", version="1", agreed=True)
    ask(screens, person.id_number)
    assert reset(screens, person.id_number, sms_code(person.id_number, "reset"))[0] == 200
    assert Person.get_by_id(person.id).activated_at is not None
    assert screens.login(person.id_number, NEW).get_json()["next"] == "consent"


def test_a_wrong_used_or_late_code_resets_nothing(screens: Screens, clock: Clock) -> None:
    person = a_person()
    ask(screens, person.id_number)
    code = sms_code(person.id_number, "reset")
    assert reset(screens, person.id_number, another(code)) == (422, "code_wrong")
    assert reset(screens, person.id_number, code) == (200, "login")
    assert reset(screens, person.id_number, code, "Nochmal-88") == (422, "code_wrong")
    clock.wait(minutes=2)
    ask(screens, person.id_number)
    late = sms_code(person.id_number, "reset")
    clock.wait(minutes=5)
    assert reset(screens, person.id_number, late, "Nochmal-88") == (422, "code_wrong")
    assert screens.login(person.id_number, NEW).status_code == 200


def test_a_weak_password_does_not_use_the_code_up(screens: Screens) -> None:
    person = a_person()
    ask(screens, person.id_number)
    code = sms_code(person.id_number, "reset")
    assert reset(screens, person.id_number, code, person.id_number[6:14]) == (422, "password_weak")
    assert reset(screens, person.id_number, code) == (200, "login")


def test_who_has_no_phone_gets_no_code_and_the_same_answer(screens: Screens) -> None:
    nobody, silent = an_id_number(), a_person(phone=None, phone_origin=None).id_number
    for number in (nobody, silent):
        ask(screens, number)
        assert reset(screens, number, "123456") == (422, "code_wrong")


def test_a_code_sent_to_the_old_phone_is_worth_nothing_after_a_change(screens: Screens) -> None:
    person = a_person()
    ask(screens, person.id_number)
    code = sms_code(person.id_number, "reset")
    person.phone = "13900000099"
    person.save()
    assert reset(screens, person.id_number, code) == (422, "code_wrong")


# --- hashes ---


def test_hashes_are_argon2id_with_a_salt_of_their_own(world: World) -> None:
    one, two = passwords.hash_(PASSWORD), passwords.hash_(PASSWORD)
    assert one != two
    assert one.startswith("$argon2id$")


def test_a_broken_hash_matches_nothing(screens: Screens) -> None:
    person = a_person(password_hash="broken")
    assert problem_of(screens.login(person.id_number, "broken")) == (401, "login_failed")
