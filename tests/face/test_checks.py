"""Face checks end to end over HTTP: picture and page, thresholds, tries, what opens an account, what passes once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
import requests

from app.account import service as account
from app.cases import service as cases
from app.core import db
from app.core.audit import AuditEntry
from app.core.clock import utcnow
from app.core.errors import Problem
from app.face import image, queries, service, store, tries
from app.face.models import FaceAttempt, FaceCheck, FaceRecord
from sandbox.faces import make_face, person_of
from tests.face.conftest import People, Someone
from tests.world import World


def stranger_of(me: Someone) -> bytes:
    return make_face(person_of(me.id_number) + 1)


def row(check: dict[str, Any]) -> FaceCheck:
    return FaceCheck.get_by_id(check["id"])


def code_of(call: Callable[[], object]) -> str:
    with pytest.raises(Problem) as caught:
        call()
    return caught.value.code


# --- picture ---


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


def at_once(count: int, work: Callable[[int], object]) -> list[object]:
    """Run `work` in `count` threads that begin together; the results, or the codes of the problems."""
    barrier = threading.Barrier(count)
    results: list[object] = []

    def run(number: int) -> None:
        with db.connection():
            barrier.wait()
            try:
                results.append(work(number))
            except Problem as problem:
                results.append(problem.code)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


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
    monkeypatch.setattr(tries, "claim", lambda person_id, programme, *, now: None)
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


# --- the account ---


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


# --- study ---


def test_a_study_check_needs_the_anchor_then_the_photo(people: People) -> None:
    me = people()
    body = {"purpose": "study", "subject": "enrolment-1", "method": "picture"}
    assert me.call("POST", "/api/v1/face-checks", json=body).get_json()["code"] == "face_anchor_needed"
    me.anchor()
    assert me.call("POST", "/api/v1/face-checks", json=body).get_json()["code"] == "photo_needed"
    me.put_photo()
    assert me.call("POST", "/api/v1/face-checks", json=body).status_code == 201


def ready(people: People) -> Someone:
    me = people()
    me.anchor()
    assert me.put_photo().get_json()["status"] == "confirmed"
    return me


@pytest.mark.parametrize("method", ["picture", "h5"])
def test_a_study_pass_is_for_its_enrolment_and_used_once(people: People, world: World, method: str) -> None:
    me = ready(people)
    check = me.start("study", method, "enrolment-1")
    if method == "picture":
        assert me.show(check).get_json()["status"] == "passed"
    else:
        back_from_page(check, world)
        assert me.finish(check).get_json()["status"] == "passed"
    now = utcnow()
    assert code_of(lambda: service.consume_pass(me.id, "study", "enrolment-2", now=now)) == "face_check_needed"
    assert (
        code_of(lambda: service.consume_pass("someone-else", "study", "enrolment-1", now=now)) == "face_check_needed"
    )
    assert service.consume_pass(me.id, "study", "enrolment-1", now=now) == check["id"]
    assert code_of(lambda: service.consume_pass(me.id, "study", "enrolment-1", now=now)) == "face_check_needed"
    assert row(check).status == "consumed"
    if method == "picture":
        assert me.show(check).get_json()["code"] == "face_check_over"
    else:
        assert me.finish(check).get_json()["code"] == "face_check_over"


def test_someone_else_before_the_camera_does_not_study(people: People) -> None:
    me = ready(people)
    check = me.start("study", "picture", "enrolment-1")
    answer = me.show(check, stranger_of(me)).get_json()
    assert (answer["status"], answer["reason"]) == ("failed", "low_score")


def test_a_pass_ends_after_the_minutes_of_the_programme(people: People) -> None:
    me = ready(people)
    check = me.start("study", "picture", "enrolment-1")
    me.show(check)
    passed_at: datetime = row(check).passed_at  # type: ignore[assignment]
    assert row(check).expires_at == passed_at + timedelta(minutes=240)  # the programme's study_now
    service.require_pass(me.id, "study", "enrolment-1", now=passed_at + timedelta(minutes=239, seconds=59))
    late = passed_at + timedelta(minutes=240)
    assert code_of(lambda: service.require_pass(me.id, "study", "enrolment-1", now=late)) == "face_check_needed"
    assert code_of(lambda: service.consume_pass(me.id, "study", "enrolment-1", now=late)) == "face_check_needed"
    assert service.expire_checks(now=late) == 1
    assert row(check).status == "expired"
    assert service.expire_checks(now=late) == 0


def a_study_pass(me: Someone) -> str:
    check = me.start("study", "picture", "enrolment-1")
    assert me.show(check).get_json()["status"] == "passed"
    return str(check["id"])


def consume(me: Someone) -> list[object]:
    return at_once(8, lambda _: service.consume_pass(me.id, "study", "enrolment-1", now=utcnow()))


def test_of_eight_study_sessions_at_once_one_gets_the_pass(people: People) -> None:
    me = ready(people)
    check_id = a_study_pass(me)
    results = consume(me)
    assert results.count(check_id) == 1
    assert results.count("face_check_needed") == 7


def test_twin_without_compare_and_set_several_get_the_pass(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    me = ready(people)
    check_id = a_study_pass(me)
    seen = threading.Barrier(8)
    good_pass = queries.good_pass

    def all_look_first(*args: Any, **options: Any) -> FaceCheck | None:
        found = good_pass(*args, **options)
        seen.wait(5)
        return found

    def without_guard(model: Any, row_id: str, where: dict[str, Any], values: dict[str, Any]) -> bool:
        return bool(model.update(values).where(model.id == row_id).execute())

    monkeypatch.setattr(queries, "good_pass", all_look_first)
    monkeypatch.setattr(service, "compare_and_set", without_guard)
    assert consume(me).count(check_id) > 1


# --- the page (F1, F2) ---


def back_from_page(check: dict[str, Any], world: World, outcome: str = "pass") -> str:
    """Press the button of the provider's page in a browser, follow it home; gives how it says it went."""
    page = requests.get(check["h5_url"], timeout=5)
    assert page.status_code == 200
    home = requests.post(check["h5_url"], data={"outcome": outcome}, allow_redirects=False, timeout=5)
    assert home.status_code == 302
    target = home.headers["Location"]
    assert target.startswith(f"{world.settings.public_url}/face/return?check={check['id']}&nonce=")
    landed = requests.get(target, timeout=5)
    assert landed.status_code == 200
    assert "请回到" in landed.text
    return target.rsplit("outcome=", 1)[1]


