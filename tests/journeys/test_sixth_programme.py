"""A sixth programme, made from the schema, is put in force and walked through the services from sign-up to proof: its
rules are others than those of yunnan in everything that can be another one, and no line of code knows it."""

from __future__ import annotations

import copy
import shutil
import tomllib
from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from app import wiring
from app.certificate import queries as proofs
from app.certificate import service as certificates
from app.core import outbox
from app.core.clock import shanghai, utcnow
from app.core.errors import Problem
from app.enrol import checkout, sign_up
from app.enrol import service as enrol
from app.enrol.status import Status
from app.exam import service as exam
from app.pay import ledger
from app.pay import queries as orders
from app.pay.status import OrderAction
from app.policy import load as policy
from app.policy.days import add_months, end_of_day
from app.study import heartbeat
from app.study.models import LessonProgress, progress_id
from config.settings import Settings, SettingsError
from tests.certificate.offices import a_photo
from tests.exam.rooms import Candidate, a_bank, a_course
from tests.factories import a_person, a_roster_entry
from tests.policy.generated import Document, a_file_to_walk, leaves, toml
from tests.world import World

SEEDS = (6, 66)
# What the rooms that exist today need as it is in yunnan, and what has one value only.
AS_IN_YUNNAN = (
    "stages", "new_certification", "centre_exam", "sign_up.source", "sign_up.window.kind", "sign_up.materials",
    "sign_up.steps", "login.person.registration", "login.person.first_passwords[].certificate_kinds",
    "study.period.kind", "study.class_hours", "study.audit", "exam.sittings", "authority.secrets.",
    "certificate_kinds[].business", "invoice.kind",
)  # fmt: skip


@pytest.fixture(params=SEEDS)
def sixth(request: pytest.FixtureRequest, world: World, settings: Settings, tmp_path: Path) -> Iterator[Document]:
    """The file of the sixth programme, in force beside the others."""
    file = a_file_to_walk(request.param) | {"key": "sixth"}
    programmes = tmp_path / "programmes"
    shutil.copytree(settings.programmes_dir, programmes)
    (programmes / "sixth").mkdir()
    (programmes / "sixth" / f"{file['version']}.toml").write_text(toml(file), encoding="utf-8")
    policy.init(programmes)
    yield file
    policy.init(settings.programmes_dir)
    heartbeat.rules_of.cache_clear()


def test_every_rule_of_a_programme_that_can_be_walked_can_be_another_one(settings: Settings) -> None:
    """Over many: a yes or no is as in yunnan by chance in every second one."""
    (path,) = (settings.programmes_dir / "yunnan").glob("*.toml")
    yunnan = list(leaves(tomllib.loads(path.read_text(encoding="utf-8"))))
    others = [dict(leaves(a_file_to_walk(seed))) for seed in range(50)]
    for place, value in yunnan:
        if not place.startswith(AS_IN_YUNNAN):
            assert any(other.get(place) != value for other in others), place


