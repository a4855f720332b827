"""Who may study, what passes and proofs do, and when an enrolment lapses."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.account.models import Person
from app.core import db, outbox
from app.core.clock import utcnow
from app.core.db import BaseModel, transaction
from app.core.errors import Problem
from app.enrol import queries, service
from app.enrol.models import Enrolment, EnrolmentEvent
from app.enrol.status import NotAllowed
from jobs.schedule import SCHEDULE
from tests.enrol.conftest import body
from tests.factories import a_person, a_roster_entry, an_enrolment, auth
from tests.world import World

NOW = datetime(2021, 12, 16, 4, tzinfo=UTC)
DEADLINE = datetime(2022, 1, 16, 15, 59, 59, 999_999, tzinfo=UTC)
TICK = timedelta(microseconds=1)


def tell(event: str, row: Enrolment, now: datetime = NOW) -> None:
    """Another domain's event, delivered."""
    with transaction():
        outbox.emit(event, row.id, {"enrolment_id": row.id}, now=now)
    outbox.sweep(now=now)


def status(row: Enrolment) -> str:
    return str(service.get(row.id).status)


def refused(row: Enrolment, person_id: str, now: datetime = NOW) -> str:
    with pytest.raises(Problem) as caught:
        service.study_access(row.id, person_id, now=now)
    return caught.value.code


# --- who may study -----------------------------------------------------------------------------------------------


def test_the_last_moment_of_the_study_period_is_in_time(person: Person) -> None:
    row = an_enrolment(person, study_deadline=DEADLINE)

    assert service.study_access(row.id, person.id, now=DEADLINE).id == row.id
    assert refused(row, person.id, DEADLINE + TICK) == "study_period_over"


def test_who_has_not_paid_may_not_study(person: Person) -> None:
    assert refused(an_enrolment(person, "signed_up"), person.id) == "not_paid_yet"


def test_who_has_lapsed_may_not_study_and_who_has_passed_may_look_again(person: Person) -> None:
    assert refused(an_enrolment(person, "lapsed"), person.id) == "study_period_over"
    for state in ("passed", "completed"):
        row = an_enrolment(person, state, study_deadline=DEADLINE)
        assert service.study_access(row.id, person.id, now=DEADLINE + timedelta(days=365)).id == row.id


@pytest.mark.parametrize("state", ["signed_up", "studying", "lapsed"])
def test_another_persons_enrolment_is_not_found_whatever_its_status(person: Person, state: str) -> None:
    assert refused(an_enrolment(a_person(), state), person.id) == "not_found"
    with pytest.raises(Problem):
        service.get("0" * 16)


# --- passed, completed -------------------------------------------------------------------------------------------


def test_a_pass_and_a_proof_bring_an_enrolment_to_its_end(person: Person) -> None:
    row = an_enrolment(person)

    tell("exam.passed", row)
    assert (status(row), service.get(row.id).passed_at) == ("passed", NOW)

    tell("proof.issued", row)
    done = service.get(row.id)
    assert (done.status, done.completed_at, done.open_entry_id) == ("completed", NOW, None)
    assert [event.status for event in queries.history(row.id)] == ["passed", "completed"]


def test_a_proof_heard_of_before_its_pass_ends_the_same(person: Person) -> None:
    row = an_enrolment(person)

    tell("proof.issued", row)
    tell("exam.passed", row)

    assert status(row) == "completed"
    assert service.get(row.id).passed_at == NOW


def test_a_pass_heard_of_after_the_study_period_counts(person: Person) -> None:
    row = an_enrolment(person, study_deadline=DEADLINE)
    service.lapse(now=DEADLINE + TICK)
    assert status(row) == "lapsed"

    tell("exam.passed", row, DEADLINE + timedelta(minutes=1))

    assert status(row) == "passed"


def test_a_late_pass_does_not_take_the_place_of_a_newer_enrolment(person: Person) -> None:
    entry = a_roster_entry(person)
    old = an_enrolment(person, "lapsed", entry=entry)
    new = an_enrolment(person, "signed_up", entry=entry)

    tell("exam.passed", old)

    assert (status(old), service.get(new.id).open_entry_id) == ("passed", entry.id)


def test_a_pass_of_an_unpaid_enrolment_is_refused_and_tried_again(person: Person) -> None:
    row = an_enrolment(person, "signed_up")

    with pytest.raises(NotAllowed), transaction():
        service.passed({"enrolment_id": row.id}, NOW)
    tell("exam.passed", row)

    assert status(row) == "signed_up"
    waiting = outbox.OutboxMessage.get(outbox.OutboxMessage.subscriber == "enrol.passed")
    assert (waiting.status, waiting.last_error) == ("pending", "NotAllowed")


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.permutations(["exam.passed", "proof.issued", "lapse"]), st.lists(st.integers(0, 2), max_size=3))
def test_passes_proofs_and_the_clock_end_the_same_in_any_order(
    world: World, order: list[str], repeats: list[int]
) -> None:
    row = an_enrolment("person", study_deadline=DEADLINE)
    for name in [*order, *(order[place] for place in repeats)]:
        if name == "lapse":
            service.lapse(now=DEADLINE + TICK)
        else:
            with transaction():
                {"exam.passed": service.passed, "proof.issued": service.completed}[name](
                    {"enrolment_id": row.id}, NOW
                )

    assert status(row) == "completed"
    assert [event.status for event in queries.history(row.id)].count("completed") == 1


