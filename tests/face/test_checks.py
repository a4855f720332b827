"""Face checks by picture, end to end over HTTP: thresholds, tries, what opens an account, what is kept."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from threading import Barrier
from typing import Any

import msgspec
import pytest
import requests

from app.account import service as account
from app.cases import service as cases
from app.core.audit import AuditEntry
from app.core.clock import utcnow
from app.face import image, queries, service, store, tries
from app.face.models import EVIDENCE_DAYS, FaceAttempt, FaceRecord
from app.policy import load
from sandbox.faces import make_face, person_of
from tests.face.cameras import at_once, back_from_page, code_of, row, stranger_of
from tests.face.conftest import People, Someone
from tests.world import World


def test_a_live_face_that_fits_name_and_number_passes_and_anchors(people: People) -> None:
    me = people()
    check = me.start()
    answer = me.show(check).get_json()
    assert (answer["status"], answer["token"], answer["manual_route"]) == ("passed", None, None)
    assert service.require_pass(me.id, "login", None, now=utcnow()).id == check["id"]
    record = queries.record_of(me.id)
    assert record is not None
    assert record.anchor_check_id == check["id"]
    assert store.get(me.id, record.anchor_file) is not None
    attempt = FaceAttempt.get(FaceAttempt.check_id == check["id"])
    assert (attempt.outcome, attempt.match_score) == ("passed", 95.0)
    assert store.get(me.id, attempt.evidence_file) is not None
    assert AuditEntry.select().where(AuditEntry.action == "face.login_passed").count() == 1


def test_a_later_pass_does_not_move_the_anchor(people: People) -> None:
    me = people()
    me.anchor()
    first = queries.record_of(me.id)
    me.anchor()
    second = queries.record_of(me.id)
    assert first is not None
    assert second is not None
    assert first.anchor_file == second.anchor_file


@pytest.mark.parametrize(
    ("picture", "reason"),
    [
        (lambda me: stranger_of(me), "low_score"),
        (lambda me: make_face(person_of(me.id_number), live=False), "not_live"),
        (lambda me: make_face(person_of(me.id_number), face=False), "no_face"),
    ],
)
def test_another_face_a_screen_or_nobody_fails_with_a_reason(
    people: People, picture: Callable[[Someone], bytes], reason: str
) -> None:
    me = people()
    check = me.start()
    answer = me.show(check, picture(me)).get_json()
    assert (answer["status"], answer["reason"], answer["retries_left"]) == ("failed", reason, 4)
    assert answer["sentence"]
    assert not service.anchored(me.id)
    assert code_of(lambda: service.require_pass(me.id, "login", None, now=utcnow())) == "face_check_needed"
    assert me.show(check).get_json()["status"] == "passed"  # the same check may be tried again


def test_a_name_that_does_not_belong_to_the_number_fails(people: People, world: World) -> None:
    me = people("530102198801011119", "张三")
    requests.post(
        f"{world.sandbox.url}/_control/baidu/identity", json={"id_number": me.id_number, "name": "李四"}, timeout=5
    )
    answer = me.show(me.start()).get_json()
    assert (answer["status"], answer["reason"]) == ("failed", "identity_mismatch")


def test_after_the_last_try_only_the_manual_route_is_left_until_support_opens_it(people: People) -> None:
    me = people()
    check = me.start()
    for left in (4, 3, 2, 1, 0):
        answer = me.show(check, stranger_of(me)).get_json()
        assert (answer["status"], answer["retries_left"]) == ("failed", left)
    assert answer["manual_route"] == {"phone": "0871-63122229"}
    (case,) = cases.open_cases("face.no_try_left")
    assert case.subject == f"face_check:{check['id']}"
    assert me.id_number not in case.facts

    refused = me.show(check)  # even with the right face
    assert (refused.status_code, refused.get_json()["code"]) == (409, "face_manual_route")
    assert refused.get_json()["manual_route"] == {"phone": "0871-63122229"}
    again = me.call("POST", "/api/v1/face-checks", json={"purpose": "login", "method": "h5"})
    assert again.get_json()["code"] == "face_manual_route"

    tries.allow_again(me.id, actor="staff:1", reason="视频核对本人", now=utcnow())
    assert me.show(check).get_json()["status"] == "passed"


def test_tries_are_forgotten_after_a_day_and_by_a_pass(people: People) -> None:
    me = people()
    check = me.start()
    for _ in range(4):
        me.show(check, stranger_of(me))
    assert me.show(check).get_json()["retries_left"] == 5

    check = me.start()
    for _ in range(5):
        me.show(check, stranger_of(me))
    FaceRecord.update(tried_at=utcnow() - timedelta(hours=25)).execute()
    assert me.show(me.start()).get_json()["status"] == "passed"


def test_twelve_wrong_faces_at_once_get_five_tries_together(
    people: People, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(image, "live_picture", lambda data: data)
    me = people()
    started = [
        service.start_check(me.who, purpose="login", subject=None, method="picture", now=utcnow()) for _ in "12"
    ]
    wrong = stranger_of(me)

    def guess(number: int) -> object:
        one = started[number % 2]
        return service.submit_picture(one.check.id, me.who, nonce=one.nonce, data=wrong, now=utcnow()).check.status

    at_once(12, guess)
    assert world.sandbox.box.journal.count("baidu", "person_verify") == 5


def test_twin_without_the_claim_all_twelve_are_tried(
    people: People, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(image, "live_picture", lambda data: data)
    together = Barrier(12)  # where the claim stood: nobody goes on before everybody is there
    monkeypatch.setattr(tries, "claim", lambda person_id, programme, *, now: together.wait(60) and None)
    me = people()
    one = service.start_check(me.who, purpose="login", subject=None, method="picture", now=utcnow())

    def guess(_: int) -> object:
        return service.submit_picture(one.check.id, me.who, nonce=one.nonce, data=stranger_of(me), now=utcnow())

    at_once(12, guess)
    assert world.sandbox.box.journal.count("baidu", "person_verify") > 5


def test_the_same_good_picture_sent_many_times_passes_once(people: People, world: World) -> None:
    me = people()
    one = service.start_check(me.who, purpose="login", subject=None, method="picture", now=utcnow())

    def show(_: int) -> object:
        return service.submit_picture(one.check.id, me.who, nonce=one.nonce, data=me.face, now=utcnow()).check.status

    assert set(at_once(4, show)) == {"passed"}
    assert FaceAttempt.select().where(FaceAttempt.outcome == "passed").count() == 1
    record = queries.record_of(me.id)
    assert record is not None
    assert record.tries == 0
    anchors = list((world.data_dir / "photos" / "anchor").rglob(record.anchor_file.rsplit("/", 1)[1]))
    assert len(anchors) == 1
    assert me.show({"id": one.check.id, "nonce": one.nonce}, stranger_of(me)).get_json()["status"] == "passed"
    assert FaceAttempt.select().where(FaceAttempt.outcome == "passed").count() == 1


@pytest.mark.parametrize("method", ["picture", "h5"])
def test_a_real_name_check_opens_an_account_and_gives_a_new_token(people: People, world: World, method: str) -> None:
    me = people(activated=False)
    check = me.start(method=method)
    if method == "picture":
        answer = me.show(check).get_json()
    else:
        assert back_from_page(check, world) == "done"
        answer = me.finish(check).get_json()
    assert answer["status"] == "passed"
    assert account.get_person(me.id).activated_at is not None
    assert answer["token"] not in (None, me.token)
    old, me.token = me.token, answer["token"]
    assert account.get_session(me.who.session_id).proved
    me.token = old  # the old token opens no more than before
    assert not account.get_session(me.who.session_id).proved
    assert me.call("GET", "/api/v1/photo").status_code == 403
    assert account.has_consent(me.id, "face")  # given in this very session
    entry = AuditEntry.get(AuditEntry.action == "person.activated")
    assert check["id"] in entry.data


def test_the_rule_of_a_check_is_settled_at_its_start(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    yunnan = load.programme("yunnan", "2021-02-01")
    assert yunnan.face is not None
    once = tuple(rule for rule in yunnan.face.purposes if rule.purpose != "login")
    face = msgspec.structs.replace(yunnan.face, purposes=once)
    without_login = {("yunnan", yunnan.version): msgspec.structs.replace(yunnan, face=face)}
    monkeypatch.setattr(load, "_loaded", without_login)
    me = people(activated=False)
    first, second = me.start(), me.start()
    assert me.show(first).get_json()["status"] == "passed"
    assert me.show(second).get_json()["status"] == "passed"  # the account is open by now
    assert row(second).rule == "activation"


def test_a_failed_check_opens_nothing(people: People) -> None:
    me = people(activated=False)
    assert me.show(me.start(), stranger_of(me)).get_json()["token"] is None
    assert account.get_person(me.id).activated_at is None


def test_a_password_that_opens_nothing_starts_no_study_check(people: People) -> None:
    me = people(activated=False)
    answer = me.call("POST", "/api/v1/face-checks", json={"purpose": "study", "subject": "e1", "method": "picture"})
    assert answer.status_code == 401


def test_without_consent_nothing_starts(people: People) -> None:
    me = people(consent=False)
    answer = me.call("POST", "/api/v1/face-checks", json={"purpose": "login", "method": "picture"})
    assert (answer.status_code, answer.get_json()["code"]) == (403, "consent_needed")


@pytest.mark.parametrize(
    "body",
    [
        {"purpose": "exam", "method": "picture"},
        {"purpose": "login", "method": "fax"},
        {"purpose": "login"},
        {"purpose": "login", "method": "picture", "subject": "x" * 33},
    ],
)
def test_a_wrong_request_is_invalid(people: People, body: dict[str, Any]) -> None:
    assert people().call("POST", "/api/v1/face-checks", json=body).status_code == 422


def test_a_study_check_needs_a_subject_and_a_login_check_none(people: People) -> None:
    me = people()
    for body in (
        {"purpose": "study", "method": "picture"},
        {"purpose": "login", "subject": "e1", "method": "picture"},
    ):
        assert me.call("POST", "/api/v1/face-checks", json=body).get_json()["code"] == "face_not_offered"


def test_starting_without_end_is_stopped(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "STARTS_PER_HOUR", 3)
    me = people()
    for _ in range(3):
        me.start()
    answer = me.call("POST", "/api/v1/face-checks", json={"purpose": "login", "method": "picture"})
    assert answer.status_code == 429


def test_pictures_of_tries_are_deleted_after_their_days_and_the_anchor_stays(people: People, world: World) -> None:
    me = people()
    me.anchor()
    attempt = FaceAttempt.get()
    record = queries.record_of(me.id)
    assert record is not None
    (world.data_dir / "photos" / "evidence" / "lost+found").mkdir()  # a folder that is no day stops nothing
    store.purge_evidence(now=utcnow() + timedelta(days=EVIDENCE_DAYS))
    assert store.get(me.id, attempt.evidence_file) is not None
    assert store.purge_evidence(now=utcnow() + timedelta(days=EVIDENCE_DAYS + 1)) >= 1
    assert store.get(me.id, attempt.evidence_file) is None
    assert store.get(me.id, record.anchor_file) is not None
    (world.data_dir / "photos" / "evidence" / "lost+found").rmdir()
