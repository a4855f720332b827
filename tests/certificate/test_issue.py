"""Issuing proofs."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rq.timeouts import JobTimeoutException

from app.account.models import Person
from app.certificate import number, queries, service
from app.certificate.audit import audit_proofs
from app.certificate.models import Proof, ProofEvent, ProofPhoto
from app.certificate.status import Action, NotAllowed, Status, next_status
from app.core import db, outbox
from app.enrol.models import Enrolment
from app.face.models import FaceRecord
from app.policy import load
from tests.certificate.offices import a_graduate, a_photo, pass_all
from tests.factories import an_enrolment
from tests.world import World

pytestmark = pytest.mark.usefixtures("world")


def test_a_pass_makes_one_proof_and_completes_the_enrolment() -> None:
    graduate = a_graduate()
    proof = graduate.proof
    assert (proof.status, proof.name, proof.id_number) == (Status.VALID, "张建国", graduate.person.id_number)
    assert number.valid(proof.number)
    assert len(proof.token) == 26
    assert Enrolment.get_by_id(graduate.enrolment.id).status == "completed"
    pass_all(graduate.enrolment, now=graduate.now + timedelta(hours=1))
    service.earned({"enrolment_id": graduate.enrolment.id}, graduate.now)
    assert Proof.select().count() == 1
    assert audit_proofs() == []


def test_the_day_of_issue_is_shanghais() -> None:
    proof = a_graduate(now=datetime(2021, 3, 1, 16, 30, tzinfo=UTC)).proof
    assert queries.issued_on(proof) == date(2021, 3, 2)
    assert proof.number.startswith("ZK20210302")


def test_a_proof_waits_for_its_photo_and_is_issued_when_it_comes() -> None:
    graduate = a_graduate(photo=False)
    assert graduate.proof.status == Status.PENDING_PHOTO
    assert graduate.proof.number is None
    assert Enrolment.get_by_id(graduate.enrolment.id).status == "passed"
    assert audit_proofs() == []
    a_photo(graduate.person, now=graduate.now)
    assert service.issue_waiting(now=graduate.now + timedelta(days=1)) == 1
    assert service.issue_waiting(now=graduate.now + timedelta(days=2)) == 0
    outbox.sweep(now=graduate.now + timedelta(days=2))
    assert Enrolment.get_by_id(graduate.enrolment.id).status == "completed"
    assert audit_proofs() == []


def test_many_that_wait_take_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "BATCH", 2)
    waiting = [a_graduate(photo=False) for _ in range(5)]
    a_photo(waiting[4].person, now=waiting[4].now)
    runs = [service.issue_waiting(now=waiting[4].now + timedelta(seconds=run)) for run in range(1, 4)]
    assert sum(runs) == 1


def test_a_photo_that_cannot_be_read_does_not_stop_the_others(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "BATCH", 1)
    poisoned, healthy = a_graduate(photo=False), a_graduate(photo=False)
    for graduate in (poisoned, healthy):
        a_photo(graduate.person, now=graduate.now)
    file = world.data_dir / "photos" / FaceRecord.get(FaceRecord.person_id == poisoned.person.id).photo_file
    file.write_bytes(file.read_bytes()[:-1] + b"x")
    runs = [service.issue_waiting(now=healthy.now + timedelta(minutes=run)) for run in range(1, 4)]
    assert sum(runs) == 1
    assert healthy.proof.status == Status.VALID
    assert poisoned.proof.status == Status.PENDING_PHOTO


def test_the_workers_alarm_ends_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    a_graduate(photo=False)

    def too_long(proof_id: str, *, now: datetime) -> Proof:
        raise JobTimeoutException()

    monkeypatch.setattr(service, "issue", too_long)
    with pytest.raises(JobTimeoutException):
        service.issue_waiting(now=datetime(2021, 3, 1, tzinfo=UTC))


def issue_in_parallel(proof_id: str, now: datetime) -> None:
    def issue(_: int) -> None:
        with db.connection():
            service.issue(proof_id, now=now)

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(issue, range(6)))


def test_parallel_workers_issue_once() -> None:
    graduate = a_graduate(photo=False)
    a_photo(graduate.person, now=graduate.now)
    issue_in_parallel(graduate.proof.id, graduate.now)
    assert Counter(event.action for event in ProofEvent.select()) == {Action.ISSUE: 1}
    assert audit_proofs() == []


def test_parallel_workers_would_give_two_numbers_without_the_guard(monkeypatch: pytest.MonkeyPatch) -> None:
    graduate = a_graduate(photo=False)
    a_photo(graduate.person, now=graduate.now)
    stale = queries.by_id(graduate.proof.id)
    service.issue(stale.id, now=graduate.now)
    first = graduate.proof.number
    monkeypatch.setattr(queries, "by_id", lambda _id: stale)  # a worker that read before the other's commit
    service.issue(stale.id, now=graduate.now)
    assert graduate.proof.number == first  # the guard holds
    monkeypatch.setattr(
        service,
        "compare_and_set",
        lambda model, row_id, _where, values: bool(model.update(values).where(model.id == row_id).execute()),
    )
    monkeypatch.setattr(ProofPhoto, "create", lambda **_: None)
    service.issue(stale.id, now=graduate.now)
    assert graduate.proof.number != first
    assert audit_proofs() != []


def test_a_taken_number_is_drawn_again(monkeypatch: pytest.MonkeyPatch) -> None:
    first = a_graduate()
    draws = iter([int(first.proof.number[10:17]), 1234567])
    monkeypatch.setattr("app.certificate.service.secrets.randbelow", lambda _below: next(draws))
    second = a_graduate(now=first.now)
    assert second.proof.status == Status.PENDING_PHOTO
    service.issue_waiting(now=first.now)
    assert second.proof.status == Status.VALID
    assert audit_proofs() == []


def test_what_is_printed_does_not_follow_the_person() -> None:
    graduate = a_graduate()
    Person.get_by_id(graduate.person.id)
    graduate.person.name = "改名"
    graduate.person.save()
    a_photo(graduate.person, now=graduate.now, colour=(0, 0, 255))
    sheet = service._sheet(graduate.proof)
    assert sheet.name == "张建国"
    assert service._sheet(graduate.proof).photo == sheet.photo


def test_a_revoked_proof_stays_revoked() -> None:
    graduate = a_graduate()
    proof = graduate.proof
    for _ in range(2):
        service.revoke(proof.id, "查实代考", actor="staff:1", now=graduate.now + timedelta(days=1))
    assert queries.by_id(proof.id).status == Status.REVOKED
    assert [event.action for event in queries.history(proof.id)] == [Action.ISSUE, Action.REVOKE]
    assert service.issue(proof.id, now=proof.issued_at).status == Status.REVOKED
    waiting = a_graduate(photo=False).proof
    with pytest.raises(NotAllowed):
        service.revoke(waiting.id, "", actor="staff:1", now=waiting.earned_at)


def test_a_new_proof_voids_the_old_one_where_the_programme_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    programme = load.programme("yunnan", "2021-02-01")
    assert programme.proof is not None
    rules = msgspec.structs.replace(programme.proof, new_one_voids_old=True)
    old = a_graduate()
    enrolment = an_enrolment(old.person, now=old.now)
    monkeypatch.setattr(queries, "rules_of", lambda _row: rules)
    pass_all(enrolment, now=old.now)
    service.issue_waiting(now=old.now)
    assert old.proof.status == Status.REVOKED
    assert [row.status for row in Proof.select().where(Proof.enrolment_id == enrolment.id)] == [Status.VALID]


def test_the_status_table() -> None:
    allowed = {(Status.PENDING_PHOTO, Action.ISSUE): Status.VALID, (Status.VALID, Action.REVOKE): Status.REVOKED}
    for status in Status:
        for action in Action:
            if (status, action) in allowed:
                assert next_status(status, action) == allowed[status, action]
            else:
                with pytest.raises(NotAllowed):
                    next_status(status, action)


@settings(max_examples=80, deadline=None)
@given(st.dates(date(2021, 1, 1), date(2099, 12, 31)), st.integers(0, 9_999_999), st.data())
def test_a_mistyped_number_is_noticed(day: date, chance: int, data: st.DataObject) -> None:
    right = number.make(day, chance)
    assert number.valid(right)
    place = data.draw(st.integers(2, len(right) - 1))
    wrong = data.draw(st.sampled_from([digit for digit in "0123456789" if digit != right[place]]))
    assert not number.valid(right[:place] + wrong + right[place + 1 :])
    other = data.draw(st.integers(2, len(right) - 1))
    if right[place] != right[other]:
        swapped = list(right)
        swapped[place], swapped[other] = swapped[other], swapped[place]
        assert not number.valid("".join(swapped))


@pytest.mark.parametrize("text", ["", "ZK", "ZK٢٠٢١٠٣٠١١٢٣٤٥٦٧٨٩", "ZK2021030112345678\n", "2021030112345670012"])
def test_what_is_no_number_is_not_valid(text: str) -> None:
    assert not number.valid(text)


def test_the_world_is_used(world: World) -> None:
    assert service.verify_url(a_graduate().proof).startswith(f"{world.settings.public_url}/verify/")