# --- lapse -------------------------------------------------------------------------------------------------------


def test_only_those_who_study_past_their_deadline_lapse(person: Person) -> None:
    late = an_enrolment(person, study_deadline=DEADLINE)
    others = [
        an_enrolment(person, study_deadline=DEADLINE + TICK),
        an_enrolment(person, study_deadline=None),
        an_enrolment(person, "signed_up"),
        an_enrolment(person, "passed", study_deadline=DEADLINE),
        an_enrolment(person, "completed", study_deadline=DEADLINE),
    ]
    before = [status(row) for row in others]

    assert service.lapse(now=DEADLINE) == 0
    assert service.lapse(now=DEADLINE + TICK) == 1
    assert service.lapse(now=DEADLINE + TICK) == 0

    assert (status(late), service.get(late.id).open_entry_id) == ("lapsed", None)
    assert [status(row) for row in others] == before
    assert [event.action for event in queries.history(late.id)] == ["lapse"]


def test_a_run_is_bounded_and_the_next_one_goes_on(person: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "LAPSE_BATCH", 2)
    for _ in range(3):
        an_enrolment(person, study_deadline=DEADLINE)

    assert [service.lapse(now=DEADLINE + TICK) for _ in range(3)] == [2, 1, 0]


def test_lapsing_is_scheduled_every_minute() -> None:
    entry = {entry.name: entry for entry in SCHEDULE}["enrol.lapse"]

    assert (entry.seconds, entry.run) == (60, service.lapse)


def pass_meanwhile(row: Enrolment, monkeypatch: pytest.MonkeyPatch, *, guarded: bool) -> str:
    """The pass arrives between the reading and the writing of the job."""

    def late(model: type[BaseModel], row_id: str, where: dict[str, Any], values: dict[str, Any]) -> bool:
        service.passed({"enrolment_id": row_id}, NOW)
        return db.compare_and_set(model, row_id, where if guarded else {}, values)

    monkeypatch.setattr(service, "compare_and_set", late)
    service.lapse(now=DEADLINE + TICK)
    return status(row)


def test_a_pass_that_arrives_while_the_job_runs_wins(person: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    row = an_enrolment(person, study_deadline=DEADLINE)

    assert pass_meanwhile(row, monkeypatch, guarded=True) == "passed"
    assert EnrolmentEvent.select().count() == 1


def test_without_the_comparison_the_job_takes_the_pass_back(person: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    row = an_enrolment(person, study_deadline=DEADLINE)

    assert pass_meanwhile(row, monkeypatch, guarded=False) == "lapsed"


# --- the screens -------------------------------------------------------------------------------------------------


def test_a_person_sees_their_enrolments_newest_first(client: FlaskClient, person: Person) -> None:
    older = an_enrolment(person, "completed")
    newer = an_enrolment(person, now=datetime(2021, 12, 16, 4, tzinfo=UTC), study_deadline=DEADLINE)
    an_enrolment(a_person())

    content = body(client.get("/api/v1/enrolments", headers=auth(person)))

    assert [one["id"] for one in content["enrolments"]] == [newer.id, older.id]
    first = content["enrolments"][0]
    assert (first["status"], first["kind_title"], first["fee_fen"]) == ("studying", "塔机司机", 20000)
    assert first["paid_at"] == "2021-12-16T12:00:00+08:00"
    assert first["study_deadline"] == "2022-01-16T23:59:59+08:00"
    assert (first["passed_at"], first["warning"]) == (None, None)


def test_one_enrolment_is_shown_to_its_owner_alone(client: FlaskClient, person: Person) -> None:
    row = an_enrolment(person)

    assert body(client.get(f"/api/v1/enrolments/{row.id}", headers=auth(person)))["id"] == row.id
    for path, reader in ((row.id, a_person()), ("0" * 16, person), ("..%2f..", person)):
        answer = client.get(f"/api/v1/enrolments/{path}", headers=auth(reader))
        assert answer.status_code == 404


def test_an_unpaid_enrolment_of_a_void_certificate_warns_before_paying(client: FlaskClient, person: Person) -> None:
    entry = a_roster_entry(person, expires_on=utcnow().date() - timedelta(days=10))
    row = an_enrolment(person, "signed_up", entry=entry)

    content = body(client.get(f"/api/v1/enrolments/{row.id}", headers=auth(person)))

    assert content["warning"]["code"] == "certificate_void"
    assert (content["paid_at"], content["order_id"]) == (None, None)


def test_no_answer_holds_an_id_number_a_phone_or_a_name(client: FlaskClient, person: Person) -> None:
    an_enrolment(person)
    a_roster_entry(person)

    for path in ("/api/v1/enrolments", "/api/v1/sign-ups?programme=yunnan"):
        text = client.get(path, headers=auth(person)).text
        for secret in (person.id_number, person.phone, person.name):
            assert secret not in text
