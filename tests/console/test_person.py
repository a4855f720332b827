"""One person's page: who finds whom, what stands there, in how many ways to the database."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from werkzeug.test import TestResponse

from app.account import person_pages
from app.account import service as account
from app.account.models import Person
from app.cases import service as cases
from app.cases.models import Case
from app.core import audit, db
from app.core.clock import utcnow
from app.core.ids import new_id
from app.core.staff import EVERYWHERE, Right
from app.face import photos, review
from app.pay.models import PaymentEvent
from tests import factories
from tests.pay.till import a_sale
from tests.staffroom import Browser, a_member, at_desk
from tests.world import World

SUPPORT, FINANCE = (Right.SUPPORT, "yunnan"), (Right.FINANCE, "yunnan")
SVG = "<svg onload=alert(1)>"


@pytest.fixture
def support(world: World) -> Browser:
    return at_desk(world, a_member(SUPPORT))


def look_for(browser: Browser, text: str) -> str | None:
    """What is found: the one person's id, or None; a list is an error of the test."""
    browser.get("/console/people")
    answer = browser.post("/console/people", {"text": text})
    if answer.status_code == 303:
        return answer.headers["Location"].removeprefix("/console/people/")
    assert "没有找到" in answer.text, answer.text
    return None


def a_trainee(**values: Any) -> Person:
    """Somebody on yunnan's roster."""
    person = factories.a_person(**values)
    factories.a_roster_entry(person)
    return person


def page_of(browser: Browser, person: Person) -> str:
    answer = browser.get(f"/console/people/{person.id}")
    assert answer.status_code == 200, answer.text
    return html.unescape(answer.text)


def test_a_person_is_found_by_each_thing_that_they_can_say_on_the_telephone(world: World, support: Browser) -> None:
    sale = a_sale()
    other = factories.a_roster_entry(sale.person, certificate_no="滇A(2020)0012345")
    person = sale.person
    for text in (
        person.id_number,
        person.id_number.lower(),
        f" {person.phone[:3]} {person.phone[3:]} ",
        str(other.certificate_no),
        "滇a(2020)0012345",
        sale.order_id,
    ):
        assert look_for(support, text) == person.id, text
    named = a_trainee(name="阿卜杜·热合曼")
    for text in ("阿卜杜·热合曼", "阿卜杜•热合曼", "阿卜杜 · 热合曼"):
        assert look_for(support, text) == named.id, text


@pytest.mark.parametrize("text", ["张建", "53010219", "138", "%", "' or 1=1", "x" * 64, "１３８"])
def test_a_part_or_nonsense_finds_nobody(support: Browser, text: str) -> None:
    a_trainee()
    assert look_for(support, text) is None


def test_people_of_one_name_are_listed_masked_and_each_can_be_opened(support: Browser) -> None:
    people = [a_trainee(name="李卫东") for _ in range(3)]
    support.get("/console/people")
    page = support.post("/console/people", {"text": "李卫东"}).text
    assert "找到 3 位" in page
    for person in people:
        assert f"/console/people/{person.id}" in page
        assert person.id_number not in page
        assert str(person.phone) not in page
    assert "李卫东" not in re.sub(r"<input[^>]*>", "", page)


def test_only_people_of_ones_own_programmes_are_found_and_a_guessed_id_is_not_there(
    world: World, support: Browser
) -> None:
    stranger = factories.a_person()
    factories.a_roster_entry(stranger, programme="henan")
    nobodys = factories.a_person()
    for person in (stranger, nobodys):
        assert look_for(support, person.id_number) is None
        guessed, missing = support.get(f"/console/people/{person.id}"), support.get(f"/console/people/{new_id()}")
        assert (guessed.status_code, missing.status_code) == (404, 404)
        for path in ("history", "unmask", "help/account.unlock"):
            call = support.get if path == "history" else support.post
            assert call(f"/console/people/{person.id}/{path}").status_code == 404, path
    chief = at_desk(world, a_member((Right.ADMINISTRATOR, EVERYWHERE)))
    assert look_for(chief, stranger.id_number) == stranger.id
    assert look_for(chief, nobodys.id_number) == nobodys.id


def test_reviewers_and_teachers_open_no_persons_page(world: World) -> None:
    person = a_trainee()
    for right in (Right.REVIEWER, Right.TEACHING):
        browser = at_desk(world, a_member((right, "yunnan")))
        assert browser.get(f"/console/people/{person.id}").status_code == 403
        assert "查学员" not in browser.get("/console/").text


def test_finance_reads_the_money_and_nothing_else(world: World) -> None:
    sale = a_sale()
    account.open_session(sale.person.id, "yunnan", "mini_program", activated=True, now=utcnow())
    page = page_of(at_desk(world, a_member(FINANCE)), sale.person)
    assert sale.order_id in page
    assert "微信小程序" not in page
    assert "更换手机号" not in page
    assert "查看完整信息" not in page


