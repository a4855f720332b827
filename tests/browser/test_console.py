"""Staff at their desks: a reviewer decides by keyboard, two administrators, what a hostile page cannot do."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import pytest
from playwright.sync_api import Browser, Dialog, Page, expect

from app.account.models import Person
from app.cases import service as cases
from app.cases.models import Case
from app.core.clock import utcnow
from app.core.staff import Right
from config.settings import ROOT
from ops.browser import DESK
from ops.demo.staff import PASSWORD
from ops.stack import Stack
from tests.browser.tabs import NAMELESS, REFUSED, WIDE, Watched, field, press
from tests.browser.test_finance import signed_in
from tests.console.desks import a_photo_case
from tests.staffroom import a_member, staff_of
from tests.world import World

pytestmark = pytest.mark.browser
SMALL_DESK = {"width": 1024, "height": 768}
PHONE = {"width": 390, "height": 844}


def code_of(stack: Stack, login: str) -> str:
    """What the authenticator of one of the demonstration's staff shows."""
    names = ("PATH", "HOME", "LANG")
    environment = {name: os.environ[name] for name in names if name in os.environ}
    environment |= {"DATA_DIR": str(stack.directory), "PORT": str(stack.port), "LOG_LEVEL": "ERROR"}
    shown = subprocess.run(
        [sys.executable, "-m", "ops.demo.staff"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return next(line.split()[-1] for line in shown.stdout.splitlines() if line.split()[:1] == [login])


def sign_in(watched: Watched, login: str) -> Page:
    """At the desk, by password and second factor."""
    return enter(watched, watched.product("/console/sign-in", DESK), login)


def enter(watched: Watched, page: Page, login: str) -> Page:
    """Sign in on the page that asks for it."""
    field(page, "账号").fill(login)
    field(page, "密码").fill(PASSWORD)
    press(page, "下一步")
    field(page, "验证码").fill(code_of(watched.stack, login))
    press(page, "登录")
    expect(page.get_by_role("heading", name="我的队列")).to_be_visible()
    return page


def orderly(page: Page) -> None:
    """Everything has a name for a screen reader, and nothing sticks out, on a small desk and on a phone too."""
    for size in (PHONE, SMALL_DESK, DESK):
        page.set_viewport_size(size)  # type: ignore[arg-type]
        assert page.evaluate(WIDE) == 0
    assert page.evaluate(NAMELESS) == []


def case_of(page: Page) -> str:
    """Which case lies on the desk."""
    return str(page.locator("#work").get_attribute("data-case"))


def decide(page: Page, key: str) -> None:
    """Press a key of the case, once there was time for a glance at it."""
    page.locator("#work:not([aria-busy])").wait_for()
    page.keyboard.press(key)


def test_a_reviewer_decides_by_keyboard(watched: Watched) -> None:
    page = sign_in(watched, "shenhe")
    orderly(page)
    page.get_by_role("link", name="开始处理").first.click()
    expect(page.get_by_text("由您处理中")).to_be_visible()
    expect(page.get_by_role("img", name="上传的照片")).to_be_visible()
    orderly(page)
    first = case_of(page)

    page.keyboard.press("j")
    expect(page.locator(f'#work[data-case="{first}"]')).to_have_count(0)
    page.keyboard.press("k")
    expect(page.locator(f'#work[data-case="{first}"]')).to_have_count(1)

    decide(page, "1")
    expect(page.get_by_text("已办结：确认")).to_be_visible()
    second = case_of(page)
    assert second != first
    assert page.url.endswith(second), "the address names the case that is shown"

    page.keyboard.press("2")
    expect(page.get_by_text("选择原因")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_text("选择原因")).to_be_hidden()
    page.keyboard.press("2")
    page.keyboard.press("3")
    expect(page.get_by_text("您的照片审核结果：退回。照片中戴有帽子")).to_be_visible()
    decide(page, "Enter")
    expect(page.get_by_text("已办结：退回")).to_be_visible()

    page.goto(f"{watched.stack.base_url}/console/done")
    expect(page.get_by_text("退回：照片中戴有帽子")).to_be_visible()
    orderly(page)


# a worn key: pressed once, it says so three times, and the page hears it when it comes to it
BOUNCING = """async () => {
    const key = () => new KeyboardEvent("keydown", { key: "1", bubbles: true, cancelable: true });
    for (const one of [key(), key(), key()]) {
        document.body.dispatchEvent(one);
        await new Promise((done) => setTimeout(done, 200));
    }
}"""


def test_cases_are_decided_by_a_key_each_and_a_key_that_bounces_is_one_decision(watched: Watched) -> None:
    page = sign_in(watched, "guanli2")  # a code is good once: somebody who has not used this one
    page.get_by_role("link", name="开始处理").first.click()
    expect(page.get_by_text("由您处理中")).to_be_visible()
    loads: list[str] = []
    page.on("framenavigated", lambda frame: loads.append(frame.url))
    page.wait_for_load_state("networkidle")
    count = 5
    for _ in range(count):
        before = case_of(page)
        page.locator("#work:not([aria-busy])").wait_for()
        page.evaluate(BOUNCING)
        page.locator(f'#work:not([data-case="{before}"])').wait_for()
        page.get_by_role("img", name="上传的照片").wait_for()
    expect(page.get_by_text("由您处理中")).to_be_visible()
    assert all("/console/cases/" in url for url in loads), "no other page is loaded in between"
    page.goto(f"{watched.stack.base_url}/console/done")
    expect(page.get_by_role("row").filter(has_text="照片审核")).to_have_count(count)


# decisions are answered when the test says so: `held` holds the answers that have come
HELD = """{ const real = window.fetch; window.held = []; window.fetch = async (path, more) => {
    const answer = await real(path, more);
    if (/decide$/.test(path)) await new Promise((done) => held.push(done));
    return answer; }; }"""
# the first decision gets this body
FIRST = """{ const real = window.fetch; let first = true; window.fetch = (path, more) => {
    if (!first || !/decide$/.test(path)) return real(path, more);
    first = false;
    return Promise.resolve(new Response(BODY)); }; }"""
CUT_OFF = "new ReadableStream({ start(body) { body.error(new TypeError('network')); } })"
UNGUARDED = ("const CALM = 700;", "const CALM = 0;")


@dataclass(frozen=True)
class Photos:
    """Photos that wait, the oldest on a reviewer's desk."""

    cases: list[Case]
    page: Page

    def looked(self) -> None:
        """The case was glanced at, and the next one is there."""
        self.page.locator("#work:not([aria-busy])").wait_for()
        self.page.wait_for_function("() => ahead || !document.querySelector('#work a[data-key=j]')")

    def press(self, *keys: str) -> None:
        """Each key about a case that was looked at."""
        for key in keys:
            self.looked()
            self.page.keyboard.press(key)

    def answered(self, times: int = 1) -> None:
        """The answers that are held longest come in."""
        for _ in range(times):
            self.page.wait_for_function("() => held.length")
            self.page.evaluate("() => held.shift()()")

    def lies(self, at: int) -> None:
        """The case of this number lies on the desk."""
        expect(self.page.locator("#work")).to_have_attribute("data-case", self.cases[at].id)

    def decided(self, *at: int) -> None:
        """These, and no others, are decided in the end."""
        self.page.wait_for_function("() => !pending")
        found = {case.id for case in Case.select().where(Case.status == "decided")}
        assert [number for number, case in enumerate(self.cases) if case.id in found] == list(at)


@pytest.fixture
def photos(world: World, browser: Browser, request: pytest.FixtureRequest) -> Iterator[Photos]:
    """Four photos. `param`: a script that runs before those of the page."""
    cases = [a_photo_case(now=utcnow() - timedelta(hours=hours)) for hours in (4, 3, 2, 1)]
    context, page, complaints = signed_in(browser, world, a_member((Right.REVIEWER, "yunnan")))
    page.add_init_script(getattr(request, "param", HELD))
    page.goto(f"{world.settings.public_url}/console/queues/face.photo/next")
    expect(page.get_by_text("由您处理中")).to_be_visible()
    yield Photos(cases, page)
    assert [said for said in complaints if not said.startswith(REFUSED)] == []
    context.close()


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
    whole = (ROOT / "app/console/static/console.js").read_text(encoding="utf-8")
    assert whole.count(UNGUARDED[0]) == 1
    body = whole.replace(*UNGUARDED)
    photos.page.route("**/console.js", lambda route: route.fulfill(content_type="text/javascript", body=body))
    photos.page.reload()
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


def test_an_administrator_makes_an_account(watched: Watched) -> None:
    page = sign_in(watched, "guanli")
    page.get_by_role("link", name="工作人员").click()
    orderly(page)
    field(page, "登录账号").fill("fang.wang")
    field(page, "姓名").fill("<svg onload=alert(1)>")
    press(page, "新建")
    link = page.locator("code.secret").inner_text()
    expect(page.get_by_role("heading", name="<svg onload=alert(1)>")).to_be_visible()
    page.locator("code.secret").evaluate(
        "(code, link) => { code.textContent = link.replace(/[^a-z0-9]/gi, 'x') }", link
    )
    orderly(page)  # whatever the secret is: a link without a hyphen to break at, too
    theirs = watched.product(link.removeprefix(watched.stack.base_url), DESK)
    for label in ("新密码", "再输入一次"):
        field(theirs, label).fill("vier pferde im wald")
    press(theirs, "保存并继续")
    expect(theirs.get_by_role("img", name="验证器二维码")).to_be_visible()
    orderly(theirs)
