"""Guessing (fault L1), and that nobody learns which ID numbers are known (fault L5)."""

from __future__ import annotations

import pytest

from app.account import passwords
from app.account.models import LoginThrottle, VerificationCode
from app.core import redis as redis_clients
from tests import factories
from tests.account.screens import Screens, sms_code
from tests.faults import login
from tests.world import World


class CountingHasher:
    """The real hasher, which counts."""

    def __init__(self) -> None:
        self.real = passwords._hasher
        self.verified = 0

    def verify(self, stored: str, password: str) -> bool:
        self.verified += 1
        return self.real.verify(stored, password)

    def hash(self, password: str) -> str:
        return self.real.hash(password)


@pytest.fixture
def hasher(monkeypatch: pytest.MonkeyPatch) -> CountingHasher:
    counting = CountingHasher()
    monkeypatch.setattr(passwords, "_hasher", counting)
    return counting


# --- L1 ----------------------------------------------------------------------------------------------------------


def test_l1_guesses_over_many_addresses_hit_nothing_and_the_owner_gets_in(world: World) -> None:
    assert login.l1(world, 150) == 0


def test_l1_without_the_limits_they_do(world: World) -> None:
    assert login.l1_twin(world)


def test_the_limits_hold_without_redis(world: World, screens: Screens, monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> None:
        raise AssertionError("Redis was asked")

    monkeypatch.setattr(redis_clients, "queue", away)
    monkeypatch.setattr(redis_clients, "heartbeat", away)
    person = factories.a_person()
    statuses = [screens.login(person.id_number, "Guess-000001").status_code for _ in range(7)]
    assert statuses == [401] * 5 + [429] * 2


def test_limits_hold_no_id_number_and_no_address(world: World, screens: Screens) -> None:
    person = factories.a_person()
    screens.login(person.id_number, "Guess-000001")
    kept = " ".join(str(row) for row in LoginThrottle.select().dicts())
    assert person.id_number not in kept
    assert screens.address not in kept


def test_a_reset_by_sms_lifts_every_pause(world: World, screens: Screens) -> None:
    person = factories.a_person()
    for number in range(30):
        Screens(world, f"10.7.0.{number % 4}").login(person.id_number, f"Guess-{number:06d}")
    assert screens.login(person.id_number).status_code in (403, 429)
    assert screens.post("/password-reset/code", programme="yunnan", id_number=person.id_number).status_code == 200
    code = sms_code(person.id_number, "reset")
    body = {"programme": "yunnan", "id_number": person.id_number, "code": code, "new_password": "Neues-Wort-27"}
    assert screens.post("/password-reset", **body).status_code == 200
    answer = screens.login(person.id_number, "Neues-Wort-27")
    assert answer.status_code == 200
    assert answer.get_json()["next"] == "home"


# --- L5 ----------------------------------------------------------------------------------------------------------


def test_l5_without_the_verification_for_nobody_the_work_tells(
    world: World, hasher: CountingHasher, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = passwords.matches
    monkeypatch.setattr(
        passwords, "matches", lambda programme, person, password: person and real(programme, person, password)
    )
    hasher.verified = 0
    Screens(world).login(factories.an_id_number(), "Guess-000001")
    unknown = hasher.verified
    Screens(world).login(factories.a_person().id_number, "Guess-000001")
    assert (unknown, hasher.verified) == (0, 1)


@pytest.mark.parametrize("path", ["/login/code", "/password-reset/code"])
def test_l5_asking_for_a_code_tells_nobody_who_is_known(world: World, path: str) -> None:
    known, without_phone = factories.a_person(), factories.a_person(phone=None, phone_origin=None)
    seen = []
    for number, id_number in enumerate((known.id_number, without_phone.id_number, factories.an_id_number())):
        here = Screens(world, f"10.8.1.{number}")
        answers = [here.post(path, programme="yunnan", id_number=id_number) for _ in range(2)]
        bodies = [answer.get_json() | {"request_id": "", "retry_after": ""} for answer in answers]
        seen.append([(answer.status_code, str(body)) for answer, body in zip(answers, bodies, strict=True)])
    assert seen[0] == seen[1] == seen[2]
    assert [status for status, _ in seen[0]] == [200, 429]
    assert VerificationCode.select().where(VerificationCode.phone_sealed.is_null(False)).count() == 1


def test_l5_a_wrong_reset_code_tells_nobody_who_is_known(world: World, hasher: CountingHasher) -> None:
    seen = []
    for number, id_number in enumerate((factories.a_person().id_number, factories.an_id_number())):
        here = Screens(world, f"10.8.2.{number}")
        here.post("/password-reset/code", programme="yunnan", id_number=id_number)
        body = {"programme": "yunnan", "id_number": id_number, "code": "000000", "new_password": "Neues-Wort-27"}
        answers = [here.post("/password-reset", **body) for _ in range(7)]
        seen.append([str(answer.get_json() | {"request_id": ""}) for answer in answers])
    assert seen[0] == seen[1]
    assert hasher.verified == 0
