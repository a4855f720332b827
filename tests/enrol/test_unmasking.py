"""Personal data in the clear: for a reason, within one's programme, not too often, and always written down."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from app.account import looks
from app.account.models import Person
from app.core import audit, db
from app.core.audit import AuditEntry
from app.core.clock import utcnow
from app.core.errors import Problem
from app.core.staff import EVERYWHERE, Right, Staff
from app.enrol import unmasking
from ops import manage
from tests.factories import a_person, a_roster_entry
from tests.world import World

WHY = "核对缴费人电话，案件 123"
NOW = utcnow()


def support(programme: str = "yunnan", right: Right = Right.SUPPORT, name: str = "wang") -> Staff:
    return Staff(f"staff:{name}", frozenset({(right, programme)}))


@pytest.fixture
def person(world: World) -> Person:
    found = a_person()
    a_roster_entry(found)
    return found


def refused(staff: Staff, person: Person, *, reason: str = WHY, programme: str = "yunnan") -> str:
    """The code of the refusal, which leaves no line in the audit log and gives nothing away."""
    before = AuditEntry.select().count()
    with pytest.raises(Problem) as caught:
        unmasking.unmask(staff, programme, person.id, ["phone"], reason=reason, now=NOW)
    assert AuditEntry.select().count() == before
    assert str(person.phone) not in str(caught.value.body())
    return caught.value.code


def test_support_sees_what_was_asked_for_and_the_log_says_why(person: Person) -> None:
    clear = unmasking.unmask(support(), "yunnan", person.id, ["phone", "name"], reason=WHY, now=NOW)
    assert clear == {"name": person.name, "phone": person.phone}
    entry = AuditEntry.get(AuditEntry.action == unmasking.ACTION)
    assert (entry.actor, entry.subject) == ("staff:wang", f"person:{person.id}")
    assert json.loads(entry.data) == {"programme": "yunnan", "fields": "name,phone", "reason": WHY}


@pytest.mark.parametrize("right", [right for right in Right if right not in (Right.SUPPORT, Right.ADMINISTRATOR)])
def test_other_rights_see_nothing(person: Person, right: Right) -> None:
    assert refused(support(right=right), person) == "forbidden"


def test_rights_end_at_the_programme(person: Person) -> None:
    assert refused(support("sichuan"), person) == "forbidden"
    assert refused(support("sichuan"), person, programme="sichuan") == "not_found"
    assert refused(Staff("staff:li", frozenset()), person) == "forbidden"


def test_who_stands_beside_in_a_case_is_on_a_roster_of_theirs_too(person: Person) -> None:
    other = a_person(name="司马长风")
    a_roster_entry(other, programme="henan")

    def look(staff: Staff, programme: str = "yunnan") -> int:
        unmasking.unmask(staff, programme, person.id, ["phone"], reason=WHY, also=other.id, now=NOW)
        mine = AuditEntry.subject == f"person:{other.id}"
        return AuditEntry.select().where(mine, AuditEntry.action == unmasking.ACTION).count()

    with pytest.raises(Problem, match="not_found"):
        look(support())
    assert not AuditEntry.select().where(AuditEntry.action == unmasking.ACTION).exists()
    with pytest.raises(Problem, match="forbidden"):
        look(support(), EVERYWHERE)
    both = Staff("staff:wang", frozenset({(Right.SUPPORT, "yunnan"), (Right.SUPPORT, "henan")}))
    assert look(both) == 1
    assert look(support(EVERYWHERE), EVERYWHERE) == 2


def test_an_administrator_has_every_right_of_the_programme(person: Person) -> None:
    chief = support(right=Right.ADMINISTRATOR)
    assert unmasking.unmask(chief, "yunnan", person.id, ["phone"], reason=WHY, now=NOW)["phone"] == person.phone


@pytest.mark.parametrize("reason", ["", "   ", "核对", "a b", "x" * 201])
def test_a_reason_is_some_words(person: Person, reason: str) -> None:
    assert refused(support(), person, reason=reason) == "unmask_reason"


def test_personal_data_in_a_reason_are_masked(person: Person) -> None:
    unmasking.unmask(support(), "yunnan", person.id, ["phone"], reason=f"本人来电 {person.phone}", now=NOW)
    assert str(person.phone) not in AuditEntry.get(AuditEntry.action == unmasking.ACTION).data


def test_who_looks_at_too_many_is_stopped_for_an_hour(person: Person) -> None:
    for number in range(looks.MOST):
        moment = NOW + timedelta(seconds=number)
        unmasking.unmask(support(), "yunnan", person.id, ["phone"], reason=WHY, now=moment)
    later = NOW + timedelta(minutes=10)
    with pytest.raises(Problem) as caught:
        unmasking.unmask(support(), "yunnan", person.id, ["phone"], reason=WHY, now=later)
    assert caught.value.code == "unmask_too_often"
    wait = int(caught.value.headers["Retry-After"])
    assert wait == 50 * 60 + 1
    unmasking.unmask(support(name="li"), "yunnan", person.id, ["phone"], reason=WHY, now=later)
    over = later + timedelta(seconds=wait)
    unmasking.unmask(support(), "yunnan", person.id, ["phone"], reason=WHY, now=over)


def at_once(person: Person) -> int:
    """How many of 12 looks at one moment get through, where two more are free."""
    for _ in range(looks.MOST - 2):
        audit.record("staff:wang", unmasking.ACTION, "person:x", now=NOW)

    def look(_: int) -> None:
        with db.connection():
            unmasking.unmask(support(), "yunnan", person.id, ["phone"], reason=WHY, now=NOW)

    with ThreadPoolExecutor(12) as pool:
        tries = [pool.submit(look, number) for number in range(12)]
    return sum(one.exception() is None for one in tries)


def test_looks_at_one_moment_are_counted_one_after_the_other(person: Person) -> None:
    assert at_once(person) == 2


def test_they_all_get_through_without_the_count(person: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "moments", lambda *_, **__: [])
    assert at_once(person) == 12


def test_nothing_is_shown_where_the_line_cannot_be_written(person: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(audit, "record", broken)
    with pytest.raises(OSError, match="disk full"):
        unmasking.unmask(support(), "yunnan", person.id, ["phone"], reason=WHY, now=NOW)


def test_the_command_line_shows_it_and_names_who_asked(person: Person, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["unmask", person.id_number, "--programme", "yunnan", "--fields", "phone", "--reason", WHY]
    options = manage.parser().parse_args([*arguments, "--by", "王芳"])
    assert options.run(options) == 0
    assert capsys.readouterr().out == f"phone\t{person.phone}\n"
    assert AuditEntry.get(AuditEntry.action == unmasking.ACTION).actor == "staff:王芳"
