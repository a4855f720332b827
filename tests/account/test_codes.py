from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest

from app.account import codes, limits, service
from app.account.models import Person, VerificationCode
from app.core import db, outbox
from app.core.db import database, transaction
from app.core.errors import Problem
from app.policy import load
from tests.account.screens import Screens, another, sms_code
from tests.factories import NOW, a_person, an_id_number
from tests.world import World


def issue(person: Person, purpose: codes.Purpose = "activation", **more: Any) -> VerificationCode:
    """A code for the person, to their phone unless told otherwise."""
    values = {"phone": person.phone, "asker": "here", "address": "here", "reserved": True, "now": NOW} | more
    return codes.issue(load.in_force("yunnan", NOW), person.id_number, person, purpose, **values)


def refused(call: Any) -> str:
    with pytest.raises(Problem) as caught:
        call()
    return caught.value.code


def check(person: Person, code: str, *, purpose: codes.Purpose = "activation", after: float = 0) -> VerificationCode:
    return codes.check(person.id_number, purpose, code, asker="here", now=NOW + timedelta(seconds=after))


def test_a_code_is_six_digits_and_lies_nowhere_in_the_clear(world: World) -> None:
    person = a_person()
    row = issue(person)
    code = sms_code(person.id_number, "activation")
    assert len(code) == 6
    assert code.isdigit()
    message = service.code_message(row.id)
    assert message is not None
    assert (message.person_id, message.programme, message.phone) == (person.id, "yunnan", person.phone)
    assert (message.template, message.params) == ("activation_code", [code, "5"])
    assert code not in str(database.execute_sql("select code_sealed, code_hash from verification_code").fetchall())
    assert code not in str(database.execute_sql("select payload from outbox_message").fetchall())


def test_the_right_code_is_used_once(world: World) -> None:
    person = a_person()
    issue(person)
    row = check(person, sms_code(person.id_number, "activation"), after=299)
    codes.use(row, now=NOW)
    assert refused(lambda: codes.use(row, now=NOW)) == "code_wrong"
    assert service.code_message(row.id) is None


def test_a_code_is_good_for_five_minutes_for_one_purpose_and_one_person(world: World) -> None:
    person, other = a_person(), a_person()
    issue(person)
    code = sms_code(person.id_number, "activation")
    assert refused(lambda: check(person, code, after=300)) == "code_wrong"
    assert refused(lambda: check(person, code, purpose="reset")) == "code_wrong"
    assert refused(lambda: check(other, code)) == "code_wrong"
    assert check(person, code)


def test_after_five_wrong_tries_the_right_one_is_wrong_too(world: World) -> None:
    person = a_person()
    issue(person)
    code = sms_code(person.id_number, "activation")
    for _ in range(5):
        assert refused(lambda: check(person, another(code))) == "code_wrong"
    assert refused(lambda: check(person, code)) == "code_wrong"


def test_many_tries_at_once_are_five(world: World) -> None:
    person = a_person()
    row = issue(person)
    wrong = another(sms_code(person.id_number, "activation"))

    def guess(_: int) -> str:
        with db.connection():
            return refused(lambda: check(person, wrong))

    with ThreadPoolExecutor(10) as pool:
        assert set(pool.map(guess, range(20))) == {"code_wrong"}
    assert VerificationCode.get_by_id(row.id).tries == 5


def test_a_new_code_replaces_the_one_before(world: World) -> None:
    person = a_person()
    issue(person)
    old = sms_code(person.id_number, "activation")
    issue(person, now=NOW + timedelta(seconds=61))
    new = sms_code(person.id_number, "activation")
    if old != new:
        assert refused(lambda: check(person, old, after=62)) == "code_wrong"
    assert check(person, new, after=62)


