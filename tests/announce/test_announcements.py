"""Announcements: written by teaching staff, read by those who are in the programme, counted once a person."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient

from app.account.models import Person
from app.announce import queries, service
from app.announce.models import Announcement, AnnouncementRead
from app.announce.service import Draft
from app.core.clock import utcnow
from app.core.errors import Problem
from app.core.staff import EVERYWHERE, Right, Staff
from app.home import kept
from tests import factories
from tests.announce.board import an_announcement
from tests.races import overtaken
from tests.staffroom import a_member, at_desk
from tests.world import World

TEACHER = Staff("staff:teacher", frozenset({(Right.TEACHING, "yunnan")}))
CHIEF = Staff("staff:chief", frozenset({(Right.TEACHING, EVERYWHERE)}))
ELSEWHERE = Staff("staff:elsewhere", frozenset({(Right.TEACHING, "henan")}))
SUPPORT = Staff("staff:support", frozenset({(Right.SUPPORT, "yunnan")}))
HOSTILE = '<script>alert(1)</script>\n{{ 7*7 }} & "quotes"'


def a_draft(**values: Any) -> Draft:
    now = utcnow()
    defaults: dict[str, Any] = {
        "programme": "yunnan", "title": "停机维护", "body": "今晚 22 点维护。", "starts_at": now, "ends_at": None,
    }  # fmt: skip
    return Draft(**(defaults | values))


def code(call: object) -> str:
    with pytest.raises(Problem) as caught:
        call()  # type: ignore[operator]
    return caught.value.code


def a_trainee(programme: str = "yunnan") -> Person:
    person = factories.a_person()
    factories.an_enrolment(person, entry=factories.a_roster_entry(person, programme=programme))
    return person


def titles(person: Person, now: datetime | None = None) -> list[str]:
    return [mail.title for mail in queries.to_person(person.id, now=now or utcnow())]


def test_a_draft_is_seen_by_nobody_until_it_is_published_and_by_nobody_after_it_is_withdrawn(world: World) -> None:
    person, now = a_trainee(), utcnow()
    made = service.write(TEACHER, a_draft(), now=now)
    assert titles(person) == []
    service.publish(TEACHER, made, seen=0, now=now)
    assert titles(person) == ["停机维护"]
    service.withdraw(TEACHER, made, now=now)
    assert titles(person) == []


def test_it_is_shown_from_its_first_moment_to_its_last(world: World) -> None:
    person, now = a_trainee(), utcnow()
    an_announcement(starts_at=now, ends_at=now + timedelta(hours=1))
    assert titles(person, now - timedelta(seconds=1)) == []
    assert titles(person, now) != []
    assert titles(person, now + timedelta(hours=1)) == []


def test_it_is_for_those_who_are_in_the_programme_and_one_for_all_is_for_everybody(world: World) -> None:
    here, there, nowhere = a_trainee(), a_trainee("henan"), factories.a_person()
    an_announcement(title="云南")
    an_announcement(title="全部", programme=EVERYWHERE)
    assert sorted(titles(here)) == ["云南", "全部"]
    assert titles(there) == ["全部"]
    assert titles(nowhere) == []


def test_what_was_published_is_not_changed_any_more(world: World) -> None:
    now = utcnow()
    made = service.write(TEACHER, a_draft(), now=now)
    service.change(TEACHER, made, a_draft(title="改过"), seen=0, now=now)
    service.publish(TEACHER, made, seen=1, now=now)
    again = a_draft(title="又改")
    assert code(lambda: service.change(TEACHER, made, again, seen=2, now=now)) == "announcement_step"
    assert code(lambda: service.remove(TEACHER, made, seen=2, now=now)) == "announcement_step"
    assert Announcement.get().title == "改过"


def test_only_who_teaches_there_may_write_and_see_them(world: World) -> None:
    now, row = utcnow(), an_announcement()
    assert code(lambda: service.write(SUPPORT, a_draft(), now=now)) == "forbidden"
    assert code(lambda: service.write(TEACHER, a_draft(programme="henan"), now=now)) == "forbidden"
    assert code(lambda: service.write(TEACHER, a_draft(programme=EVERYWHERE), now=now)) == "forbidden"
    assert code(lambda: service.withdraw(ELSEWHERE, row.id, now=now)) == "not_found"
    service.write(CHIEF, a_draft(programme=EVERYWHERE), now=now)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("title", " "),
        ("title", "长" * 61),
        ("body", ""),
        ("body", "长" * 5001),
        ("body", "a\x07b"),
        ("programme", "x"),
    ],
)
def test_a_field_that_is_wrong_is_named(world: World, field: str, value: str) -> None:
    with pytest.raises(Problem) as caught:
        service.write(TEACHER, a_draft(**{field: value}), now=utcnow())
    assert caught.value.fields is not None
    assert field in caught.value.fields


def test_opening_it_many_times_counts_one_reader(world: World, client: FlaskClient) -> None:
    person, row = a_trainee(), an_announcement(body=HOSTILE)
    a_trainee()
    headers = factories.auth(person)
    listed = client.get("/api/v1/announcements", headers=headers).get_json()
    assert (listed["unread"], listed["announcements"][0]["read"]) == (1, False)
    assert "body" not in listed["announcements"][0]
    for _ in range(3):
        answer = client.post(f"/api/v1/announcements/{row.id}/read", headers=headers).get_json()
        assert answer["body"] == HOSTILE, "plain text, as it was written"
    assert AnnouncementRead.select().count() == 1
    assert client.get("/api/v1/announcements", headers=headers).get_json()["unread"] == 0
    card = queries.card(TEACHER, row.id)
    assert (card.read_by, card.addressed, card.percent) == (1, 2, 50)


def test_one_that_is_not_for_me_is_not_found_and_not_counted(world: World, client: FlaskClient) -> None:
    stranger, row = a_trainee("henan"), an_announcement()
    answer = client.post(f"/api/v1/announcements/{row.id}/read", headers=factories.auth(stranger))
    assert answer.status_code == 404
    assert AnnouncementRead.select().count() == 0


def test_the_first_screen_counts_what_is_unread_and_hears_of_it_at_once(world: World, client: FlaskClient) -> None:
    kept.forget_all()
    person = a_trainee()
    headers = factories.auth(person)

    def unread() -> int:
        return int(client.get("/api/v1/home", headers=headers).get_json()["unread"])

    assert unread() == 0
    now = utcnow()
    made = service.write(TEACHER, a_draft(), now=now)
    assert unread() == 0
    service.publish(TEACHER, made, seen=0, now=now)
    assert unread() == 1
    client.post(f"/api/v1/announcements/{made}/read", headers=headers)
    assert unread() == 0
    another = an_announcement()
    assert unread() == 1
    service.withdraw(TEACHER, another.id, now=now)
    assert unread() == 0


def test_a_teachers_pages_show_the_share_and_keep_hostile_text_inert(world: World) -> None:
    person = a_trainee()
    desk = at_desk(world, a_member((Right.TEACHING, "yunnan")))
    desk.get("/console/announcements/new")
    form = {"programme": "yunnan", "title": "<b>通知</b>", "body": HOSTILE, "starts_at": "", "ends_at": ""}
    shown = desk.post("/console/announcements", form)
    assert shown.status_code == 303
    path = shown.headers["Location"]
    desk.get(path)
    assert desk.post(path, {"what": "publish"}).status_code == 303
    row = Announcement.get()
    service.read(person.id, row.id, now=utcnow())
    page = desk.get(path).text
    assert "<script>alert" not in page
    assert "<b>通知" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert "1 人（100%）" in page
    assert "1 / 1 人" in desk.get("/console/announcements").text
    wrong = desk.post("/console/announcements", form | {"title": ""})
    assert wrong.status_code == 422
    assert "请填写标题" in wrong.text
    assert "alert(1)" in wrong.text, "what was typed is still there"


def test_what_is_published_is_what_was_seen(world: World) -> None:
    one, other = (at_desk(world, a_member((Right.TEACHING, "yunnan"), name=name)) for name in ("甲", "乙"))
    path = f"/console/announcements/{service.write(TEACHER, a_draft(body='七月一日'), now=utcnow())}"
    form = {"programme": "yunnan", "title": "考试", "starts_at": "", "ends_at": ""}
    assert "七月一日" in one.get(path).text
    other.get(f"{path}/edit")
    assert other.post(path, form | {"body": "八月九日（草稿）"}).status_code == 303
    for what in ("publish", "remove"):
        one.hidden = {"revision": "0"}  # the page from before
        answer = one.post(path, {"what": what})
        assert (answer.status_code, "八月九日" in answer.text, "同事刚刚改过" in answer.text) == (409, True, True)
    one.hidden = {}
    assert one.post(path, {"what": "publish"}).status_code == 409, "a form that does not say what it showed"
    assert Announcement.get().status == "draft"
    one.get(path)
    assert one.post(path, {"what": "publish"}).status_code == 303
    assert (Announcement.get().status, Announcement.get().body) == ("published", "八月九日（草稿）")


def test_of_two_who_write_the_second_hears_of_the_first_and_loses_nothing(world: World) -> None:
    one, other = (at_desk(world, a_member((Right.TEACHING, "yunnan"), name=name)) for name in ("甲", "乙"))
    path = f"/console/announcements/{service.write(TEACHER, a_draft(), now=utcnow())}"
    form = {"programme": "yunnan", "title": "考试", "starts_at": "", "ends_at": ""}
    for desk in (one, other):
        desk.get(f"{path}/edit")
    other.post(path, form | {"body": "乙写的"})
    late = one.post(path, form | {"body": "甲写的"})
    assert (late.status_code, "甲写的" in late.text, Announcement.get().body) == (409, True, "乙写的")
    one.hidden = dict(re.findall(r'name="(revision)" value="(\d+)"', late.text))
    assert one.post(path, form | {"body": "甲写的"}).status_code == 303, "knowing of it"
    assert Announcement.get().body == "甲写的"


def test_a_draft_that_changes_at_that_moment_is_not_published(world: World) -> None:
    now = utcnow()
    made = service.write(TEACHER, a_draft(), now=now)

    def change() -> None:
        service.change(TEACHER, made, a_draft(body="另一个日期"), seen=0, now=now)

    with overtaken(queries, "visible", change):
        assert code(lambda: service.publish(TEACHER, made, seen=0, now=now)) == "announcement_step"
    assert (Announcement.get().status, Announcement.get().body) == ("draft", "另一个日期")


def test_without_the_comparison_it_would_be(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    now = utcnow()
    made = service.write(TEACHER, a_draft(), now=now)
    monkeypatch.setattr(service, "_check_seen", lambda *_: None)

    def change() -> None:
        service.change(TEACHER, made, a_draft(body="另一个日期"), seen=0, now=now)

    with overtaken(queries, "visible", change):
        service.publish(TEACHER, made, seen=0, now=now)
    assert (Announcement.get().status, Announcement.get().body) == ("published", "另一个日期")


def test_its_first_moment_is_not_before_it_is_published(world: World) -> None:
    now = utcnow()
    old, ahead = (
        service.write(TEACHER, a_draft(starts_at=now + timedelta(hours=hours)), now=now) for hours in (-48, 48)
    )
    for made in (old, ahead):
        service.publish(TEACHER, made, seen=0, now=now)
    starts = [Announcement.get_by_id(made).starts_at for made in (old, ahead)]
    assert starts == [now, now + timedelta(hours=48)]


def test_times_are_shanghais(world: World) -> None:
    desk = at_desk(world, a_member((Right.TEACHING, "yunnan")))
    desk.get("/console/announcements/new")
    form = {
        "programme": "yunnan",
        "title": "考试",
        "body": "考试",
        "starts_at": "2026-12-01T08:00",
        "ends_at": "2026-12-02T08:00",
    }
    desk.post("/console/announcements", form)
    assert Announcement.get().starts_at.isoformat() == "2026-12-01T00:00:00+00:00"
