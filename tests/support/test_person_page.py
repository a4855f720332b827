"""A ticket on the person's page: question and answer, each at its moment, and the way from the case to the page."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest

from app.cases.models import Case
from app.core.clock import utcnow
from app.core.staff import Right
from app.support import service
from tests import factories
from tests.console.desks import a_photo_case
from tests.staffroom import Browser, a_member, at_desk
from tests.support.tickets import a_ticket, who
from tests.world import World

LINE = re.compile(r"<li[^>]*><time>([^<]*)</time>(.*?)</li>", re.DOTALL)


@pytest.fixture
def support(world: World) -> Browser:
    return at_desk(world, a_member((Right.SUPPORT, "yunnan"), name="李敏"))


def lines(page: str) -> list[tuple[str, str]]:
    """The history: when, and what; the latest first."""
    return [(at, re.sub(r"<[^>]*>", " ", rest)) for at, rest in LINE.findall(page)]


def when(page: str, text: str) -> str:
    """The moment of the one line that says so."""
    (at,) = [at for at, said in lines(page) if text in said]
    return at


def case_of(ticket: Any) -> Any:
    return Case.select().where(Case.subject == service.subject_of(ticket.id)).order_by(Case.filed_at.desc()).get()


def test_question_and_answer_stand_on_the_page_each_at_its_moment(world: World, support: Browser) -> None:
    person = factories.a_person()
    factories.a_roster_entry(person)
    began = utcnow() - timedelta(hours=2)
    ticket = a_ticket(person, "我昨天缴费了，\n还是不能学习。", now=began)
    case = case_of(ticket)
    form = {"decision": "answer", "note": "款已到账，请重新登录后再看。"}
    assert support.hx(f"/console/cases/{case.id}/decide", form).status_code == 200
    service.reply(who(person), ticket.id, "reply-00000001", "好的，可以学习了。", (), now=utcnow())
    page = support.get(f"/console/people/{person.id}").text
    asked, answered = when(page, "我昨天缴费了， 还是不能学习。"), when(page, "款已到账，请重新登录后再看。")
    assert asked < answered <= when(page, "好的，可以学习了。")
    assert when(page, "进入队列：学员来信   已办结") == asked, "and says nothing of the answer"
    assert when(page, "作出决定：学员来信   写答复") == answered
    told = {said.split()[0] for _, said in lines(page) if "款已到账" in said}
    assert told == {"李敏"}
    assert f'<a href="/console/cases/{case.id}">学员来信（缴费与退款）：我昨天缴费了， 还是不能学习。</a>' in page
    assert f'<a href="/console/cases/{case_of(ticket).id}">学员来信（缴费与退款）：好的，可以学习了。</a>' in page


def test_a_ticket_that_is_ended_without_an_answer_says_so(world: World, support: Browser) -> None:
    person = factories.a_person()
    factories.a_roster_entry(person)
    case = case_of(a_ticket(person))
    support.hx(f"/console/cases/{case.id}/decide", {"decision": "close", "note": "同一件事已在电话里说明"})
    page = support.get(f"/console/people/{person.id}").text
    assert when(page, "结束学员来信，没有答复：缴费与退款")
    assert "客服答复" not in page


def test_what_was_written_in_another_programme_is_not_shown(world: World) -> None:
    person = factories.a_person()
    for programme in ("yunnan", "henan"):
        factories.a_roster_entry(person, programme=programme)
    a_ticket(person, "我昨天缴费了，还是不能学习。")
    theirs = at_desk(world, a_member((Right.SUPPORT, "henan"))).get(f"/console/people/{person.id}")
    assert theirs.status_code == 200
    assert "我昨天缴费了" not in theirs.text
    money = at_desk(world, a_member((Right.FINANCE, "yunnan"))).get(f"/console/people/{person.id}")
    assert money.status_code == 200
    assert "我昨天缴费了" not in money.text, "letters are support's"


def test_a_case_leads_to_the_page_of_the_person_for_whom_it_opens(world: World, support: Browser) -> None:
    person = factories.a_person()
    factories.a_roster_entry(person)
    letter, photo = case_of(a_ticket(person)), a_photo_case(person)
    page = support.get(f"/console/cases/{letter.id}").text
    assert f'<a href="/console/people/{person.id}">打开这位学员的页面</a>' in page
    assert support.get(f"/console/people/{person.id}").status_code == 200
    assert '<div class="bad"><dt>学员' not in page, "a letter is no fault"
    reviewer = at_desk(world, a_member((Right.REVIEWER, "yunnan")))
    assert "打开这位学员的页面" not in reviewer.get(f"/console/cases/{photo.id}").text