def test_finance_reads_no_deed_of_support_and_both_read_their_own(world: World) -> None:
    sale, now = a_sale(), utcnow()
    subject = f"person:{sale.person.id}"
    audit.record("system", "login.failed", subject, now=now, reason="密码不对的证据")
    audit.record("staff:x", "photo.released", subject, now=now, programme="yunnan", reason="退照片的理由")
    audit.record("staff:x", "order.noted", f"order:{sale.order_id}", now=now, programme="yunnan", reason="订单的理由")
    finance = page_of(at_desk(world, a_member(FINANCE)), sale.person)
    assert "订单的理由" in finance
    assert "密码不对的证据" not in finance
    assert "退照片的理由" not in finance
    factories.a_roster_entry(sale.person, programme="henan")
    elsewhere = page_of(at_desk(world, a_member(FINANCE, (Right.SUPPORT, "henan"))), sale.person)
    assert "订单的理由" in elsewhere
    assert "退照片的理由" not in elsewhere
    support = page_of(at_desk(world, a_member(SUPPORT)), sale.person)
    assert all(text in support for text in ("密码不对的证据", "退照片的理由", "订单的理由"))


def test_a_number_in_a_reason_stands_masked_in_the_audit_log(world: World) -> None:
    audit.record(
        "staff:x", "x.done", "person:x", now=utcnow(), reason="本人 13812345678，530102199001011234", count=7
    )
    line = audit.about(["person:x"], limit=1)[0]
    assert line.data == {"reason": "本人 138****5678，530***********1234", "count": 7}


def test_what_happened_in_another_programme_is_not_shown(world: World) -> None:
    """The roster of both; each programme's support reads its own."""
    person = a_trainee()
    factories.a_roster_entry(person, programme="henan")
    now = utcnow()
    account.open_session(person.id, "yunnan", "web", activated=True, now=now)
    audit.record("staff:x", "person.unmasked", f"person:{person.id}", now=now, programme="henan", reason="河南的理由")
    audit.record("staff:x", "photo.released", f"person:{person.id}", now=now, reason="没有写明项目的理由")
    photos_subject = f"person:{person.id}"
    facts: dict[str, str | int | None] = {"reason": "照片旧了"}
    cases.file(review.REPLACEMENT, photos_subject, facts, programme="yunnan", person_id=person.id, now=now)
    case = Case.get()
    mine = at_desk(world, a_member(SUPPORT))
    for text in (page_of(mine, person), html.unescape(mine.get(f"/console/cases/{case.id}").text)):
        assert "河南的理由" not in text
        assert "没有写明项目的理由" not in text
    assert "登录（电脑网页）" in page_of(mine, person)
    theirs = page_of(at_desk(world, a_member((Right.SUPPORT, "henan"))), person)
    assert "河南的理由" in theirs
    assert "登录（电脑网页）" not in theirs
    assert case.id not in theirs
    chief = page_of(at_desk(world, a_member((Right.ADMINISTRATOR, EVERYWHERE))), person)
    assert all(text in chief for text in ("河南的理由", "没有写明项目的理由", "登录（电脑网页）", case.id))


