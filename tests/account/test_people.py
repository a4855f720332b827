from __future__ import annotations

import time

import pytest

from app.account import service
from app.account.models import Person
from app.account.service import NameConflict, NewPerson
from app.core.audit import AuditEntry
from app.core.db import database, transaction
from app.core.errors import Problem
from tests.factories import NOW, a_person, an_id_number
from tests.world import World


def test_people_come_back_in_the_order_of_the_rows_and_once_each(world: World) -> None:
    known = a_person(name="李四")
    rows = [
        NewPerson(an_id_number(), "欧阳·买买提", "13800000001"),
        NewPerson(known.id_number, "李四", None),
        NewPerson(an_id_number(), "王五", None),
    ]
    rows.append(rows[0])
    with transaction():
        ids = service.find_or_create_people(rows, now=NOW)
    assert ids[0] == ids[3]
    assert ids[1] == known.id
    assert Person.select().count() == 3
    first = service.get_person(ids[0])
    assert (first.id_number, first.name, first.phone, first.phone_origin, first.password_hash) == (
        rows[0].id_number,
        "欧阳·买买提",
        "13800000001",
        "roster",
        None,
    )
    assert service.find_or_create_people(rows, now=NOW) == ids


def test_another_name_under_the_same_number_is_a_conflict_that_names_the_row(world: World) -> None:
    known = a_person(name="李四")
    rows = [NewPerson(an_id_number(), "王五", None), NewPerson(known.id_number, "李五", None)]
    found = service.look_up_people([*rows, NewPerson(known.id_number, "李四", None)])
    assert found[0] is None
    assert [each and each.same_name for each in found[1:]] == [False, True]
    with pytest.raises(NameConflict) as caught, transaction():
        service.find_or_create_people(rows, now=NOW)
    assert caught.value.position == 1
    assert Person.select().count() == 1


def test_two_names_for_one_number_within_a_roster_are_a_conflict(world: World) -> None:
    number = an_id_number()
    with pytest.raises(NameConflict), transaction():
        service.find_or_create_people([NewPerson(number, "王五", None), NewPerson(number, "王六", None)], now=NOW)
    assert Person.select().count() == 0


def test_a_roster_fills_and_updates_the_phone_of_who_is_not_active_and_never_of_who_is(world: World) -> None:
    nobody, waiting, active = a_person(activated=False, phone=None), a_person(activated=False), a_person()
    verified = a_person(activated=False, phone_origin="verified")
    by_face = a_person(phone=None, phone_origin=None)
    old = active.phone, verified.phone
    people = (nobody, waiting, active, verified, by_face)
    service.find_or_create_people([NewPerson(each.id_number, each.name, "13900000009") for each in people], now=NOW)
    phones = [service.get_person(each.id).phone for each in people]
    assert phones == ["13900000009", "13900000009", *old, None]
    assert AuditEntry.select().where(AuditEntry.action == "phone.from_roster").count() == 2


def test_ten_thousand_rows_take_seconds(world: World) -> None:
    rows = [NewPerson(an_id_number(300_000 + number), "张建国", f"137{number:08d}") for number in range(10_000)]
    began = time.perf_counter()
    with transaction():
        ids = service.find_or_create_people(rows, now=NOW)
    assert len(set(ids)) == 10_000
    assert time.perf_counter() - began < 15


def test_nothing_of_a_person_lies_in_the_clear(world: World) -> None:
    person = a_person(name="赵钱孙李", phone="13912345678")
    stored = str(database.execute_sql("select * from person").fetchall())
    for text in ("赵钱孙李", "13912345678", person.id_number):
        assert text not in stored


def test_who_is_not_there_is_not_found(world: World) -> None:
    for call in (service.get_person, service.get_session):
        with pytest.raises(Problem) as caught:
            call("nobody")
        assert caught.value.code == "not_found"
    assert service.find_by_id_number(an_id_number()) is None
