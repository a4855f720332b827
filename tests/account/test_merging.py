"""Two accounts become one: everything of both stays true, whatever arrives at the same moment."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from unittest.mock import patch

import pytest

from app.account import login, merging, passwords, service, sessions
from app.account.identity import correct, whose
from app.account.models import Person, Session
from app.account.people import NewPerson, find_or_create_people
from app.cases import service as cases
from app.cases.models import Case
from app.certificate.models import Proof
from app.core import outbox
from app.core.clock import utcnow
from app.core.errors import Problem
from app.enrol import queries as enrolments
from app.enrol.models import Enrolment, RosterEntry
from app.exam import queries as exams
from app.exam import service as exam
from app.exam.audit import audit_attempts
from app.exam.models import Attempt
from app.face import review
from app.face.models import FaceRecord
from app.face.status import PhotoStatus
from app.invoice.models import Invoice
from app.notify.models import Sms
from app.pay import service as pay
from app.pay import settlement
from app.pay.audit import audit_payments
from app.pay.models import Order
from app.study.models import LessonProgress
from app.support.models import Ticket, TicketPicture
from app.wechat.models import Binding
from app.wiring import models
from tests import factories
from tests.certificate.offices import a_graduate, a_photo
from tests.console.desks import a_photo_case
from tests.console.test_troubles_study import a_student
from tests.exam.rooms import a_candidate
from tests.factories import PASSWORD, a_person
from tests.pay.till import a_sale, in_background, lose_letters, scan, show_code
from tests.races import overtaken, unlocked
from tests.study.phones import a_clock, chunks_of
from tests.world import World

# Where a person's id stands and is changed by a merge; what stays with whom it happened to: history, pictures sealed
# for a person, what opens an account. A table that is in neither has to be thought about.
MOVED = {
    RosterEntry, Enrolment, Order, Invoice, LessonProgress, Attempt, Proof, Case, Binding, Session, Ticket,
    TicketPicture,
}  # fmt: skip
STAYS = {
    "consent", "verification_code", "notice", "sms", "authorisation", "message_leave", "scan_ticket", "face_record",
    "face_check", "face_attempt", "payer_profile", "announcement_read",
}  # fmt: skip


STAFF: dict[str, Any] = {"programme": "yunnan", "actor": "staff:2", "reason": "看了证件"}


def merged(keep: Person, gone: Person) -> bool:
    return merging.merge(keep.id, gone.id, programme="yunnan", actor="staff:2", reason="同一个人", now=utcnow())


def sign_in(person: Person) -> Any:
    try:
        return login.login("yunnan", person.id_number, PASSWORD, "app", code=None, address="192.0.2.1", now=utcnow())
    except Problem as problem:
        return problem.code


def test_every_table_that_names_a_person_is_moved_or_stays_on_purpose(world: World) -> None:
    named = {model for model in models() if "person_id" in model._meta.fields}
    undecided = {model._meta.table_name for model in named - MOVED} - STAYS
    assert undecided == set(), "say what a merge does with it (ADR 66)"


def test_everything_of_both_is_the_one_persons_afterwards(world: World) -> None:
    keep, gone = a_person(), a_graduate()
    other = gone.person
    sale = a_sale()
    Order.update(person_id=other.id).where(Order.id == sale.order_id).execute()
    Enrolment.update(person_id=other.id).where(Enrolment.id == sale.enrolment_id).execute()
    RosterEntry.update(person_id=other.id).where(RosterEntry.person_id == sale.person.id).execute()
    tokens = [factories.a_session(keep), factories.a_session(other)]
    assert merged(keep, other)
    for model in (RosterEntry, Enrolment, Order, Proof):
        assert model.select().where(model.person_id == other.id).count() == 0, model
        assert model.select().where(model.person_id == keep.id).count() > 0, model
    assert [service.authenticate(token, now=utcnow()) for token in tokens] == [None, None]
    assert not merged(keep, other), "a second time changes nothing"
    outbox.sweep(now=utcnow())
    phones = {sms.phone for sms in Sms.select().where(Sms.template == "security_notice")}
    assert phones == {keep.phone, other.phone}
    assert audit_payments() == []


def test_a_proof_keeps_its_text_and_a_person_looks_at_it(world: World) -> None:
    keep, gone = a_person(), a_graduate()
    printed = gone.proof.id_number
    merged(keep, gone.person)
    assert gone.proof.id_number == printed != keep.id_number
    case = Case.get(Case.kind == "certificate.identity_differs")
    assert (case.person_id, case.subject) == (keep.id, f"proof:{gone.proof.id}")


def test_a_roster_that_names_the_old_number_means_the_one_who_is_kept(world: World) -> None:
    keep, gone = a_person(), a_person()
    merged(keep, gone)
    rows = [NewPerson(gone.id_number, keep.name, None), NewPerson(keep.id_number, keep.name, None)]
    assert find_or_create_people(rows, now=utcnow()) == [keep.id, keep.id]
    found = whose(gone.id_number)
    assert found is not None
    assert found.merged_into == keep.id
    with pytest.raises(Problem, match="id_number_taken"):
        correct(
            a_person().id,
            name=None,
            id_number=gone.id_number,
            programme="yunnan",
            actor="x",
            reason="x",
            now=utcnow(),
        )


def test_chains_of_merges_end_at_one_person(world: World) -> None:
    first, second, third = a_person(), a_person(), a_person()
    merged(second, first)
    merged(third, second)
    assert {Person.get_by_id(one.id).merged_into for one in (first, second)} == {third.id}
    with pytest.raises(Problem, match="conflict"):
        merged(first, third)


@pytest.mark.parametrize("whose_exam", ["keep", "gone"])
def test_nobody_is_taken_out_of_an_exam(world: World, whose_exam: str) -> None:
    candidate, other = a_candidate(now=utcnow()), a_person()
    candidate.start()
    pair = (candidate.person, other) if whose_exam == "keep" else (other, candidate.person)
    with pytest.raises(Problem, match="cannot_merge"):
        merged(*pair)
    assert Person.select().where(Person.merged_into.is_null(False)).count() == 0


def test_attempts_are_counted_on_where_they_were(world: World) -> None:
    candidate, keep = a_candidate(now=utcnow()), a_person()
    candidate.start()
    candidate.hand_in(range(1, 6))
    merged(keep, candidate.person)
    again = exam.start(candidate.enrolment.id, keep.id, "TJ", now=utcnow() + timedelta(minutes=5))
    assert again.attempt.number == 2
    assert {row.person_id for row in exams.of_enrolment(candidate.enrolment.id)} == {keep.id}
    assert audit_attempts() == []


def test_what_redis_had_of_the_other_account_is_credited(world: World) -> None:
    with a_clock(utcnow()) as clock:
        student = a_student(world)
        student.face_pass()
        ticket = student.ticket()
        clock.forward(30)
        assert chunks_of(student.beat(ticket, [0, 1, 2]).get_json()["credited"]) == {0, 1, 2}
        keep = a_person()
        merged(keep, Person.get_by_id(student.enrolment.person_id))
        row = LessonProgress.get()
        assert (row.person_id, row.credited_chunks) == (keep.id, 3)
        answer = student.beat(ticket, [3]).get_json()
        assert answer["reason"] == "other_device", "the page that still plays is told"


def test_a_photo_of_the_other_account_waits_for_nobody(world: World) -> None:
    case, keep = a_photo_case(), a_person()
    cases.file("pay.unknown_number", "x:1", {}, programme="yunnan", person_id=case.person_id, now=utcnow())
    merged(keep, Person.get_by_id(case.person_id))
    assert Case.get_by_id(case.id).status == "decided"
    assert Case.get(Case.kind == "pay.unknown_number").person_id == keep.id
    assert Case.select().where(Case.kind == review.PHOTO, Case.status == "open").count() == 0


def test_another_id_number_needs_another_real_name_check(world: World) -> None:
    person = a_person()
    a_photo(person, now=utcnow())
    FaceRecord.update(anchor_file="face/x", anchor_check_id="c").execute()
    changes: dict[str, Any] = {"programme": "yunnan", "actor": "staff:2", "reason": "x", "now": utcnow()}
    correct(person.id, name="张建新", id_number=None, **changes)
    outbox.sweep(now=utcnow())
    assert FaceRecord.get().anchor_file == "face/x", "another name is the same face"
    correct(person.id, name=None, id_number=factories.an_id_number(), **changes)
    outbox.sweep(now=utcnow())
    record = FaceRecord.get()
    assert (record.anchor_file, record.photo_status) == (None, PhotoStatus.WAITING)


# --- at one moment -----------------------------------------------------------------------------------------------


def signed_in_after_merge(owner: Any, name: str) -> bool:
    """The account that goes signs in while it is merged: whether its session lives on."""
    keep, gone = a_person(), a_person()
    with overtaken(owner, name, lambda: merged(keep, gone)) as done:
        found = sign_in(gone)
    assert done == [True]
    token = getattr(found, "token", None)
    return token is not None and service.authenticate(token, now=utcnow()) is not None


def test_a_sign_in_during_a_merge_ends_with_it(world: World) -> None:
    assert not signed_in_after_merge(passwords, "matches")
    assert not signed_in_after_merge(service, "get_person")
    assert not signed_in_after_merge(sessions, "next_step")


def test_twin_without_the_lock_a_session_outlives_the_merge(servers_only: None) -> None:
    with unlocked():
        assert signed_in_after_merge(sessions, "next_step")


def begins_an_exam() -> Any:
    """The account that goes begins an exam while it is merged: what it is told."""
    candidate, keep = a_candidate(now=utcnow()), a_person()
    with overtaken(exams, "pool", lambda: merged(keep, candidate.person)) as done:
        try:
            exam.start(candidate.enrolment.id, candidate.person.id, "TJ", now=utcnow())
        except Problem as problem:
            found: Any = problem.code
        else:
            found = Attempt.get().person_id == keep.id
    return found, done


def test_no_exam_begins_for_who_is_gone(world: World) -> None:
    """It comes first, and the merge waits for the hand-in; or it comes after, and there is no such enrolment."""
    found, done = begins_an_exam()
    assert (found, done) == ("not_found", [True])
    assert Attempt.select().count() == 0
    assert audit_attempts() == []


def test_twin_without_the_look_at_the_owner_an_exam_is_nobodys(world: World) -> None:
    with patch.object(enrolments, "owned", lambda ids, _person, locked=False: [Enrolment.get_by_id(ids[0])]):
        found, done = begins_an_exam()
    assert (found, done) == (False, [True])


def test_a_payment_that_arrives_during_a_merge_is_the_kept_ones(world: World) -> None:
    lose_letters(world)
    sale, keep = a_sale(), a_person()
    code = show_code(sale)
    scan(world, code)
    with overtaken(settlement, "mismatch", lambda: merged(keep, sale.person)) as done:
        settlement.ask(sale.attempt, now=utcnow())
    assert done == [True]
    in_background()
    assert (sale.order.person_id, sale.order.status, sale.granted) == (keep.id, "paid", True)
    assert enrolments.of_person(keep.id)[0].id == sale.enrolment_id
    assert audit_payments() == []


def test_a_payment_notified_after_the_merge_finds_its_order(world: World) -> None:
    sale, keep = a_sale(), a_person()
    code = show_code(sale)
    merged(keep, sale.person)
    lose_letters(world)
    scan(world, code)
    assert pay.check_payment(keep.id, sale.order_id, now=utcnow()).status == "paid"
    in_background()
    assert sale.granted
    told = Sms.get(Sms.template == "payment_succeeded")
    assert told.person_id == keep.id