def test_coming_back_proves_nothing_until_the_server_has_asked(people: People, world: World) -> None:
    me = people()
    check = me.start(method="h5")
    assert back_from_page(check, world) == "done"
    assert row(check).status == "created"
    assert code_of(lambda: service.require_pass(me.id, "login", None, now=utcnow())) == "face_check_needed"

    answer = me.finish(check).get_json()
    assert answer["status"] == "passed"
    assert me.finish(check).get_json()["status"] == "passed"  # asked again, it is told again
    assert FaceAttempt.select().where(FaceAttempt.check_id == check["id"]).count() == 1
    assert service.anchored(me.id)


def test_a_forged_way_back_changes_nothing_and_says_so(people: People, world: World) -> None:
    me = people()
    check = me.start(method="h5")
    other = me.start(method="h5")
    _, _, signed = check["h5_url"].partition("nonce%3D")
    nonce = signed.partition("%26")[0]
    base = f"{world.settings.public_url}/face/return"
    for query in (
        "",
        f"?check={check['id']}",
        f"?check={check['id']}&nonce=forged&outcome=done",
        f"?check={other['id']}&nonce={nonce}&outcome=done",
        f"?check={check['id']}&nonce={nonce[:-2]}xx&outcome=done",
    ):
        landed = requests.get(base + query, timeout=5)
        assert landed.status_code == 400
        assert "链接已失效" in landed.text
    assert requests.get(f"{base}?check={check['id']}&nonce={nonce}&outcome=done", timeout=5).status_code == 200
    assert me.finish(check).get_json()["status"] == "created"
    assert row(check).status == "created"
    assert FaceAttempt.select().count() == 0


def test_the_return_page_runs_under_the_policy_and_repeats_nothing_of_its_address(world: World) -> None:
    page = requests.get(
        f"{world.settings.public_url}/face/return?check=<svg onload=alert(1)>&nonce=<b>&outcome=<i>", timeout=5
    )
    assert "<svg" not in page.text
    assert "<script" not in page.text
    assert " style=" not in page.text
    assert "<style" not in page.text
    assert "script-src 'self'" in page.headers["Content-Security-Policy"]
    style = requests.get(f"{world.settings.public_url}/face/return.css", timeout=5)
    assert style.headers["Content-Type"].startswith("text/css")


def test_another_users_check_cannot_be_finished_seen_or_shown(people: People, world: World) -> None:
    me, thief = people(), people("530102198501010018", "李四")
    check = me.start(method="h5")
    back_from_page(check, world)
    assert thief.finish(check).status_code == 404
    assert thief.call("GET", f"/api/v1/face-checks/{check['id']}").status_code == 404
    picture = me.start()
    assert thief.show(picture).status_code == 404
    assert row(check).status == "created"


def test_another_checks_nonce_or_method_does_not_finish_it(people: People, world: World) -> None:
    me = people()
    check, other = me.start(method="h5"), me.start(method="h5")
    back_from_page(check, world)
    for nonce in (other["nonce"], "x", "核验"):
        assert me.finish(check, nonce).get_json()["code"] == "face_check_over"
    assert me.show(check).get_json()["code"] == "face_check_over"  # a picture for a check of the page
    picture = me.start()
    assert me.finish(picture).get_json()["code"] == "face_check_over"
    assert "nonce" not in me.call("GET", f"/api/v1/face-checks/{check['id']}").get_json()
    assert row(check).status == "created"


