from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.account import limits, service
from app.account.models import Person, Session
from app.core import passwords as hashing
from app.core.audit import AuditEntry
from app.core.clock import utcnow
from tests.account.screens import FIRST, Clock, Screens, problem_of, sms_code
from tests.factories import NOW, a_person, an_id_number
from tests.world import World


@pytest.fixture
def verifications(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The hashes that argon2 was asked to compare with."""
    compared: list[str] = []
    real = hashing._hasher

    class Recording:
        def verify(self, stored: str, password: str) -> bool:
            compared.append(stored)
            return real.verify(stored, password)

        def hash(self, password: str) -> str:
            return real.hash(password)

    monkeypatch.setattr(hashing, "_hasher", Recording())
    return compared


def test_the_own_password_opens_a_full_session(screens: Screens) -> None:
    person = a_person()
    answer = screens.login(person.id_number)
    assert answer.status_code == 200
    body = answer.get_json()
    assert (body["activated"], body["must_change_password"], body["next"]) == (True, False, "home")
    assert screens.me()["next"] == "home"
    assert AuditEntry.get(AuditEntry.action == "login.succeeded").actor == f"person:{person.id}"


def test_the_first_password_opens_nothing_but_the_activation(screens: Screens) -> None:
    person = a_person(activated=False)
    body = screens.login(person.id_number, FIRST).get_json()
    assert (body["activated"], body["must_change_password"], body["next"]) == (False, True, "activate")
    me = screens.me()
    assert (me["next"], me["activation_methods"]) == ("activate", ["sms", "face"])
    assert (me["name"], me["phone"], me["id_number"]) == (
        "张**",
        person.phone[:3] + "****" + person.phone[-4:],
        person.id_number[:3] + "*" * 11 + person.id_number[-4:],
    )
    assert problem_of(screens.post("/password", new_password="Gongdi-2027")) == (403, "activation_needed")
    for method, path in (("POST", "/phone"), ("POST", "/phone/code"), ("GET", "/photo"), ("GET", "/orders")):
        assert screens.call(method, path, {}).status_code == 403, path


def test_an_active_person_without_an_own_password_is_asked_for_a_proof_again(screens: Screens) -> None:
    person = a_person(password_hash=None)
    assert screens.login(person.id_number, FIRST).get_json()["next"] == "activate"


def test_once_there_is_an_own_password_the_first_one_is_worth_nothing(screens: Screens) -> None:
    assert problem_of(screens.login(a_person().id_number, FIRST)) == (401, "login_failed")


def test_l3_every_sign_in_makes_a_new_token(screens: Screens) -> None:
    person = a_person()
    before = screens.login(person.id_number).get_json()["token"]
    after = screens.login(person.id_number).get_json()["token"]
    assert before != after
    assert Session.select().where(Session.person_id == person.id).count() == 2


def test_an_old_hash_is_verified_and_no_hash_is_ever_empty(verifications: list[str], screens: Screens) -> None:
    screens.login(a_person(activated=False).id_number, FIRST)
    assert len(verifications) == 1
    assert verifications[0].startswith("$argon2id$")


def test_a_small_x_and_spaces_are_taken(screens: Screens) -> None:
    number = next(number for number in iter(an_id_number, None) if number.endswith("X"))
    a_person(id_number=number)
    assert screens.login(f" {number[:6]} {number[6:].lower()}").status_code == 200


def test_an_unknown_programme_is_told(screens: Screens) -> None:
    assert problem_of(screens.login(a_person().id_number, programme="atlantis")) == (404, "unknown_programme")


def test_a_programme_that_is_not_open_yet_is_told(screens: Screens) -> None:
    assert problem_of(screens.login(a_person().id_number, programme="qiannan")) == (409, "programme_not_open")


# --- limits ---


def test_a_success_forgets_the_failures(screens: Screens) -> None:
    person = a_person()
    for _ in range(3):
        for _ in range(4):
            screens.login(person.id_number, "Falsch-2026")
        assert screens.login(person.id_number).status_code == 200


def guard(world: World, id_number: str, first: int = 1) -> None:
    """Ten wrong passwords from ten addresses."""
    for number in range(first, first + 10):
        answer = Screens(world, f"10.2.0.{number}").login(id_number, "Falsch-2026")
        assert problem_of(answer) == (401, "login_failed")


def test_a_guarded_account_asks_for_a_code_known_or_not(world: World, verifications: list[str]) -> None:
    for number in (a_person().id_number, an_id_number()):
        guard(world, number)
        verifications.clear()
        stranger = Screens(world, "10.3.0.1")
        assert problem_of(stranger.login(number)) == (403, "login_code_needed")
        assert verifications == []
        assert problem_of(stranger.login(number, code="123456")) == (422, "code_wrong")
        assert verifications == []
        answer = stranger.post("/login/code", programme="yunnan", id_number=number)
        assert answer.status_code == 200
        assert "phone" not in answer.get_json()


def test_where_the_owner_came_in_before_the_guard_does_not_hold(world: World) -> None:
    person, home = a_person(), Screens(world, "10.4.0.1")
    assert home.login(person.id_number).status_code == 200
    guard(world, person.id_number)
    assert home.login(person.id_number).status_code == 200
    # the owner was here: the count begins anew
    assert Screens(world, "10.4.0.2").login(person.id_number).status_code == 200


def test_elsewhere_the_owner_comes_in_with_password_and_code(world: World) -> None:
    person, site = a_person(), Screens(world, "10.4.0.3")
    guard(world, person.id_number)
    site.post("/login/code", programme="yunnan", id_number=person.id_number)
    code = sms_code(person.id_number, "login")
    assert problem_of(site.login(person.id_number, "Falsch-2026", code=code)) == (401, "login_failed")
    assert site.login(person.id_number, code=code).get_json()["next"] == "home"
    # the count begins anew, and this address is known from now on
    guard(world, person.id_number, 100)
    assert site.login(person.id_number).status_code == 200


def test_a_code_at_the_guard_is_used_once(world: World) -> None:
    person = a_person()
    guard(world, person.id_number)
    Screens(world, "10.4.0.5").post("/login/code", programme="yunnan", id_number=person.id_number)
    code = sms_code(person.id_number, "login")
    assert Screens(world, "10.4.0.5").login(person.id_number, code=code).status_code == 200
    guard(world, person.id_number, 100)
    assert problem_of(Screens(world, "10.4.0.6").login(person.id_number, code=code)) == (422, "code_wrong")


def test_a_code_at_the_guard_proves_the_person_where_the_account_waits(world: World) -> None:
    person, site = a_person(activated=False), Screens(world, "10.4.0.7")
    guard(world, person.id_number)
    site.post("/login/code", programme="yunnan", id_number=person.id_number)
    body = site.login(person.id_number, FIRST, code=sms_code(person.id_number, "login")).get_json()
    assert body["next"] == "password"
    assert Person.get_by_id(person.id).activated_at is not None


def test_the_guard_ends_after_a_quiet_day_even_under_knocking(world: World, clock: Clock) -> None:
    person = a_person()
    guard(world, person.id_number)
    for _ in range(5):
        clock.wait(hours=4)
        assert problem_of(Screens(world, "10.5.0.1").login(person.id_number)) == (403, "login_code_needed")
    clock.wait(hours=5)
    assert Screens(world, "10.5.0.2").login(person.id_number).status_code == 200


def test_a_first_password_does_not_make_an_address_known_nor_lift_the_count(world: World) -> None:
    person, stranger = a_person(activated=False), Screens(world, "10.6.0.1")
    for _ in range(8):
        assert stranger.login(person.id_number, FIRST).status_code == 200
    guard(world, person.id_number)
    assert problem_of(stranger.login(person.id_number, FIRST)) == (403, "login_code_needed")


def test_support_lifts_the_guard_with_a_reason(world: World) -> None:
    person = a_person()
    guard(world, person.id_number)
    service.clear_login_limits(person.id, actor="staff:1", reason="电话核对本人", now=utcnow())
    assert Screens(world, "10.6.0.2").login(person.id_number).status_code == 200
    assert "电话核对本人" in AuditEntry.get(AuditEntry.action == "login.limits_cleared").data


def test_many_at_once_get_no_more_guesses_than_one_after_the_other(
    world: World, verifications: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    person = a_person()

    def guess(number: int) -> int:
        return Screens(world, "10.6.1.1").login(person.id_number, f"Falsch-{number}").status_code

    with ThreadPoolExecutor(12) as pool:
        statuses = list(pool.map(guess, range(24)))
    assert sorted(statuses) == [401] * 5 + [429] * 19
    assert len(verifications) == 5

    monkeypatch.setattr(limits, "_count", lambda *_: None)  # the guard off: every guess is looked at
    verifications.clear()
    other = a_person()
    with ThreadPoolExecutor(12) as pool:
        list(pool.map(lambda n: Screens(world, "10.6.1.2").login(other.id_number, f"Falsch-{n}"), range(9)))
    assert len(verifications) == 9


@given(st.integers(0, 200), st.integers(0, 200))
def test_pauses_never_shrink_and_never_exceed_the_longest(fewer: int, more: int) -> None:
    for limit in (limits.PAIR, limits.ADDRESS, limits.SIGNED_IN, limits.CODES):
        short, long = (
            limits.paused_until(limit, min(fewer, more), NOW) or NOW,
            limits.paused_until(limit, max(fewer, more), NOW) or NOW,
        )
        assert NOW <= short <= long <= NOW + limit.longest_pause
