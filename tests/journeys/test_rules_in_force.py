"""A rule changed in a copy of the programme's file changes what the product does."""

from __future__ import annotations

import io
import shutil
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from app.core import outbox
from app.core.clock import shanghai, utcnow
from app.core.errors import Problem
from app.enrol import checkout, sign_up
from app.enrol import service as enrol
from app.exam import service as exam
from app.pay import ledger
from app.pay import queries as orders
from app.pay.status import OrderAction
from app.policy import load as policy
from app.study import heartbeat
from config.settings import Settings
from sandbox.faces import make_face, person_of
from tests.exam.rooms import a_candidate
from tests.factories import a_person, a_roster_entry, an_enrolment, auth
from tests.world import World

Change = Callable[..., None]


@pytest.fixture
def change(world: World, settings: Settings, tmp_path: Path) -> Iterator[Change]:
    """Change lines of yunnan's file in a copy, and put the copy in force."""

    def put(*replacements: tuple[str, str]) -> None:
        copy = tmp_path / "programmes"
        shutil.copytree(settings.programmes_dir, copy, dirs_exist_ok=True)
        (copy / "released.toml").write_text("", encoding="utf-8")
        file = copy / "yunnan" / "2021-02-01.toml"
        text = file.read_text(encoding="utf-8")
        for old, new in replacements:
            assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in the file"
            text = text.replace(old, new)
        file.write_text(text, encoding="utf-8")
        policy.init(copy)
        heartbeat.rules_of.cache_clear()

    yield put
    policy.init(settings.programmes_dir)
    heartbeat.rules_of.cache_clear()


def an_order(person_name: str = "张建国") -> checkout.Checkout:
    person = a_person(name=person_name, now=utcnow())
    row = an_enrolment(person, "signed_up", now=utcnow())
    return checkout.checkout(person.id, [row.id], payer_name=person_name, payer_number=person.id_number, now=utcnow())


def test_the_fee_and_the_time_to_pay_come_from_the_file(change: Change) -> None:
    change(("amount_fen = 20000 ", "amount_fen = 12345 "), ("order_minutes = 30 ", "order_minutes = 7 "))
    before = utcnow()
    order = an_order()
    assert order.amount_fen == 12345
    assert timedelta(minutes=7) <= order.expires_at - before < timedelta(minutes=8)


def test_how_long_after_expiry_one_may_sign_up_comes_from_the_file(change: Change) -> None:
    person = a_person(now=utcnow())
    entry = a_roster_entry(person, expires_on=shanghai(utcnow()).date() - timedelta(days=61))
    assert offered(person.id) is not None
    change(("expired_refuse_after_days = 60 ", "expired_refuse_after_days = 61 "))
    assert offered(person.id) is None
    assert sign_up.sign_up(person.id, [entry.id], now=utcnow())


def offered(person_id: str) -> object:
    """What stands against signing up for the person's one certificate."""
    (offer,) = sign_up.page(person_id, "yunnan", now=utcnow()).offers
    return offer.refusal


def test_the_study_period_comes_from_the_file(change: Change) -> None:
    change(('"from_payment", days = 30, months = 1', '"from_payment", days = 3, months = 0'))
    order = an_order()
    now = utcnow()
    assert ledger.move(orders.get_order(order.order_id), OrderAction.PAY, "test", now=now, paid_at=now)
    outbox.sweep(now=now)
    (sku,) = orders.skus(order.order_id)
    deadline = enrol.get(sku.partition(":")[2]).study_deadline
    assert deadline is not None
    assert shanghai(deadline).date() == shanghai(now).date() + timedelta(days=3)


def test_minutes_attempts_and_pass_score_of_the_exam_come_from_the_file(change: Change) -> None:
    change(
        ("minutes = 120 ", "minutes = 45 "),
        ("attempts = 5  ", "attempts = 1  "),
        ("pass_score = 60 ", "pass_score = 20 "),
    )
    candidate = a_candidate()
    attempt = candidate.start()
    assert attempt.deadline - attempt.started_at == timedelta(minutes=45)
    result = candidate.hand_in(range(1, 11))  # ten right answers of two points
    assert (result.score, result.passed, result.attempts_left) == (20, True, 0)
    with pytest.raises(Problem, match="no_attempts_left"):
        candidate.start()


def test_the_grace_for_answers_under_way_comes_from_the_file(change: Change) -> None:
    change(("answer_grace_seconds = 5 ", "answer_grace_seconds = 0 "))
    candidate = a_candidate()
    candidate.start()
    late = candidate.after_deadline(1)
    with pytest.raises(Problem):
        exam.save_answer(candidate.attempt_id, candidate.person.id, 1, candidate.right(1), 0, now=late)


def test_chunks_and_order_of_watching_come_from_the_file(change: Change) -> None:
    change(
        ("chunk_seconds = 10 ", "chunk_seconds = 5 "),
        ("no_skipping_until_done = true ", "no_skipping_until_done = false "),
    )
    rules = heartbeat.rules_of("yunnan", "2021-02-01")
    assert rules.chunks(60) == 12
    assert not rules.in_order


def test_the_first_password_comes_from_the_file(change: Change, world: World) -> None:
    change(('rule = { kind = "fixed", value = "12345678" }', 'rule = { kind = "last_of_account", characters = 6 }'))
    person = a_person(activated=False, now=utcnow(), password_hash=None)
    client = world.app.test_client()
    body = {"programme": "yunnan", "id_number": person.id_number, "channel": "web"}
    refused = client.post("/api/v1/login", json={**body, "password": "12345678"})
    assert refused.status_code == 401
    opened = client.post("/api/v1/login", json={**body, "password": person.id_number[-6:]})
    assert opened.status_code == 200, opened.text


def test_the_size_of_the_photo_comes_from_the_file(change: Change, world: World) -> None:
    person = a_person(now=utcnow())
    picture = make_face(person_of(person.id_number), size=(295, 413))
    client = world.app.test_client()

    def hints() -> list[str]:
        data = {"photo": (io.BytesIO(picture), "photo.jpg")}
        answer = client.post("/api/v1/photo/check", data=data, headers=auth(person))
        assert answer.status_code == 200, answer.text
        return [hint["code"] for hint in (answer.json or {})["hints"]]

    assert hints() == []
    change(
        ("min_width_px = 200 ", "min_width_px = 300 "),
        ("width_px = 295 ", "width_px = 400 "),
        ("height_px = 413", "height_px = 560"),
    )
    assert hints() != []
