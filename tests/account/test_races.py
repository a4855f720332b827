"""What must not slip through between two transactions: sessions, passwords, consents and phones of one person."""

from __future__ import annotations

from functools import partial
from typing import Any
from unittest.mock import patch

import pytest

from app.account import login, own_password, passwords, people, service, sessions
from app.account.models import Person, Session
from app.core.access import Identity
from app.core.clock import utcnow
from app.core.errors import Problem
from tests.factories import NOW, PASSWORD, a_person, a_session, an_id_number
from tests.races import overtaken, unlocked
from tests.world import World

NEW = "Neuanfang-7"


def holder(person: Person, token: str) -> Identity:
    """Who holds the session of this token."""
    found = service.authenticate(token, now=utcnow())
    return found or Identity(person.id, Session.get(Session.person_id == person.id).id, activated=False)


def sign_in(person: Person) -> Any:
    """Sign in with the password of the factories; a refusal is given, not raised."""
    try:
        return login.login("yunnan", person.id_number, PASSWORD, "app", code=None, address="192.0.2.1", now=utcnow())
    except Problem as problem:
        return problem.code


# --- a session that is opened while the password changes ---------------------------------------------------------


def outlives(owner: Any, name: str) -> bool:
    """Somebody who knows the old password signs in while the owner changes it: whether their session lives on."""
    person = a_person()
    who = holder(person, a_session(person))
    with overtaken(owner, name, lambda: own_password.change(who, NEW, PASSWORD, now=utcnow())) as changed:
        signed_in = sign_in(person)
    assert changed == ["home"]
    return signed_in != "login_failed" and service.authenticate(signed_in.token, now=utcnow()) is not None


def test_a_session_by_the_old_password_does_not_outlive_its_change(world: World) -> None:
    assert not outlives(passwords, "matches")


def test_nor_does_one_that_is_opened_while_it_changes(world: World) -> None:
    assert not outlives(service, "get_person")


def test_twin_without_the_lock_it_does(servers_only: None) -> None:
    with unlocked():
        assert outlives(service, "get_person")


# --- a consent and the first password at one moment --------------------------------------------------------------


def is_full(world: World) -> bool:
    """The last two steps of getting in arrive at one moment: whether the session is a full one afterwards."""
    person = a_person(activated=False, activated_at=NOW)
    token = service.open_session(person.id, "yunnan", "web", activated=True, now=utcnow())
    who = holder(person, token)
    version = service.CONSENT_VERSIONS["agreement"]
    with overtaken(sessions, "complete_sessions", lambda: own_password.change(who, NEW, None, now=utcnow())):
        service.give_consent(person.id, "agreement", version, now=utcnow(), session_id=who.session_id)
    found = service.authenticate(token, now=utcnow())
    return found is not None and found.activated


def test_a_consent_and_a_password_at_one_moment_make_a_full_session(world: World) -> None:
    assert is_full(world)


def test_twin_without_the_lock_neither_of_them_sees_the_other(world: World, servers_only: None) -> None:
    with unlocked():
        assert not is_full(world)


# --- a roster's phone while the person is activated --------------------------------------------------------------


def phone_after() -> str:
    """A roster brings a new phone while the person is activated by the old one: the phone afterwards."""
    person = a_person(activated=False, phone="13800000001", phone_origin="roster")
    rows = [service.NewPerson(person.id_number, person.name, "13800000002")]
    activate = partial(service.activate, person.id, "sms:1", now=utcnow())
    with overtaken(people, "_by_id_number", activate, held=10) as activated:
        service.find_or_create_people(rows, now=utcnow())
    assert activated == [True]
    return str(service.get_person(person.id).phone)


def test_a_roster_does_not_change_the_phone_of_a_person_activated_at_that_moment(world: World) -> None:
    assert phone_after() == "13800000001"


def test_twin_without_comparing_it_does(world: World) -> None:
    def whatever_was_there(model: Any, row_id: str, _where: Any, values: Any) -> bool:
        return bool(model.update(values).where(model.id == row_id).execute())

    with patch.object(people, "compare_and_set", whatever_was_there):
        assert phone_after() == "13800000002"


# --- two rosters with the same new person ------------------------------------------------------------------------


def test_two_rosters_with_the_same_new_person_make_one(world: World) -> None:
    rows = [service.NewPerson(an_id_number(), "张建国", None)]
    again = partial(service.find_or_create_people, rows, now=utcnow())
    with overtaken(people, "_by_id_number", again, held=10) as other:
        with pytest.raises(Exception, match=r"(?i)unique|duplicate"):
            service.find_or_create_people(rows, now=utcnow())
    assert [row.id for row in Person.select()] == other[0]
