"""What a key at the reviewer's desk decides, and what it does not: only what was seen, and nothing is lost."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Dialog, Route, ViewportSize, expect

from app.account.models import Person
from app.cases import service as cases
from app.cases.models import Case
from app.core.clock import utcnow
from app.core.staff import Right
from ops.browser import PHONE
from tests.browser.photos import Photos, proposed_by_a_colleague
from tests.browser.test_console import orderly
from tests.staffroom import a_member, staff_of

pytestmark = pytest.mark.browser
TABLET: ViewportSize = {"width": 1024, "height": 768}

# the first decision gets this body
FIRST = """{ const real = window.fetch; let first = true; window.fetch = (path, more) => {
    if (!first || !/decide$/.test(path)) return real(path, more);
    first = false;
    return Promise.resolve(new Response(BODY)); }; }"""
CUT_OFF = "new ReadableStream({ start(body) { body.error(new TypeError('network')); } })"


def a_colleague_has(case: Case) -> None:
    """Somebody else has claimed it."""
    cases.claim(staff_of(a_member((Right.REVIEWER, "yunnan"), name="李敏")), case.id, now=utcnow())


@pytest.mark.parametrize("photos", [FIRST.replace("BODY", body) for body in (CUT_OFF, "'nothing'")], indirect=True)
def test_an_answer_that_is_broken_is_said_and_the_decisions_after_it_are_sent(photos: Photos) -> None:
    photos.press("1", "1", "1")
    photos.decided(1, 2)
    expect(photos.page.get_by_role("alert")).to_contain_text(
        f"照片审核 {photos.cases[0].id} 没有办成：没有收到完整的答复"
    )


def test_keys_are_hinted_at_where_there_are_keys(photos: Photos, browser: Browser) -> None:
    page = photos.page
    hints = page.locator("kbd, .hint")
    expect(page.get_by_text("收起")).to_be_visible()
    photos.press("2")
    page.set_viewport_size(PHONE)
    assert hints.count() > 8, "decisions, reasons, ways on"
    expect(hints.filter(visible=True)).to_have_count(0)
    expect(page.get_by_role("link", name="下一件")).to_be_visible()
    a_colleague_has(photos.cases[1])
    page.goto(f"{page.url.rpartition('/')[0]}/{photos.cases[1].id}")
    assert page.locator(".settled").inner_text() == "李敏 正在处理这一件，请处理下一件。"
    state = page.context.storage_state()
    tablet = browser.new_context(viewport=TABLET, is_mobile=True, has_touch=True, storage_state=state)
    on_it = tablet.new_page()
    on_it.goto(page.url)
    expect(on_it.locator("kbd, .hint").filter(visible=True)).to_have_count(0)
    tablet.close()


def test_what_a_colleague_has_is_exchanged_and_a_key_that_was_meant_for_it_decides_nothing(photos: Photos) -> None:
    the_second_is_exchanged(photos)
    photos.page.wait_for_timeout(150)
    photos.page.keyboard.press("1")
    photos.decided(0)
    photos.press("1")
    photos.answered()
    photos.decided(0, 2)


def test_without_the_pause_such_a_key_would_decide_the_other_case(photos: Photos) -> None:
    """The twin of the test before: the guard is off."""
    photos.without("const CALM = 700;", "const CALM = 0;")
    the_second_is_exchanged(photos)
    photos.looked()
    photos.page.keyboard.press("1")
    photos.answered()
    photos.decided(0, 2)


def the_second_is_exchanged(photos: Photos) -> None:
    """The first is decided; the second is shown, but a colleague has it: the third takes its place."""
    photos.looked()
    a_colleague_has(photos.cases[1])
    photos.press("1")
    photos.lies(1)
    photos.looked()
    photos.answered()
    photos.lies(2)
    message = photos.page.locator("#message")
    expect(message).to_have_text("已办结：确认。原来的下一件由同事处理中，已换成这一件，请看清再决定。 打开那一件")
    expect(message.get_by_role("link")).to_have_attribute("href", f"/console/cases/{photos.cases[1].id}")


def test_nothing_is_exchanged_while_a_reason_is_being_chosen(photos: Photos) -> None:
    photos.looked()
    a_colleague_has(photos.cases[1])
    photos.press("1", "2")
    photos.answered()
    expect(photos.page.locator("#message")).to_have_text("已办结：确认。原来的下一件由同事处理中。 换到下一件")
    photos.lies(1)
    expect(photos.page.get_by_text("选择原因")).to_be_visible()
    photos.page.get_by_role("link", name="换到下一件").click()
    photos.lies(2)


def test_who_looks_back_at_what_they_decided_is_left_there(photos: Photos) -> None:
    photos.press("1", "k")
    photos.lies(0)
    photos.answered()
    expect(photos.page.locator("#message")).to_have_text("已办结：确认")
    photos.lies(0)
    photos.decided(0)


def its_evidence_changes(case: Case) -> None:
    """The person's name is another one."""
    Person.update(name_sealed=Person(id=case.person_id, name="欧阳海燕").name_sealed).where(
        Person.id == case.person_id
    ).execute()


