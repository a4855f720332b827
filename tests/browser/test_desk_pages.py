"""Pages of the console as hands and eyes meet them: on a phone, with one key, while a worker is at it."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from playwright.sync_api import Browser, Page, expect

from app.cases.models import Case
from app.core.clock import utcnow
from app.core.staff import EVERYWHERE, Right
from app.study.models import Film
from app.study.status import FilmStatus
from ops.browser import PHONE
from tests import factories
from tests.browser.tabs import NAMELESS, REFUSED, WIDE, press
from tests.browser.test_finance import signed_in
from tests.console.desks import a_photo_case, photo_of
from tests.exam.rooms import a_course
from tests.staffroom import a_member
from tests.study.teaching.studio import a_ready_film
from tests.world import World

pytestmark = pytest.mark.browser
PATHS = ("", "staff", "figures", "courses", "programmes", "announcements", "reference/", "invoices", "exports")
BUTTONS = (
    "开始处理",
    "打开",
    "看规则",
    "新建课程",
    "还没有课程",
)  # they stand for themselves, as does a sentence in place of rows

# of every cell with something in it: its heading, as it is shown before it
SHOWN = """() => [...document.querySelectorAll("table:has(thead) tbody td")]
    .filter(one => one.checkVisibility() && one.innerText.trim())
    .map(one => [getComputedStyle(one, "::before").content.replaceAll('"', ""), one.innerText.trim()])"""
# whether the menu's item of this page stands within the menu that is seen
MENU_SEEN = """() => {
    const seen = (which) => document.querySelector(which).getBoundingClientRect();
    const [menu, here] = [seen(".bar nav"), seen(".bar nav a[aria-current]")];
    return here.left >= menu.left - 1 && here.right <= menu.right + 1; }"""


def fits(page: Page) -> None:
    """Nothing sticks out, everything has a name."""
    assert page.evaluate(WIDE) == 0, page.url
    assert page.evaluate(NAMELESS) == [], page.url


def test_on_a_phone_every_cell_says_what_it_is_and_the_menu_where_one_is(world: World, browser: Browser) -> None:
    a_photo_case(factories.a_person(name="欧阳海燕"))
    context, page, complaints = signed_in(browser, world, a_member((Right.ADMINISTRATOR, EVERYWHERE)))
    base = world.settings.public_url
    page.set_viewport_size(PHONE)
    page.goto(f"{base}/console/queues/face.photo")
    cells = page.evaluate(SHOWN)
    assert [heading for heading, _ in cells] == ["编号", "姓名", "项目", "提交", "应办结", "状态"]
    assert ["姓名", "欧**燕"] in cells
    assert page.evaluate("getComputedStyle(document.querySelector('td:has(.thumb)'), '::before').content") == '"照片"'
    for path in PATHS:
        page.goto(f"{base}/console/{path}")
        fits(page)
        nameless = [said for heading, said in page.evaluate(SHOWN) if heading in ("none", "normal", "")]
        assert all(said.startswith(BUTTONS) or said.endswith("。") for said in nameless), (path, nameless)
        assert page.evaluate(MENU_SEEN), path
    assert complaints == []
    context.close()


def test_the_photos_that_were_ticked_are_decided_by_one_more_key(world: World, browser: Browser) -> None:
    found = [a_photo_case(now=utcnow() - timedelta(hours=hours)) for hours in (3, 2, 1)]
    context, page, complaints = signed_in(browser, world, a_member((Right.REVIEWER, "yunnan")))
    page.goto(f"{world.settings.public_url}/console/queues/face.photo")
    for case in found[:2]:
        page.get_by_label(f"选择 {case.id}").check()
    page.locator("#decision").select_option("confirm")
    expect(page.locator("#batch-text")).to_have_text(re.compile("^学员将收到短信.*您的照片审核结果：已确认"))
    press(page, "批量办理")
    expect(page.get_by_role("heading", name="请确认：一起办理 2 件")).to_be_visible()
    expect(page.locator(".chosen li")).to_have_count(2)
    fits(page)
    assert Case.select().where(Case.status == "decided").count() == 0
    page.keyboard.press("Enter")
    expect(page.get_by_text("已办结：确认")).to_have_count(2)
    assert [photo_of(case) for case in found] == ["waiting", "waiting", "review"]
    assert complaints == []
    context.close()


def test_what_was_typed_about_a_person_stays_where_it_is_wrong(world: World, browser: Browser) -> None:
    person = factories.a_person()
    factories.a_roster_entry(person)
    context, page, complaints = signed_in(browser, world, a_member((Right.SUPPORT, "yunnan")))
    page.set_viewport_size(PHONE)
    page.goto(f"{world.settings.public_url}/console/people/{person.id}")
    form = page.locator("details.option").filter(has=page.locator('form[action$="/help/staff.phone"]'))
    form.locator("summary").click()
    form.locator("input[type=tel]").fill("139 12")
    form.locator("input[name=note]").fill("电话里核对了三项信息")
    form.get_by_role("button").click()
    expect(form.get_by_role("alert")).to_contain_text("手机号")
    expect(form.get_by_role("alert")).to_be_in_viewport()
    expect(form.locator("input[name=note]")).to_have_value("电话里核对了三项信息")
    fits(page)
    form.locator("input[type=tel]").fill("13900002222")
    form.get_by_role("button").click()
    expect(page.get_by_role("status")).to_contain_text("等待另一位同事")
    expect(page.locator("details.option[open]")).to_have_count(0)
    assert complaints == []
    context.close()


def becomes(film: Film, status: FilmStatus, percent: int = 0) -> None:
    """What a worker writes."""
    Film.update(status=status, percent=percent).where(Film.id == film.id).execute()


def test_the_pages_of_a_film_and_of_a_lesson_follow_the_worker_by_themselves(world: World, browser: Browser) -> None:
    film, lesson = a_ready_film(title="高处作业"), a_course()
    other = a_ready_film(title="临时用电")
    context, page, complaints = signed_in(browser, world, a_member((Right.TEACHING, "yunnan")))
    base = f"{world.settings.public_url}/console"

    becomes(film, FilmStatus.QUEUED)
    page.goto(f"{base}/films/{film.id}")
    state = page.locator("#film-state")
    expect(state).to_have_text("等待转码")
    page.get_by_label("视频名称").fill("高处作业（新）")
    becomes(film, FilmStatus.TRANSCODING, 40)
    expect(state).to_have_text("转码中")
    expect(page.locator("#film").get_by_text("40%").last).to_be_visible()
    becomes(film, FilmStatus.READY)
    expect(state).to_have_text("就绪")
    expect(page.locator("video")).to_have_count(1)
    expect(page.get_by_label("视频名称")).to_have_value("高处作业（新）")  # what is being typed stays

    becomes(film, FilmStatus.TRANSCODING, 70)
    for path in (f"lessons/{lesson.id}", f"courses/{lesson.course_id}"):
        becomes(film, FilmStatus.TRANSCODING, 70)
        page.goto(f"{base}/{path}")
        expect(page.get_by_text("正在转码：高处作业 70%")).to_be_visible()
        fits(page)
        choice = page.locator("select#film")
        expect(choice.locator("option")).to_have_count(2)
        choice.select_option(value=other.id)
        becomes(film, FilmStatus.READY)
        expect(choice.locator("option").filter(has_text="高处作业")).to_have_count(1)
        expect(page.get_by_text("正在转码")).to_have_count(0)
        expect(choice).to_have_value(other.id)
        choice.select_option(value=film.id)
    assert [said for said in complaints if not said.startswith(REFUSED)] == []  # the film's own file is not there
    context.close()


def test_at_the_ends_of_a_course_the_way_beyond_is_not_offered(world: World, browser: Browser) -> None:
    lesson = a_course()
    context, page, _ = signed_in(browser, world, a_member((Right.TEACHING, "yunnan")))
    page.goto(f"{world.settings.public_url}/console/courses/{lesson.course_id}")
    ups, downs = (page.get_by_role("button", name=sign) for sign in ("↑", "↓"))
    count = ups.count()
    assert [ups.nth(at).is_enabled() for at in range(count)] == [at > 0 for at in range(count)]
    assert [downs.nth(at).is_enabled() for at in range(count)] == [at < count - 1 for at in range(count)]
    context.close()


def test_the_headings_of_the_figures_stand_on_one_line(world: World, browser: Browser) -> None:
    a_photo_case()
    context, page, _ = signed_in(browser, world, a_member((Right.ADMINISTRATOR, EVERYWHERE)))
    page.goto(f"{world.settings.public_url}/console/figures")
    heights = page.evaluate("() => [...document.querySelectorAll('.ages-table th')].map(one => one.clientHeight)")
    assert heights
    assert max(heights) < 40, heights
    fits(page)
    context.close()
