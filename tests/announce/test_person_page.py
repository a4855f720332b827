"""Announcements on the person's page: what was addressed to them, and what they have opened."""

from __future__ import annotations

import re

from app.announce import service
from app.core.clock import utcnow
from app.core.staff import EVERYWHERE, Right
from tests import factories
from tests.announce.board import an_announcement
from tests.staffroom import Browser, a_member, at_desk
from tests.world import World


def history(desk: Browser, person_id: str) -> str:
    """The person's page, as text."""
    answer = desk.get(f"/console/people/{person_id}")
    assert answer.status_code == 200
    return re.sub(r"<[^>]*>", " ", answer.text)


def test_what_was_addressed_to_a_person_and_what_they_opened_is_on_their_page(world: World) -> None:
    person = factories.a_person()
    factories.an_enrolment(person, entry=factories.a_roster_entry(person))
    read, unread = an_announcement(title="考试改期"), an_announcement(title="停机维护", programme=EVERYWHERE)
    an_announcement(title="还是草稿", status="draft", published_at=None)
    an_announcement(title="河南的通知", programme="henan")
    an_announcement(title="撤回的通知", status="withdrawn", withdrawn_at=utcnow())
    service.read(person.id, read.id, now=utcnow())
    page = history(at_desk(world, a_member((Right.SUPPORT, "yunnan"))), person.id)
    assert re.search(r"发给学员的通知：考试改期\s+[\d: -]+ 起显示，已读", page)
    assert re.search(r"发给学员的通知：停机维护\s+[\d: -]+ 起显示，未读", page)
    assert re.search(r"发给学员的通知：撤回的通知\s+[\d: -]+ 起显示，[\d: -]+ 撤回，未读", page)
    assert page.count("打开通知：考试改期") == 1
    assert "打开通知：停机维护" not in page
    assert "还是草稿" not in page
    assert "河南的通知" not in page
    assert unread.id != read.id


def test_who_has_not_signed_up_was_addressed_by_nothing_and_the_form_says_so(world: World) -> None:
    person = factories.a_person()
    factories.a_roster_entry(person)
    an_announcement(title="考试改期")
    assert "考试改期" not in history(at_desk(world, a_member((Right.SUPPORT, "yunnan"))), person.id)
    teacher = at_desk(world, a_member((Right.TEACHING, "yunnan")))
    assert "在名册里但还没有报名的人看不到" in teacher.get("/console/announcements/new").text
    assert "（已报名 0 人）" in teacher.get("/console/announcements/new").text


def test_support_of_another_programme_reads_nothing_of_it(world: World) -> None:
    person = factories.a_person()
    factories.an_enrolment(person, entry=factories.a_roster_entry(person))
    factories.a_roster_entry(person, programme="henan")
    mine, of_all = an_announcement(title="考试改期"), an_announcement(title="停机维护", programme=EVERYWHERE)
    for one in (mine, of_all):
        service.read(person.id, one.id, now=utcnow())
    theirs = history(at_desk(world, a_member((Right.SUPPORT, "henan"))), person.id)
    assert "考试改期" not in theirs
    assert "停机维护" not in theirs, "they signed up for nothing there"