def a_long_life(lines: int) -> Person:
    """Somebody of whom every table knows `lines` rows, many of them of one moment."""
    sale = a_sale()
    person, enrolment_id = sale.person, sale.enrolment_id
    now = utcnow() - timedelta(days=3)
    moments = [now - timedelta(seconds=number // 3) for number in range(lines)]
    for at in moments:
        account.open_session(person.id, "yunnan", "web", activated=True, now=at)
        audit.record("system", "login.failed", f"enrolment:{enrolment_id}", now=at)
        PaymentEvent.create(
            order_id=sale.order_id, kind="order", subject_id=sale.order_id, action="pay", before="pending",
            after="paid", at=at, evidence="transaction:1",
        )  # fmt: skip
    return person


def all_entries(browser: Browser, person: Person) -> list[str]:
    """Every line of the history, by leafing through it."""
    found: list[str] = []
    answer = browser.get(f"/console/people/{person.id}")
    while True:
        found += re.findall(r'<li class="(?:good|bad|plain)"><time>(.*?)</time>', answer.text)
        further = re.search(r'href="(/console/people/[^"]+/history\?after=[^"]+)"', answer.text)
        if further is None:
            return found
        answer = browser.get(further[1], headers={"HX-Request": "true"})


def test_leafing_through_the_history_shows_every_line_once_in_order(support: Browser) -> None:
    person = a_long_life(40)
    found = all_entries(support, person)
    rows = 3 * 40 + PaymentEvent.select().where(PaymentEvent.action != "pay").count()
    assert len(found) >= rows
    assert found == sorted(found, reverse=True)
    assert len(found) == len(all_entries(support, person))
    counted = {text: found.count(text) for text in set(found)}
    moments = [text for text, count in counted.items() if count % 9 == 0]
    assert len(moments) >= 12, "three rows of each table at each moment, on whatever page they come"


@pytest.mark.parametrize("cursor", ["x", "1_2", "9" * 30 + ".0_0_x", "1.5_a_b", "-1.000000_0_0"])
def test_a_cursor_that_nobody_gave_is_refused(support: Browser, cursor: str) -> None:
    person = a_trainee()
    answer = support.get(f"/console/people/{person.id}/history", query_string={"after": cursor})
    assert answer.status_code in (200, 400)


@contextmanager
def counted() -> Iterator[list[str]]:
    """The statements that go to the database meanwhile."""
    said: list[str] = []
    engine = db.database.obj
    plain = engine.execute_sql

    def execute(sql: str, *args: Any, **options: Any) -> Any:
        said.append(sql)
        return plain(sql, *args, **options)

    engine.execute_sql = execute
    try:
        yield said
    finally:
        engine.execute_sql = plain


def test_a_long_life_takes_no_more_queries_than_a_short_one(support: Browser) -> None:
    short, long = a_long_life(2), a_long_life(60)
    numbers = []
    for person in (short, long):
        support.get(f"/console/people/{person.id}")
        with counted() as said:
            support.get(f"/console/people/{person.id}")
        numbers.append(len(said))
    assert numbers[0] == numbers[1]
    assert numbers[0] <= 70, numbers


def test_hostile_names_and_reasons_stay_inert(world: World) -> None:
    person = a_trainee(name=SVG)
    member = a_member(SUPPORT, name=SVG)
    browser = at_desk(world, member)
    now = utcnow()
    photos.release_photo(person.id, actor=f"staff:{member.id}", reason=SVG, now=now, programme="yunnan")
    cases.file(
        review.REPLACEMENT, f"person:{person.id}", {"reason": SVG}, programme="yunnan", person_id=person.id, now=now
    )
    browser.get("/console/people")
    pages = [
        browser.get(f"/console/people/{person.id}").text,
        browser.get(f"/console/people/{person.id}/history").text,
        browser.post("/console/people", {"text": SVG}).text,
        browser.hx(
            f"/console/people/{person.id}/help/staff.phone", {"target": SVG, "say_phone": SVG, "note": SVG}
        ).text,
        browser.hx(f"/console/people/{person.id}/unmask", {"programme": "yunnan", "reason": "来电核对本人身份"}).text,
    ]
    assert all("<svg onload" not in page for page in pages)
    assert sum("&lt;svg onload=alert(1)&gt;" in page for page in pages) >= 3


@pytest.mark.parametrize("press", [Browser.hx, Browser.post])
def test_a_form_that_is_refused_stays_open_with_what_was_typed_and_says_why(
    support: Browser, press: Callable[[Browser, str, dict[str, str]], TestResponse]
) -> None:
    person = a_trainee()
    path = f"/console/people/{person.id}"
    support.get(path)
    typed = {"target": f"person:{person.id}", "say_phone": "139 12", "note": "电话里核对了“三项”信息"}
    page = html.unescape(press(support, f"{path}/help/staff.phone", typed).text)
    (form,) = re.findall(r'<details class="option" open>.*?</details>', page, re.DOTALL)
    assert f"{path}/help/staff.phone" in form
    assert 'value="139 12"' in form
    assert 'value="电话里核对了“三项”信息"' in form
    assert re.findall(r'id="message" class="message bad"[^>]*>[^<]*手机号', page) != []
    assert page.count('id="message"') == form.count('id="message"') == 1, "where it is mended"


def test_what_cannot_be_done_any_more_is_said_above_the_page(support: Browser) -> None:
    person = a_trainee()
    path = f"/console/people/{person.id}"
    support.get(path)
    page = support.hx(
        f"{path}/help/staff.phone", {"target": "person:gone", "say_phone": "13900002222", "note": "核对"}
    ).text
    assert '<details class="option" open>' not in page
    assert html.unescape(page).index("已经办过") < page.index("可以办的事")


def test_the_whole_data_are_shown_for_a_reason_which_is_written_down(support: Browser) -> None:
    person = a_trainee()
    path = f"/console/people/{person.id}"
    assert person.id_number not in support.get(path).text
    assert support.hx(f"{path}/unmask", {"programme": "yunnan", "reason": "x"}).status_code == 422
    assert support.hx(f"{path}/unmask", {"programme": "henan", "reason": "来电核对本人身份"}).status_code == 403
    shown = support.hx(f"{path}/unmask", {"programme": "yunnan", "reason": "来电核对本人身份"}).text
    assert person.id_number in shown
    assert "来电核对本人身份" in page_of(support, person)


def test_every_domain_that_keeps_a_history_of_its_own_is_on_the_page(world: World) -> None:
    names = {source.name for page in person_pages.every() for source in page.sources}
    assert names >= {
        "sessions", "cases", "sms", "wechat_messages", "bindings", "payments", "orders", "invoices", "faces",
        "enrolments", "study", "exams", "proofs", "tickets", "decisions", "announcements", "announcements_read",
        "transfers", "transfers_in", "transfers_back",
    }  # fmt: skip