def test_one_a_minute_five_an_hour_ten_a_day_for_a_person(world: World) -> None:
    person = a_person()

    def goes_out(minute: int) -> bool:
        with suppress(Problem):
            issue(person, now=NOW + timedelta(minutes=minute))
            return True
        answer = refused(lambda: issue(person, now=NOW + timedelta(minutes=minute)))
        assert answer == "sms_too_often"
        return False

    minutes = [*range(70), *range(120, 1440, 120), 1439, 1440, 1441]
    assert [minute for minute in minutes if goes_out(minute)] == [*range(5), *range(60, 65), 1440, 1441]
    with pytest.raises(Problem) as caught:
        issue(person, now=NOW + timedelta(minutes=1441, seconds=20))
    assert caught.value.extra["retry_after"] == 41


def test_a_shared_phone_has_one_limit_and_strangers_do_not_see_it(world: World) -> None:
    foreman, worker = a_person(), a_person()
    worker.phone = foreman.phone
    worker.save()
    issue(foreman)
    assert refused(lambda: issue(worker)) == "sms_too_often"
    row = issue(worker, "reset")
    assert service.code_message(row.id) is None
    assert VerificationCode.select().count() == 2


def test_strangers_leave_a_reserve_of_a_phone_and_nobody_gets_past_its_ceiling(world: World) -> None:
    person = a_person()

    def sent(hour: int, reserved: bool) -> bool:
        """One every two hours of this sort, each from an address of its own."""
        more = {"address": f"there {hour} {reserved}", "reserved": reserved, "now": NOW + timedelta(hours=hour)}
        row = issue(person, "reset", **more)
        return service.code_message(row.id) is not None

    assert [sent(hour, False) for hour in range(0, 16, 2)] == [True] * 6 + [False] * 2
    assert [sent(hour, True) for hour in range(1, 11, 2)] == [True] * 4 + [False]
    assert [sent(hour, True) for hour in range(25, 26)] == [True]


def test_a_code_is_good_only_where_it_was_asked_for(world: World) -> None:
    person = a_person()
    issue(person, "reset")
    code = sms_code(person.id_number, "reset")
    issue(person, "reset", asker="there", address="there", reserved=False, now=NOW + timedelta(seconds=1))
    for _ in range(6):
        for asker, guess in (("there", another(code)), ("elsewhere", code)):
            with pytest.raises(Problem) as caught:
                codes.check(person.id_number, "reset", guess, asker=asker, now=NOW + timedelta(seconds=2))
            assert caught.value.code == "code_wrong"
    assert check(person, code, purpose="reset", after=3)


