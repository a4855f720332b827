"""What the manuals of the open programmes say, through the services: the same walk, each with its own figures."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from app.core import outbox
from app.core.clock import SHANGHAI, utcnow
from app.core.errors import Problem
from app.enrol import checkout, sign_up
from app.enrol import service as enrol
from app.exam import service as exam
from app.pay import ledger
from app.pay import queries as orders
from app.pay.status import OrderAction
from app.policy import load
from app.study.models import LessonProgress, progress_id
from tests.exam.rooms import Candidate, a_bank, a_course
from tests.factories import a_person, a_roster_entry, an_enrolment
from tests.world import World

YUNNAN, LEGACY = "yunnan", "yunnan-legacy"
BOTH = pytest.mark.parametrize("programme", [YUNNAN, LEGACY])
pytestmark = pytest.mark.usefixtures("world")


def at(text: str) -> datetime:
    """'2021-01-02 03:04:05' on a Shanghai clock, as UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI).astimezone(UTC)


def offer(programme: str, kind: str, expires: date, now: str) -> sign_up.Offer:
    """What the page of the person with this certificate says at that moment."""
    person = a_person(now=at(now))
    a_roster_entry(person, programme=programme, kind_code=kind, expires_on=expires)
    (found,) = sign_up.page(person.id, programme, now=at(now)).offers
    return found


@pytest.mark.parametrize(
    ("programme", "kind", "phone"),
    [
        (YUNNAN, "A", "0871-68503755-6"),
        (YUNNAN, "TJ", "0871-68503755-6"),
        (LEGACY, "A", "0871-64332710"),
        (LEGACY, "TJ", "0871-64322249"),
    ],
)
def test_the_sixty_first_day_after_the_expiry_is_refused_with_the_kinds_own_telephone(
    programme: str, kind: str, phone: str
) -> None:
    expires = date(2023, 12, 31)
    assert offer(programme, kind, expires, "2024-02-29 23:59:59").refusal is None
    refused = offer(programme, kind, expires, "2024-03-01 00:00:00").refusal
    assert refused is not None
    assert refused.code == "certificate_expired_too_long"
    assert phone in refused.sentence


@pytest.mark.parametrize(
    ("programme", "kind", "now", "warning"),
    [
        (YUNNAN, "A", "2024-01-01 00:00:00", "certificate_void"),
        (LEGACY, "A", "2024-01-01 00:00:00", "certificate_expired"),
        (LEGACY, "A", "2024-02-29 23:59:59", "certificate_expired"),  # three months are not over
        (LEGACY, "TJ", "2024-02-29 23:59:59", "certificate_expired"),  # renewed by notice, without a window here
        (YUNNAN, "A", "2023-12-31 23:59:59", "certificate_expires_soon"),
        (LEGACY, "A", "2023-12-31 23:59:59", "certificate_expires_soon"),
    ],
)
def test_who_pays_late_is_warned_by_the_programmes_own_window_of_renewal(
    programme: str, kind: str, now: str, warning: str
) -> None:
    found = offer(programme, kind, date(2023, 12, 31), now).warning
    assert found is not None
    assert found.code == warning


@BOTH
def test_an_order_has_thirty_minutes_and_costs_two_hundred_yuan_each(programme: str) -> None:
    now = at("2023-12-31 23:45:54")
    person = a_person(now=now)
    entries = [a_roster_entry(person, programme=programme, kind_code=kind) for kind in ("TJ", "A")]
    rows = sign_up.sign_up(person.id, [entry.id for entry in entries], now=now)
    made = checkout.checkout(
        person.id, [row.id for row in rows], payer_name=person.name, payer_number=person.id_number, now=now
    )
    assert (made.amount_fen, made.expires_at) == (40000, at("2024-01-01 00:15:54"))


@pytest.mark.parametrize(
    ("programme", "paid", "last_day"),
    [
        (YUNNAN, "2023-12-31 23:59:59", "2024-01-31"),
        (LEGACY, "2023-12-31 23:59:59", "2024-01-30"),
        (YUNNAN, "2024-01-31 00:00:00", "2024-03-01"),
        (LEGACY, "2024-01-31 00:00:00", "2024-03-01"),
        (YUNNAN, "2021-02-28 12:00:00", "2021-03-30"),
        (LEGACY, "2021-02-28 12:00:00", "2021-03-30"),
    ],
)
def test_what_is_paid_opens_study_until_the_end_of_the_programmes_own_day(
    programme: str, paid: str, last_day: str
) -> None:
    now = at(paid)
    person = a_person(now=now)
    entry = a_roster_entry(person, programme=programme, kind_code="A", expires_on=date(2030, 1, 1))
    (row,) = sign_up.sign_up(person.id, [entry.id], now=now)
    made = checkout.checkout(person.id, [row.id], payer_name=person.name, payer_number=person.id_number, now=now)
    assert ledger.move(orders.get_order(made.order_id), OrderAction.PAY, "test", now=now, paid_at=now)
    outbox.sweep(now=now)
    deadline = enrol.get(row.id).study_deadline
    assert deadline is not None
    assert at(f"{last_day} 23:59:59") <= deadline < at(f"{last_day} 23:59:59") + timedelta(seconds=1)


@BOTH
def test_an_exam_has_five_attempts_and_leaving_burns_one(programme: str) -> None:
    now = utcnow()
    person = a_person(now=now)
    entry = a_roster_entry(person, programme=programme)
    version = load.in_force(programme, now).version.isoformat()
    row = an_enrolment(person, entry=entry, now=now, version=version)
    lesson = a_course("TJ", programme)
    LessonProgress.create(
        id=progress_id(row.id, lesson.id), enrolment_id=row.id, lesson_id=lesson.id, person_id=person.id, seconds=60,
        chunk_seconds=10, needed_chunks=6, rate_percent=100, bitmap=b"\x3f", credited_chunks=6, updated_at=now,
        completed_at=now,
    )  # fmt: skip
    a_bank("TJ", programme=programme)
    candidate = Candidate(person, row, now)

    assert candidate.start().deadline == now + timedelta(minutes=120)
    left = exam.leave(candidate.attempt_id, person.id, now=now)
    assert left is not None
    assert (left.score, left.attempts_left) == (0, 4)
    for score, attempts in ((58, 3), (60, 2), (40, 1), (0, 0)):
        candidate.start()
        result = candidate.hand_in(range(1, score // 2 + 1))
        assert (result.score, result.passed, result.attempts_left) == (score, score >= 60, attempts)
    (subject,) = exam.status(row, now=now)
    assert (subject.best_score, subject.passed) == (60, True)
    with pytest.raises(Problem, match="no_attempts_left"):
        candidate.start()


@pytest.mark.parametrize(
    ("programme", "accepted"),
    [(YUNNAN, ["12345678"]), (LEGACY, ["12345678", "last six"])],
)
def test_first_passwords_are_the_programmes_own(programme: str, accepted: list[str], world: World) -> None:
    """Which of them is the person's is not asked: a first password opens nothing by itself."""
    client = world.app.test_client()
    for given in ("12345678", "last six", "123456"):
        person = a_person(activated=False, now=utcnow(), password_hash=None)
        password = person.id_number[-6:] if given == "last six" else given
        body = {"programme": programme, "id_number": person.id_number, "password": password, "channel": "web"}
        answer = client.post("/api/v1/login", json=body)
        assert answer.status_code == (200 if given in accepted else 401), answer.text