def test_a_check_is_over_after_its_time(people: People, world: World) -> None:
    me = people()
    check = me.start(method="h5")
    back_from_page(check, world)
    FaceCheck.update(expires_at=utcnow()).where(FaceCheck.id == check["id"]).execute()
    assert me.finish(check).get_json()["code"] == "face_check_over"
    assert not service.anchored(me.id)


def test_a_result_of_another_name_does_not_pass(people: People, world: World) -> None:
    me = people()
    check = me.start(method="h5")
    back_from_page(check, world)
    person = account.get_person(me.id)
    person.name = "李四"  # what the page was opened for is no longer who the person is
    person.save()
    answer = me.finish(check).get_json()
    assert (answer["status"], answer["reason"]) == ("failed", "other_person")


@pytest.mark.parametrize("name", ["李四", "张三"])
def test_a_result_of_another_person_does_not_pass(people: People, world: World, name: str) -> None:
    """The provider's answer is bound to the person: a token that someone else answered is worth nothing."""
    me, thief = people(), people("530102198501010018", name)
    theirs, mine = thief.start(method="h5"), me.start(method="h5")
    back_from_page(mine, world)
    stolen = row(mine).provider_ref
    check = row(theirs)
    check.provider_ref = stolen
    check.save()
    answer = thief.finish(theirs).get_json()
    assert (answer["status"], answer["reason"]) == ("failed", "other_person")
    assert not service.anchored(thief.id)


@pytest.mark.parametrize(("outcome", "reason"), [("fail", "not_live"), ("other", "low_score")])
def test_a_failed_page_is_a_failed_try(people: People, world: World, outcome: str, reason: str) -> None:
    me = people()
    check = me.start(method="h5")
    assert back_from_page(check, world, outcome) == "failed"
    answer = me.finish(check).get_json()
    assert (answer["status"], answer["reason"], answer["retries_left"]) == ("failed", reason, 4)
    assert me.finish(check).get_json()["retries_left"] == 4  # asked again, it is not counted again


def test_the_providers_token_and_the_nonce_are_not_in_the_clear_in_the_database(people: People) -> None:
    me = people()
    check = me.start(method="h5")
    kept = row(check)
    assert kept.provider_ref
    text = " ".join(str(value) for value in kept.__data__.values())
    assert kept.provider_ref not in text
    assert check["nonce"] not in text


@pytest.mark.parametrize("kind", ["error", "garbage", "reset", "hang", "reset_after"])
@pytest.mark.parametrize("operation", ["liveness", "person_verify"])
def test_a_provider_that_is_down_lets_nobody_in_and_takes_no_try(
    people: People, world: World, operation: str, kind: str
) -> None:
    me = people()
    check = me.start()
    world.sandbox.box.knobs.add("baidu", operation, kind, 500 if kind == "error" else None)
    answer = me.show(check)
    assert (answer.status_code, answer.get_json()["code"]) == (503, "face_unavailable")
    assert answer.headers["Retry-After"]
    assert answer.get_json()["manual_route"] == {"phone": "0871-63122229"}
    seen = me.call("GET", f"/api/v1/face-checks/{check['id']}").get_json()
    assert (seen["status"], seen["retries_left"]) == ("unknown", 5)
    assert me.show(check).get_json()["status"] == "passed"


@pytest.mark.parametrize("operation", ["faceprint_token", "faceprint_submit"])
def test_a_page_that_cannot_be_opened_is_unavailable(people: People, world: World, operation: str) -> None:
    me = people()
    world.sandbox.box.knobs.add("baidu", operation, "reset")
    answer = me.call("POST", "/api/v1/face-checks", json={"purpose": "login", "method": "h5"})
    assert (answer.status_code, answer.get_json()["code"]) == (503, "face_unavailable")
    assert me.start(method="h5")["h5_url"]


@pytest.mark.parametrize("operation", ["faceprint_detail", "faceprint_simple"])
def test_a_result_that_cannot_be_asked_for_is_asked_for_later(people: People, world: World, operation: str) -> None:
    me = people()
    check = me.start(method="h5")
    back_from_page(check, world)
    world.sandbox.box.knobs.add("baidu", operation, "garbage")
    assert me.finish(check).status_code == 503
    assert me.finish(check).get_json()["status"] == "passed"


# --- evidence ---


def test_pictures_of_tries_are_deleted_after_their_days_and_the_anchor_stays(people: People) -> None:
    me = people()
    me.anchor()
    attempt = FaceAttempt.get()
    record = queries.record_of(me.id)
    assert record is not None
    store.purge_evidence(now=utcnow() + timedelta(days=store.EVIDENCE_DAYS))
    assert store.get(me.id, attempt.evidence_file) is not None
    assert store.purge_evidence(now=utcnow() + timedelta(days=store.EVIDENCE_DAYS + 1)) >= 1
    assert store.get(me.id, attempt.evidence_file) is None
    assert store.get(me.id, record.anchor_file) is not None
