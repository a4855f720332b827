"""Who takes back the consent to face data: the pictures go, what was found by them stays, and the way begins anew."""

from __future__ import annotations

import runpy
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from app.account import service as account
from app.cases import service as cases
from app.cases.models import Case
from app.core import audit, migrate, outbox
from app.core.clock import utcnow
from app.core.db import transaction
from app.face import judge, photos, queries, review, tries, withdrawal
from app.face.models import FaceAttempt, FaceCheck, FaceRecord
from app.face.status import PhotoStatus
from tests.face.conftest import People, Someone
from tests.world import World


def withdraw(me: Someone) -> None:
    assert me.call("DELETE", "/api/v1/consents/face").status_code == 204


def deleted() -> int:
    """The event is heard and the job has run; of how many it deleted the pictures."""
    now = utcnow() + timedelta(seconds=1)
    outbox.sweep(now=now)
    return withdrawal.forget(now=now)


def agree(me: Someone) -> None:
    version = account.CONSENT_VERSIONS["face"]
    account.give_consent(me.id, "face", version, now=utcnow(), session_id=me.who.session_id)


def files(world: World) -> set[str]:
    folder = world.data_dir / "photos"
    return {str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file()}


def seen(me: Someone) -> None:
    """Checked by name, photographed, and checked before studying."""
    me.anchor()
    assert me.put_photo().status_code == 200
    study = me.start("study", subject=me.enrolment)
    assert me.show(study).get_json()["status"] == "passed"


def test_the_pictures_go_and_what_was_found_by_them_stays(people: People, world: World) -> None:
    before = files(world)
    me, other = people(), people("530102198501012347", "李四")
    seen(me)
    mine = files(world) - before
    seen(other)
    found = list(FaceAttempt.select(FaceAttempt.outcome, FaceAttempt.match_score).tuples())
    checks = list(FaceCheck.select(FaceCheck.id, FaceCheck.status).tuples())
    assert {name.split("/")[0] for name in mine} == {"portrait", "anchor", "evidence"}
    withdraw(me)
    assert files(world) >= mine, "by the job"
    assert (deleted(), deleted()) == (1, 0)
    assert not files(world) & mine
    assert len(files(world) - before) == len(mine), "another one's stay"
    assert list(FaceAttempt.select(FaceAttempt.outcome, FaceAttempt.match_score).tuples()) == found
    assert list(FaceCheck.select(FaceCheck.id, FaceCheck.status).tuples()) == checks
    assert (queries.photo_status(me.id), queries.anchored(me.id)) == (PhotoStatus.NONE, False)
    assert queries.anchored(other.id)
    actions = [line.action for line in audit.about((f"person:{me.id}",), limit=9)]
    assert "face.pictures_deleted" in actions


def test_who_agrees_anew_begins_with_the_real_name_check(people: People) -> None:
    me = people()
    seen(me)
    withdraw(me)
    deleted()
    assert me.call("POST", "/api/v1/face-checks", json={"purpose": "login", "method": "picture"}).status_code == 403
    agree(me)
    study = {"purpose": "study", "method": "picture", "subject": me.enrolment}
    assert me.call("POST", "/api/v1/face-checks", json=study).get_json()["code"] == "face_anchor_needed"
    seen(me)
    assert queries.photo_ready(me.id)


def test_while_support_asks_whether_it_was_the_person_their_pictures_stay(people: People, world: World) -> None:
    me = people()
    me.anchor()
    filed = {"programme": "yunnan", "person_id": me.id, "now": utcnow()}
    cases.file(tries.OUT, f"face_check:{FaceCheck.get().id}", {}, **filed)  # type: ignore[arg-type]
    kept = files(world)
    withdraw(me)
    assert deleted() == 0
    assert files(world) == kept
    cases.decide(Case.get().id, "不是本人，不予重试", actor="staff:x", now=utcnow())
    assert deleted() == 1
    assert not files(world) & {str(FaceRecord.get().anchor_file)}
    assert len(files(world)) < len(kept)


def test_who_agreed_anew_while_support_asked_keeps_them(people: People, world: World) -> None:
    me = people()
    me.anchor()
    case = {"programme": "yunnan", "person_id": me.id, "now": utcnow()}
    cases.file(tries.OUT, "face_check:x", {}, **case)  # type: ignore[arg-type]
    withdraw(me)
    assert deleted() == 0
    agree(me)
    cases.decide(Case.get().id, "已核对", actor="staff:x", now=utcnow())
    assert deleted() == 0
    assert queries.anchored(me.id)
    assert FaceRecord.get().withdrawn_at is None


def test_nobody_looks_at_a_photo_that_is_gone(people: People) -> None:
    me = people()
    seen(me)
    record = FaceRecord.get()
    with transaction():
        review.ask(me.id, "yunnan", record.photo_file, now=utcnow())
    assert photos.ask_replacement(me.who, "照片是以前的，与现在不像", now=utcnow())
    withdraw(me)
    assert deleted() == 1
    assert cases.open_cases() == []


def test_a_consent_that_is_taken_back_while_the_provider_looks_leaves_nothing(
    people: People, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    me, before = people(), files(world)
    check = me.start()
    looked = judge.judge_picture

    def slow(*args: Any) -> Any:
        verdict = looked(*args)
        withdraw(me)
        return verdict

    monkeypatch.setattr("app.face.service.judge_picture", slow)
    answer = me.show(check)
    assert (answer.status_code, answer.get_json().get("code")) == (403, "consent_needed")
    assert (files(world), FaceAttempt.select().count(), queries.anchored(me.id)) == (before, 0, False)


def test_twin_without_the_hold_a_picture_is_kept_of_who_had_withdrawn(
    people: People, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(account, "hold_consent", lambda *_: None)
    with pytest.raises(AssertionError):
        test_a_consent_that_is_taken_back_while_the_provider_looks_leaves_nothing(people, world, monkeypatch)
    assert queries.anchored(FaceRecord.get().person_id)


def test_a_photo_that_is_sent_while_the_consent_is_taken_back_is_not_kept(
    people: People, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    me = people()
    me.anchor()
    before, compared = files(world), judge.same_face

    def slow(*args: Any) -> Any:
        same = compared(*args)
        withdraw(me)
        return same

    monkeypatch.setattr("app.face.photos.same_face", slow)
    assert me.put_photo().get_json()["code"] == "consent_needed"
    assert (files(world), queries.photo_status(me.id)) == (before, PhotoStatus.NONE)


def test_who_took_it_back_before_there_was_the_job_is_not_forgotten(people: People) -> None:
    now = utcnow()
    gone, again, never = people(), people("530102198501012347", "李四"), people("530102199203044565", "王五")
    for me in (gone, again, never):
        tries.ensure_record(me.id)
    for me in (gone, again):
        account.withdraw_consent(me.id, "face", now=now)
    agree(again)
    migration = runpy.run_path(str(Path(migrate.DIRECTORY) / "0190_face_withdrawn.py"))
    migration["ask_for_those_of_before"](FaceRecord._meta.database)
    asked = FaceRecord.select(FaceRecord.person_id).where(FaceRecord.withdrawn_at.is_null(False))
    assert [person_id for (person_id,) in asked.tuples()] == [gone.id]
    assert abs((FaceRecord.get(FaceRecord.person_id == gone.id).withdrawn_at - now).total_seconds()) < 60
