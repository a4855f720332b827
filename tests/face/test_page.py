"""The provider's page (F1, F2): coming back proves nothing; only our own question to the provider does."""

from __future__ import annotations

import pytest
import requests

from app.account import service as account
from app.core.clock import utcnow
from app.face import service
from app.face.models import FaceAttempt, FaceCheck
from tests.face.cameras import back_from_page, code_of, row
from tests.face.conftest import People
from tests.world import World


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
    FaceCheck.update(asked_at=utcnow() - service.ASK_PAUSE).execute()
    assert me.finish(check).get_json()["status"] == "passed"


def test_a_page_that_is_not_done_is_asked_about_once_in_three_seconds(people: People, world: World) -> None:
    me = people()
    check = me.start(method="h5")
    assert [me.finish(check).get_json()["status"] for _ in range(10)] == ["created"] * 10
    assert world.sandbox.box.journal.count("baidu", "faceprint_detail") == 1
    back_from_page(check, world)
    FaceCheck.update(asked_at=utcnow() - service.ASK_PAUSE).execute()
    assert me.finish(check).get_json()["status"] == "passed"
