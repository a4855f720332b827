"""Announcements: written by teaching staff, read by those who are in the programme, counted once a person."""

from __future__ import annotations

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
    service.publish(TEACHER, made, now=now)
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
    service.change(TEACHER, made, a_draft(title="改过"), now=now)
    service.publish(TEACHER, made, now=now)
    assert code(lambda: service.change(TEACHER, made, a_draft(title="又改"), now=now)) == "announcement_step"
    assert code(lambda: service.remove(TEACHER, made, now=now)) == "announcement_step"
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
    service.publish(TEACHER, made, now=now)
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