def test_of_many_requests_at_once_one_code_goes_out(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def ask(person: Person) -> str:
        with db.connection():
            try:
                issue(person)
            except Problem as problem:
                return problem.code
            return "sent"

    def outcome() -> list[str]:
        person = a_person()
        with ThreadPoolExecutor(10) as pool:
            return list(pool.map(ask, [person] * 10))

    assert sorted(outcome()) == ["sent"] + ["sms_too_often"] * 9
    monkeypatch.setattr(codes, "_wait", lambda *_: 0)  # the guard off
    assert outcome() == ["sent"] * 10


def test_a_code_for_nobody_is_made_and_never_sent_nor_right(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(outbox._subscribers, "account.code_issued", {"test": lambda *_: None})
    monkeypatch.setattr("secrets.randbelow", lambda _: 7)
    nobody = "53010219900307451X"
    here = {"asker": "here", "address": "here", "reserved": False}
    row = codes.issue(load.in_force("yunnan", NOW), nobody, None, "reset", None, **here, now=NOW)  # type: ignore[arg-type]
    assert [message.key for message in outbox.OutboxMessage.select()] == [row.id]
    assert service.code_message(row.id) is None
    assert refused(lambda: codes.check(nobody, "reset", "000007", asker="here", now=NOW)) == "code_wrong"


def test_the_event_is_in_the_transaction_of_the_code(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(outbox._subscribers, "account.code_issued", {"test": lambda *_: None})
    person = a_person()

    def fails_afterwards() -> None:
        with transaction():
            issue(person)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fails_afterwards()
    assert (VerificationCode.select().count(), outbox.OutboxMessage.select().count()) == (0, 0)
    row = issue(person)
    assert [message.payload for message in outbox.OutboxMessage.select()] == [f'{{"code_id": "{row.id}"}}']


def test_what_counts_no_more_is_forgotten(world: World) -> None:
    person = a_person()
    issue(person)
    limits.count(limits.CODES, "10.0.0.1", now=NOW)
    limits.clear(person.id_number, "10.0.0.1", now=NOW)  # an address that is known for 30 days
    service.open_session(person.id, "yunnan", "web", activated=True, now=NOW)
    assert service.forget(now=NOW + timedelta(hours=30)) == 0
    assert service.forget(now=NOW + timedelta(days=3)) >= 3
    assert service.forget(now=NOW + timedelta(days=3)) == 0
    assert service.forget(now=NOW + timedelta(days=120)) == 2


def test_a_code_is_good_from_another_network_with_its_ticket_only(world: World) -> None:
    person = a_person()
    ask = {"programme": "yunnan", "id_number": person.id_number}
    ticket = Screens(world, "10.6.0.1").post("/password-reset/code", **ask).get_json()["ticket"]
    code = sms_code(person.id_number, "reset")
    elsewhere = Screens(world, "10.6.0.2")
    body = ask | {"code": code, "new_password": "Neues-Wort-27"}
    for wrong in ({}, {"ticket": "x.y"}, {"ticket": ticket[:-2] + "AA"}):
        assert elsewhere.post("/password-reset", **body, **wrong).status_code == 422
    assert elsewhere.post("/password-reset", **body, ticket=ticket).status_code == 200
    assert elsewhere.post("/password-reset", **body, ticket=ticket).status_code == 422, "once"


def test_a_ticket_is_for_its_person_and_its_purpose(world: World) -> None:
    mine, other = a_person(), a_person()
    here = Screens(world, "10.6.1.1")
    tickets = {
        (person.id, path): here.post(path, programme="yunnan", id_number=person.id_number).get_json().get("ticket")
        for person, path in ((mine, "/password-reset/code"), (other, "/login/code"))
    }
    code = sms_code(mine.id_number, "reset")
    elsewhere = Screens(world, "10.6.1.2")
    body = {"programme": "yunnan", "code": code, "new_password": "Neues-Wort-27"}
    stolen = tickets[mine.id, "/password-reset/code"]
    assert elsewhere.post("/password-reset", **body, id_number=other.id_number, ticket=stolen).status_code == 422
    wrong = tickets[other.id, "/login/code"]
    assert elsewhere.post("/password-reset", **body, id_number=other.id_number, ticket=wrong).status_code == 422


def test_five_tries_are_five_tries_with_a_ticket_too(world: World) -> None:
    person = a_person()
    ask = {"programme": "yunnan", "id_number": person.id_number, "new_password": "Neues-Wort-27"}
    here = Screens(world, "10.6.2.1")
    ticket = here.post("/password-reset/code", programme="yunnan", id_number=person.id_number).get_json()["ticket"]
    code = sms_code(person.id_number, "reset")
    for number in range(5):
        there = Screens(world, f"10.6.2.{number + 2}")
        assert there.post("/password-reset", **ask, code=another(code), ticket=ticket).status_code == 422
    assert here.post("/password-reset", **ask, code=code, ticket=ticket).status_code == 422


def test_nobody_gets_a_ticket_that_looks_the_same(world: World) -> None:
    """Somebody unknown gets one too, of the same length, and it opens nothing."""
    here = Screens(world, "10.6.3.1")
    known = here.post("/login/code", programme="yunnan", id_number=a_person().id_number).get_json()
    nobody = here.post("/login/code", programme="yunnan", id_number=an_id_number()).get_json()
    assert known.keys() == nobody.keys()
    assert len(known["ticket"]) == len(nobody["ticket"])


def test_a_guarded_owner_comes_in_from_a_changing_network(world: World) -> None:
    person = a_person()
    for number in range(limits.GUARD_AFTER):
        Screens(world, f"10.6.4.{number}").login(person.id_number, "Falsch-2026")
    asked = Screens(world, "10.6.5.1").post("/login/code", programme="yunnan", id_number=person.id_number)
    code, ticket = sms_code(person.id_number, "login"), asked.get_json()["ticket"]
    assert Screens(world, "10.6.5.2").login(person.id_number, code=code, ticket=ticket).status_code == 200
