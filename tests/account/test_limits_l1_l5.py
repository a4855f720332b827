"""Guessing (fault L1), and that nobody learns which ID numbers are known (fault L5)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from app.account import limits, passwords
from app.account.models import LoginThrottle, VerificationCode
from app.core import outbox
from app.core import passwords as hashing
from app.core import redis as redis_clients
from app.core.clock import utcnow
from app.core.db import database
from app.core.outbox import OutboxMessage
from app.notify.models import Sms
from tests import factories
from tests.account.screens import FIRST, Clock, Screens, another, sms_code
from tests.faults import login
from tests.world import World


class CountingHasher:
    """The real hasher, which counts."""

    def __init__(self) -> None:
        self.real = hashing._hasher
        self.verified = 0

    def verify(self, stored: str, password: str) -> bool:
        self.verified += 1
        return self.real.verify(stored, password)

    def hash(self, password: str) -> str:
        return self.real.hash(password)


@pytest.fixture
def hasher(monkeypatch: pytest.MonkeyPatch) -> CountingHasher:
    counting = CountingHasher()
    monkeypatch.setattr(hashing, "_hasher", counting)
    return counting


# --- L1 ----------------------------------------------------------------------------------------------------------


def test_l1_guesses_over_many_addresses_hit_nothing_and_the_owner_gets_in(world: World) -> None:
    assert login.l1(world, 150) == 0


def test_l1_without_the_limits_they_do(world: World) -> None:
    assert login.l1_twin(world)


def test_l1_without_the_reserve_of_codes_strangers_lock_the_owner_out(world: World) -> None:
    assert login.l1_codes_twin(world)


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


# --- L3 ----------------------------------------------------------------------------------------------------------


def test_l3_a_planted_token_opens_nothing_after_its_owner_signed_in(world: World) -> None:
    assert login.l3(world, 2) == 0


def test_l3_with_a_session_that_is_made_full_in_place_it_does(world: World) -> None:
    assert login.l3_twin(world)


# --- L5 ----------------------------------------------------------------------------------------------------------


def test_l5_a_wrong_password_is_the_same_work_for_everybody(world: World) -> None:
    assert login.l5(world, 1) == 0


def test_l5_without_the_verification_for_nobody_it_is_less(world: World) -> None:
    assert login.l5_twin(world)


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
        bodies = [answer.get_json() | {"request_id": "", "retry_after": "", "ticket": ""} for answer in answers]
        seen.append([(answer.status_code, str(body)) for answer, body in zip(answers, bodies, strict=True)])
    assert seen[0] == seen[1] == seen[2]
    assert [status for status, _ in seen[0]] == [200, 429]
    assert VerificationCode.select().where(VerificationCode.person_id.is_null(False)).count() == 1


@pytest.mark.parametrize("path", ["/login/code", "/password-reset/code"])
def test_l5_asking_for_a_code_is_the_same_work_for_everybody(
    world: World, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    def sort_of(statement: str) -> str:
        words = statement.split()
        return words[0] if words[0] in ("SAVEPOINT", "RELEASE", "ROLLBACK") else " ".join(words[:3])

    execute = database.obj.execute_sql

    def statements(id_number: str, address: str) -> list[str]:
        told: list[str] = []

        def listen(sql: str, *values: Any) -> Any:
            told.append(sort_of(sql))
            return execute(sql, *values)

        with monkeypatch.context() as patch:
            patch.setattr(database.obj, "execute_sql", listen)
            for _ in range(2):  # the second is refused
                Screens(world, address).post(path, programme="yunnan", id_number=id_number)
        return told

    without_phone = factories.a_person(phone=None, phone_origin=None)
    people = (factories.a_person().id_number, without_phone.id_number, factories.an_id_number())
    known, phoneless, nobody = (statements(each, f"10.8.3.{number}") for number, each in enumerate(people))
    assert known == phoneless == nobody
    assert sum(text.startswith("INSERT INTO") for text in known) >= 4
    outcome = OutboxMessage.select().where(OutboxMessage.event == "account.code_issued")
    assert outcome.count() == 3
    for message in outcome:
        assert outbox.deliver(message.id, now=utcnow()) or OutboxMessage.get_by_id(message.id).status == "done"
    assert Sms.select().count() == 1


# --- codes by SMS ------------------------------------------------------------------------------------------------


def test_strangers_who_ask_for_codes_keep_nobody_out(world: World, clock: Clock) -> None:
    person = factories.a_person()
    home = Screens(world)
    assert home.login(person.id_number).status_code == 200
    login.use_up_the_codes(world, person, clock)
    ask = {"programme": "yunnan", "id_number": person.id_number}
    assert home.post("/password-reset/code", **ask).status_code == 200
    code = sms_code(person.id_number, "reset")
    stranger = Screens(world, "10.66.0.1")
    for _ in range(6):  # neither replaces the owner's code, nor uses up its tries
        stranger.post("/password-reset", **ask, code=another(code), new_password="Neues-Wort-27")
    stranger.post("/password-reset/code", **ask)
    assert home.post("/password-reset", **ask, code=code, new_password="Neues-Wort-27").status_code == 200


def test_strangers_who_ask_for_codes_stop_neither_an_activation_nor_a_new_phone(world: World, clock: Clock) -> None:
    new, active = factories.a_person(activated=False), factories.a_person()
    for person in (new, active):
        login.use_up_the_codes(world, person, clock)
    screens = Screens(world)
    screens.login(new.id_number, FIRST)
    assert screens.call("POST", "/activation/code").status_code == 200
    assert screens.post("/activation", code=sms_code(new.id_number, "activation")).status_code == 200
    screens.token = factories.a_session(active, now=clock.now())
    body = {"phone": "13911112222", "password": factories.PASSWORD}
    assert screens.post("/phone/code", **body).status_code == 200


def test_a_building_site_behind_one_address_gets_all_its_codes(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "CODES", replace(limits.CODES, free=3))
    site = "10.9.9.9"
    for _ in range(3):  # asking and bringing are two tries each
        person = factories.a_person()
        ask = {"programme": "yunnan", "id_number": person.id_number}
        assert Screens(world, site).post("/password-reset/code", **ask).status_code == 200
        code = sms_code(person.id_number, "reset")
        answer = Screens(world, site).post("/password-reset", **ask, code=code, new_password="Neues-Wort-27")
        assert answer.status_code == 200
    for _ in range(5):
        screens, person = Screens(world, site), factories.a_person(activated=False)
        screens.login(person.id_number, FIRST)
        assert screens.call("POST", "/activation/code").status_code == 200
        assert screens.post("/activation", code=sms_code(person.id_number, "activation")).status_code == 200


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