def test_the_sixth_programme_is_walked_from_sign_up_to_proof(sixth: Document, world: World) -> None:
    now = utcnow()
    fee, study, rules = sixth["fee"], sixth["study"], sixth["exam"]
    kind = sixth["certificate_kinds"][0]
    person = a_person(now=now)

    # sign-up, to the day
    limit, today = sixth["sign_up"]["expired_refuse_after_days"], shanghai(now).date()
    for expired, refused in ((limit, False), (limit + 1, True)):
        a_roster_entry(person, programme="sixth", kind_code=kind["code"], expires_on=today - timedelta(days=expired))
        offer = sign_up.page(person.id, "sixth", now=now).offers[-1]
        assert (offer.refusal is not None) is refused
    entries = [a_roster_entry(person, programme="sixth", kind_code=kind["code"]) for _ in range(2)]
    rows = sign_up.sign_up(person.id, [entry.id for entry in entries], now=now)

    # the order: its price, its minutes, the payer typed again
    def order(name: str) -> checkout.Checkout:
        return checkout.checkout(
            person.id, [row.id for row in rows], payer_name=name, payer_number=person.id_number, now=now
        )

    if fee["payer_retype"]:
        with pytest.raises(Problem, match="payer_mismatch"):
            order("李四")
    made = order(person.name)
    assert made.amount_fen == fee["amount_fen"] * (2 if fee["per"] == "certificate" else 1)
    assert made.expires_at - now == timedelta(minutes=fee["order_minutes"])

    # paid: the study period
    assert ledger.move(orders.get_order(made.order_id), OrderAction.PAY, "test", now=now, paid_at=now)
    outbox.sweep(now=now)
    row = enrol.get(rows[0].id)
    assert (row.status, row.version) == (Status.STUDYING, str(sixth["version"]))
    assert row.study_deadline == last_moment(today, study["period"])

    # study: its chunks, its share, its way of skipping
    beats = heartbeat.rules_of("sixth", row.version)
    assert beats.chunk_seconds == study["chunk_seconds"]
    assert beats.chunks(60) == -(-60 // study["chunk_seconds"])
    assert (beats.rate, bool(beats.in_order)) == (study["rate"], study["no_skipping_until_done"])
    assert beats.cap_ms == study["offline_allowance_seconds"] * 1000
    subject = kind["subjects"][0]["code"]
    a_bank_for(rules, subject)
    lesson = a_course(kind["code"], "sixth")
    candidate = Candidate(person, row, now)
    if rules["requires_study_complete"]:
        with pytest.raises(Problem, match="study_not_complete"):
            candidate.start(subject)
    chunks = beats.chunks(60)
    LessonProgress.create(
        id=progress_id(row.id, lesson.id), enrolment_id=row.id, lesson_id=lesson.id, person_id=person.id, seconds=60,
        chunk_seconds=beats.chunk_seconds, needed_chunks=beats.needed(60), rate_percent=100,
        bitmap=b"\xff" * -(-chunks // 8), credited_chunks=chunks, updated_at=now, completed_at=now,
    )  # fmt: skip

    # exam: its minutes, its attempts, its marks
    attempt = candidate.start(subject)
    assert attempt.deadline - attempt.started_at == timedelta(minutes=rules["minutes"])
    failed = candidate.hand_in()
    assert (failed.score, failed.passed, failed.attempts_left) == (0, False, rules["attempts"] - 1)
    for each in kind["subjects"]:
        if each["code"] != subject:
            a_bank_for(rules, each["code"])
        candidate.start(each["code"])
        questions = sum(part["count"] for part in rules["paper"])
        passed = candidate.hand_in(range(1, questions + 1))
        assert (passed.score, passed.passed) == (rules["total_score"], True)
    assert [each.best_score for each in exam.status(enrol.get(row.id), now=now)] == (
        [rules["total_score"]] * len(kind["subjects"])
    )

    # the proof
    a_photo(person, now=now)
    outbox.sweep(now=now)
    certificates.issue_waiting(now=now)
    outbox.sweep(now=now)
    proof = proofs.of_enrolment(row.id)
    assert proof is not None
    assert proofs.rules_of(proof).title == sixth["proof"]["title"]
    assert enrol.get(row.id).status == Status.COMPLETED


def last_moment(paid_on: date, period: dict[str, Any]) -> Any:
    return end_of_day(max(paid_on + timedelta(days=period["days"]), add_months(paid_on, period["months"])))


def a_bank_for(rules: dict[str, Any], subject: str) -> None:
    """Just as many questions of each type as a paper draws."""
    counts: Counter[str] = Counter()
    for part in rules["paper"]:
        counts[part["type"]] += part["count"]
    a_bank(
        subject,
        single=counts["single"],
        multiple=counts["multiple"],
        judge=counts["judge"],
        programme="sixth",
    )


def test_its_first_password_opens_what_it_opens(sixth: Document, world: World) -> None:
    person = a_person(activated=False, now=utcnow(), password_hash=None)
    client = world.app.test_client()
    characters = sixth["login"]["person"]["first_passwords"][0]["rule"]["characters"]
    body = {"programme": "sixth", "id_number": person.id_number, "channel": "web"}
    for password, status in ((person.id_number[-characters - 1 :], 401), (person.id_number[-characters:], 200)):
        answer = client.post("/api/v1/login", json={**body, "password": password})
        assert answer.status_code == status, answer.text


def test_a_key_that_is_missing_stops_the_start_and_names_the_programme(sixth: Document) -> None:
    wiring.make_clients()
    assert {"qiannan", "mohurd", "henan"} <= {each.key for each in policy.all_programmes()}, (
        "theirs are not asked for"
    )
    file = copy.deepcopy(sixth)
    file["authority"]["secrets"]["tencent_sms"] = "nobody.tencent_sms"
    programme = policy.parse(file, "sixth")
    policy._loaded = MappingProxyType({**policy._loaded, (programme.key, programme.version): programme})
    with pytest.raises(SettingsError, match=r"^programme sixth: .*nobody\.tencent_sms"):
        wiring.make_clients()


def test_it_is_offered_before_the_login(sixth: Document, world: World) -> None:
    answer = world.app.test_client().get("/api/v1/programmes").get_json()
    offered = {entry["key"] for entry in answer["items"]}
    assert "sixth" in offered
    assert "qiannan" not in offered