def test_a_case_that_changed_after_it_was_looked_ahead_at_is_shown_anew(photos: Photos) -> None:
    photos.looked()
    its_evidence_changes(photos.cases[1])
    photos.press("1")
    photos.lies(1)
    expect(photos.page.get_by_text("欧**燕")).to_have_count(0)
    photos.answered()
    expect(photos.page.get_by_text("欧**燕")).to_be_visible()
    expect(photos.page.locator("#message")).to_have_text("已办结：确认。下一件的内容刚刚有变化，请重新看一遍。")
    photos.page.keyboard.press("1")
    photos.decided(0)
    photos.press("1")
    photos.answered()
    photos.decided(0, 1)


def test_what_was_decided_on_evidence_of_before_is_not_sent(photos: Photos) -> None:
    photos.looked()
    its_evidence_changes(photos.cases[1])
    photos.press("1", "1")
    photos.answered()
    expect(photos.page.get_by_role("alert")).to_contain_text("有了变化，没有提交")
    photos.decided(0)
    photos.page.get_by_role("link", name="打开那一件").click()
    photos.lies(1)
    photos.press("1")
    photos.answered()
    photos.decided(0, 1)
    expect(photos.page.get_by_role("alert")).to_be_empty()


def test_decisions_that_wait_are_not_left_behind(photos: Photos) -> None:
    asked: list[str] = []

    def stay(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    photos.page.on("dialog", stay)
    photos.press("1", "1")
    photos.page.get_by_role("link", name="已办").click()
    photos.page.wait_for_timeout(300)
    assert asked == ["beforeunload"]
    photos.answered(2)
    photos.decided(0, 1)
    photos.page.get_by_role("link", name="已办").click()
    expect(photos.page.get_by_role("row").filter(has_text="照片审核")).to_have_count(2)
    assert asked == ["beforeunload"], "nothing waits any more"


@pytest.mark.parametrize(("verb", "keys", "then"), [("confirm", ["1"], [0]), ("send-back", ["2", "不", "Enter"], [])])
def test_the_answer_to_a_second_look_is_not_left_behind(
    photos: Photos, verb: str, keys: list[str], then: list[int]
) -> None:
    proposed_by_a_colleague(photos.cases)
    page, asked, held = photos.page, list[str](), list[Route]()

    def stay(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    page.reload()
    page.on("dialog", stay)
    page.route(f"**/{verb}", lambda route: held.append(route))
    photos.looked()
    for key in keys:
        page.keyboard.insert_text(key * 3) if not key.isascii() else page.keyboard.press(key)
    page.get_by_role("link", name="已办").click()
    page.wait_for_timeout(300)
    assert asked == ["beforeunload"]
    held[0].continue_()
    photos.lies(1)
    photos.decided(*then)
    page.get_by_role("link", name="已办").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("已办")
    assert asked == ["beforeunload"], "nothing is under way any more"


def test_what_was_refused_stays_until_it_was_read_and_the_case_shown_is_claimed(photos: Photos) -> None:
    """The next case is shown before the answer is there: a refusal is not lost for it, nor for the next decision."""
    page, found = photos.page, photos.cases
    body = '<div id="message" class="message bad">这件工作刚刚发生了变化。</div>'
    for case in found[:2]:
        page.route(f"**/{case.id}/decide", lambda one: one.fulfill(status=409, content_type="text/html", body=body))
    photos.press("1", "1")
    photos.answered(2)
    lines = page.get_by_role("alert").locator("p")
    expect(lines).to_have_count(2)
    expect(page.get_by_text("由您处理中")).to_be_visible()
    assert Case.get_by_id(found[2].id).claimed_by is not None
    photos.press("1")
    photos.answered()
    photos.decided(2)
    expect(page.get_by_text("已办结：确认")).to_be_visible()
    orderly(page)

    page.reload()
    expect(lines).to_have_count(2)
    expect(lines.first).to_contain_text(f"照片审核 {found[0].id} 没有办成：这件工作刚刚发生了变化。")
    lines.last.get_by_role("link", name="打开那一件").click()
    photos.lies(1)
    lines.first.get_by_role("button", name="知道了").click()
    expect(lines).to_have_count(1)
    page.goto(page.url.partition("/cases/")[0])
    expect(lines).to_have_count(1)


@pytest.mark.parametrize("photos", ["{}"], indirect=True)
def test_a_decision_costs_its_own_request_and_the_look_ahead(photos: Photos) -> None:
    asked: list[str] = []
    photos.looked()
    photos.page.on("request", lambda one: asked.append(f"{one.method} {one.url}"))
    photos.press("1")
    photos.looked()
    photos.decided(0)
    photos.page.wait_for_load_state("networkidle")
    pages = [one.rpartition("/cases/")[2] for one in asked if "/pictures/" not in one and "/cases/" in one]
    assert sorted(pages) == sorted([f"{photos.cases[0].id}/decide", photos.cases[2].id])
