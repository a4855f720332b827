"""The first screen is kept as bytes, and never shows what is no longer true."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient

from app.account.models import Person
from app.certificate.models import Proof
from app.core.clock import iso, utcnow
from app.core.ids import new_id
from app.enrol.models import Enrolment, RosterEntry
from app.exam import service as exam
from app.exam.models import Attempt
from app.face.models import FaceRecord
from app.home import fingerprint, kept, overview
from app.pay.models import Order, OrderLine, PaymentAttempt
from app.pay.status import AttemptStatus
from app.study.models import Lesson, LessonProgress
from tests.exam.rooms import Candidate, a_candidate
from tests.factories import a_roster_entry, a_session, an_enrolment
from tests.world import World


@dataclass
class Trainee:
    """Who looks at the first screen: one training waits for its payment, one is studied."""

    client: FlaskClient
    candidate: Candidate
    unpaid: Enrolment
    token: str

    def get(self, **headers: str) -> Any:
        return self.client.get("/api/v1/home", headers={"Authorization": f"Bearer {self.token}", **headers})

    def screen(self) -> dict[str, Any]:
        found: dict[str, Any] = self.get().get_json()
        found.pop("server_now")
        return found

    def next_of_unpaid(self) -> str:
        (training,) = (each for each in self.screen()["trainings"] if each["enrolment_id"] == self.unpaid.id)
        return str(training["next"]["code"])


def an_order(enrolment: Enrolment, expires_at: datetime) -> Order:
    """A pending order for the enrolment, with one attempt to pay it."""
    order = Order.create(
        person_id=enrolment.person_id,
        programme="yunnan",
        version="2021-02-01",
        status="pending",
        amount_fen=20000,
        expires_at=expires_at,
        created_at=expires_at - timedelta(minutes=30),
    )
    sku = f"enrolment:{enrolment.id}"
    OrderLine.create(order_id=order.id, sku=sku, open_sku=sku, title="培训费", amount_fen=20000)
    PaymentAttempt.create(
        order_id=order.id,
        channel="wechat_native",
        authority="yunnan",
        out_trade_no=new_id(),
        status=AttemptStatus.WAITING,
        amount_fen=20000,
        created_at=utcnow(),
    )
    Enrolment.update(order_id=order.id).where(Enrolment.id == enrolment.id).execute()
    return order


def screen_at(who: str, now: datetime) -> kept.Home:
    """The person's screen at `now`, in an application's context."""
    return kept.home(who, fingerprint.read(who), now=now)


@pytest.fixture
def trainee(world: World, client: FlaskClient) -> Trainee:
    kept.forget_all()
    candidate = a_candidate()
    candidate.start()
    person = candidate.person
    FaceRecord.create(person_id=person.id, photo_status="confirmed")
    unpaid = an_enrolment(person, "signed_up", entry=a_roster_entry(person, kind_code="SGDG"))
    an_order(unpaid, utcnow() + timedelta(minutes=20))
    Proof.create(
        enrolment_id=candidate.enrolment.id,
        person_id=person.id,
        programme="yunnan",
        version="2021-02-01",
        kind_code="TJ",
        status="pending_photo",
        earned_at=utcnow(),
        looked_at=utcnow(),
    )
    return Trainee(client, candidate, unpaid, a_session(person))


def set_all(model: Any, **values: Any) -> Callable[[], None]:
    return lambda: model.update(**values).execute()


def rename() -> None:
    person = Person.get()
    person.name = "欧阳建国"
    person.save()


def renumber() -> None:
    entry = RosterEntry.get(RosterEntry.kind_code == "TJ")
    entry.certificate_no = "滇TJ(2020)000777"
    entry.save()


def another_lesson() -> None:
    first = Lesson.get()
    Lesson.create(course=first.course, number=2, title="第二课", seconds=60, video="2.mp4")


def unstudied() -> None:
    LessonProgress.update(completed_at=None, bitmap=b"", credited_chunks=0, revision=7).execute()


def scored() -> None:
    values = {"status": "handed_in", "open_person": None, "score": 88, "passed": True, "finished_at": utcnow()}
    Attempt.update(**values, revision=Attempt.revision + 1).execute()


CHANGES: dict[str, Callable[[], None]] = {
    "paid": set_all(Order, status="paid"),
    "order closed": set_all(Order, status="closed"),
    "in dispute": set_all(PaymentAttempt, status=AttemptStatus.DISPUTED),
    "renamed": rename,
    "certificate number": renumber,
    "photo gone": set_all(FaceRecord, photo_status="none"),
    "another lesson": another_lesson,
    "studied less": unstudied,
    "exam over": scored,
    "proof": set_all(Proof, status="valid", number="YN202100000001"),
    "expires soon": set_all(Enrolment, certificate_expires_on=(utcnow() + timedelta(days=3)).date()),
    "longer deadline": set_all(Enrolment, study_deadline=utcnow() + timedelta(days=77)),
    "lapsed": lambda: Enrolment.update(status="lapsed").where(Enrolment.status == "studying").execute(),
    "withdrawn": lambda: Enrolment.delete().where(Enrolment.status == "signed_up").execute(),
}


@pytest.mark.parametrize("name", CHANGES)
def test_whatever_changes_is_shown_at_once(trainee: Trainee, name: str) -> None:
    before = trainee.screen()
    assert trainee.screen() == before
    CHANGES[name]()
    shown = trainee.screen()
    kept.forget_all()
    assert shown == trainee.screen() != before


def test_a_dispute_about_what_an_organisation_pays_is_shown_at_once(trainee: Trainee) -> None:
    Order.update(person_id=None, organisation_id=new_id()).execute()
    before = trainee.screen()
    CHANGES["in dispute"]()
    shown = trainee.screen()
    kept.forget_all()
    assert shown == trainee.screen() != before
    assert trainee.next_of_unpaid() == "payment_disputed"


def test_what_did_not_change_is_not_made_again(trainee: Trainee, monkeypatch: pytest.MonkeyPatch) -> None:
    before = trainee.screen()
    monkeypatch.setattr(overview, "trainings", lambda *_, **__: pytest.fail("made again"))
    assert trainee.screen() == before


TABLE = re.compile(r'(?:FROM|JOIN) ["`](\w+)["`]')


def test_every_table_that_the_screen_reads_is_in_the_fingerprint(
    trainee: Trainee, caplog: pytest.LogCaptureFixture
) -> None:
    """A screen that shows something else as well needs it in the fingerprint as well."""

    def tables(work: Callable[[], object]) -> set[str]:
        caplog.clear()
        with caplog.at_level(logging.DEBUG, logger="peewee"):
            work()
        return {name for record in caplog.records for name in TABLE.findall(str(record.args or record.msg))}

    who, now = trainee.candidate.person.id, utcnow()
    shown = tables(lambda: (overview.me(who), overview.trainings(who, now=now)))
    assert len(shown) > 8
    assert shown <= tables(lambda: fingerprint.read(who))


def pay_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    """The money comes between the reads of a screen and its being kept."""
    made = overview.trainings

    def slow(person_id: str, *, now: datetime) -> list[overview.Training]:
        found = made(person_id, now=now)
        monkeypatch.setattr(overview, "trainings", made)
        CHANGES["paid"]()
        return found

    monkeypatch.setattr(overview, "trainings", slow)


def test_money_that_comes_while_the_screen_is_made_is_seen_at_the_next_look(
    trainee: Trainee, monkeypatch: pytest.MonkeyPatch
) -> None:
    pay_meanwhile(monkeypatch)
    assert trainee.next_of_unpaid() == "pay"
    assert trainee.next_of_unpaid() == "wait_payment"


def test_the_twin_that_keeps_it_all_the_same_goes_on_asking_for_money(
    trainee: Trainee, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept, "_unchanged", lambda *_: True)
    pay_meanwhile(monkeypatch)
    assert trainee.next_of_unpaid() == "pay"
    assert trainee.next_of_unpaid() == "pay"


def test_an_order_that_runs_out_is_not_offered_a_second_longer(trainee: Trainee, world: World) -> None:
    who = trainee.candidate.person.id
    expires: datetime = Order.get().expires_at
    with world.app.app_context():
        good = screen_at(who, expires - timedelta(seconds=5))
        assert good.until == expires
        assert b'"checkout"' not in good.head
        assert b'"checkout"' in screen_at(who, expires).head


def test_a_screen_is_kept_for_a_minute_and_over_no_midnight(trainee: Trainee, world: World) -> None:
    who, now = trainee.candidate.person.id, utcnow().replace(hour=3, minute=0)
    midnight: datetime = now.replace(hour=16, minute=0, second=0, microsecond=0)  # of Shanghai
    far = {"study_deadline": midnight + timedelta(days=40, hours=5)}
    Enrolment.update(far).where(Enrolment.status == "studying").execute()
    set_all(Order, expires_at=midnight - timedelta(days=3))()
    with world.app.app_context():
        assert screen_at(who, now).until == now + timedelta(minutes=1)
        assert screen_at(who, midnight - timedelta(seconds=9)).until == midnight
        day_later = midnight + timedelta(hours=5) - timedelta(seconds=9)  # one day fewer is left from then on
        assert screen_at(who, day_later).until == day_later + timedelta(seconds=9)


def test_an_exam_is_over_on_the_screen_when_its_time_is_over(trainee: Trainee, world: World) -> None:
    attempt = trainee.candidate.row()
    over: datetime = attempt.accepts_until
    last = over - timedelta(seconds=1)
    with world.app.app_context():
        assert b'"code": "exam"' in screen_at(attempt.person_id, last).head
        assert screen_at(attempt.person_id, last).until == over
        screen_at(attempt.person_id, over + timedelta(seconds=1))
    assert trainee.candidate.row().status == "timed_out"


def test_a_phone_that_has_it_already_gets_no_body(trainee: Trainee) -> None:
    first = trainee.get()
    again = trainee.get(**{"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    CHANGES["paid"]()
    changed = trainee.get(**{"If-None-Match": first.headers["ETag"]})
    assert changed.status_code == 200
    assert changed.headers["ETag"] != first.headers["ETag"]


def test_the_time_on_a_kept_screen_is_that_of_the_answer(trainee: Trainee, world: World) -> None:
    who, now = trainee.candidate.person.id, utcnow()
    with world.app.app_context():
        screen_at(who, now)
        later = now + timedelta(seconds=30)
        assert iso(later).encode() in screen_at(who, later).body(later)


def test_one_person_never_sees_anothers_screen(trainee: Trainee) -> None:
    mine = trainee.screen()
    other = a_candidate(bank=False)
    headers = {"Authorization": f"Bearer {a_session(other.person)}"}
    theirs = trainee.client.get("/api/v1/home", headers=headers).get_json()
    ids = {training["enrolment_id"] for training in mine["trainings"]}
    assert not ids & {training["enrolment_id"] for training in theirs["trainings"]}
    assert trainee.screen() == mine


def test_no_more_is_kept_than_was_said(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    kept.forget_all()
    monkeypatch.setattr(kept, "PEOPLE", 3)
    people = [a_candidate(bank=False).person.id for _ in range(5)]
    with world.app.app_context():
        for who in people:
            screen_at(who, utcnow())
    assert list(kept._homes) == people[2:]


def test_a_screen_that_closes_an_exam_shows_it_closed(trainee: Trainee) -> None:
    trainee.screen()
    candidate = trainee.candidate
    exam.hand_in(candidate.attempt_id, candidate.person.id, [], now=utcnow())
    (shown,) = (each for each in trainee.screen()["trainings"] if each["enrolment_id"] == candidate.enrolment.id)
    assert (shown["next"]["code"], shown["next"]["text"]) == ("exam", "去考试")
