"""Whoever chose the wrong programme at the sign-in is told, once the password was right, and led to theirs."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from werkzeug.test import TestResponse

from app.account import places
from app.account.limits import GUARD_AFTER
from app.account.models import LoginThrottle, Person, Session
from app.core.audit import AuditEntry
from app.policy.schema import Programme
from tests.account.screens import FIRST, Screens, problem_of, sms_code
from tests.factories import a_person, a_roster_entry
from tests.faults import login
from tests.world import World

HERE, THERE = "yunnan", "yunnan-legacy"


def of_the_other(**values: Any) -> Person:
    """Somebody on the roster of the older programme only."""
    person = a_person(**values)
    a_roster_entry(person, programme=THERE)
    return person


def named(answer: TestResponse) -> list[str]:
    """To which programmes the answer leads."""
    assert problem_of(answer) == (409, "other_programme")
    return [one["key"] for one in answer.get_json()["programmes"]]


@pytest.mark.parametrize("activated", [True, False])
def test_a_right_password_in_the_wrong_programme_leads_to_the_right_one(screens: Screens, activated: bool) -> None:
    person = of_the_other(activated=activated)
    password = {} if activated else {"password": FIRST}
    answer = screens.login(person.id_number, **password)
    assert named(answer) == [THERE]
    assert answer.get_json()["programmes"][0]["title"] in answer.get_json()["detail"]
    assert Session.select().count() == 0
    assert AuditEntry.get(AuditEntry.action == "login.other_programme").actor == f"person:{person.id}"
    assert screens.login(person.id_number, programme=THERE, **password).status_code == 200


def test_a_first_password_that_only_the_right_programme_gives_is_right(screens: Screens) -> None:
    person = of_the_other(activated=False)
    assert named(screens.login(person.id_number, person.id_number[-6:])) == [THERE]
    stranger = a_person(activated=False)  # on no roster: in this programme it was never a first password
    assert problem_of(screens.login(stranger.id_number, stranger.id_number[-6:])) == (401, "login_failed")


def test_who_is_on_both_rosters_or_on_none_gets_in(screens: Screens) -> None:
    both, none = of_the_other(), a_person()
    a_roster_entry(both, programme=HERE)
    for person in (both, none):
        assert screens.login(person.id_number).status_code == 200


def test_a_programme_that_is_not_open_leads_nowhere(screens: Screens) -> None:
    person = a_person()
    a_roster_entry(person, programme="qiannan")
    assert screens.login(person.id_number).status_code == 200


def test_it_is_no_failure_and_makes_no_address_known(world: World) -> None:
    person, here = of_the_other(), Screens(world)
    for _ in range(GUARD_AFTER + 1):
        assert named(here.login(person.id_number)) == [THERE]
    assert (
        LoginThrottle.select()
        .where((LoginThrottle.failures > 0) | LoginThrottle.trusted_until.is_null(False))
        .count()
        == 0
    )


def test_a_code_that_came_with_it_is_good_for_the_right_programme(world: World) -> None:
    person = of_the_other()
    for number in range(GUARD_AFTER):
        Screens(world, f"10.12.0.{number}").login(person.id_number, "Falsch-2026")
    site = Screens(world, "10.12.1.1")
    assert problem_of(site.login(person.id_number)) == (403, "login_code_needed"), "the guard comes first"
    site.post("/login/code", programme=HERE, id_number=person.id_number)
    code = sms_code(person.id_number, "login")
    assert named(site.login(person.id_number, code=code)) == [THERE]
    assert site.login(person.id_number, programme=THERE, code=code).status_code == 200


def test_l5_if_nobodys_rosters_were_not_read_the_work_would_tell(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert login.l5(world, 1) == 0
    real = places.elsewhere

    def quick(chosen: Programme, person_id: str | None, *, now: datetime) -> list[Programme]:
        return real(chosen, person_id, now=now) if person_id else []

    monkeypatch.setattr(places, "elsewhere", quick)
    assert login.l5(world, 1) > 0
