"""Photos that wait, on a reviewer's desk in Chromium, and keys that decide about them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

from playwright.sync_api import Browser, Page, expect

from app.cases.models import Case
from app.core.clock import utcnow
from app.core.staff import Right
from config.settings import ROOT
from tests.browser.tabs import REFUSED
from tests.browser.test_finance import signed_in
from tests.console.desks import a_photo_case
from tests.staffroom import a_member, staff_of
from tests.world import World

GLANCE = 320  # milliseconds
# decisions are answered when the test says so: `held` holds the answers that have come
HELD = """{ const real = window.fetch; window.held = []; window.fetch = async (path, more) => {
    const answer = await real(path, more);
    if (/decide$/.test(path)) await new Promise((done) => held.push(done));
    return answer; }; }"""


@dataclass(frozen=True)
class Photos:
    """Photos that wait, the oldest on a reviewer's desk."""

    cases: list[Case]
    page: Page

    def looked(self) -> None:
        """The case was glanced at, as long as somebody needs for it, and the next one is there."""
        self.page.locator("#work:not([aria-busy])").wait_for()
        self.page.wait_for_timeout(GLANCE)
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

    def without(self, guard: str, off: str) -> None:
        """The same page, with this line of its script replaced."""
        whole = (ROOT / "app/console/static/console.js").read_text(encoding="utf-8")
        assert whole.count(guard) == 1
        body = whole.replace(guard, off)
        self.page.route("**/console.js", lambda route: route.fulfill(content_type="text/javascript", body=body))
        self.page.reload()

    def decided(self, *at: int) -> None:
        """These, and no others, are decided in the end."""
        self.page.wait_for_function("() => !pending")
        found = {case.id for case in Case.select().where(Case.status == "decided")}
        assert [number for number, case in enumerate(self.cases) if case.id in found] == list(at)


def proposed_by_a_colleague(cases: list[Case]) -> None:
    """Each waits for a second look at the same proposal."""
    said = json.dumps({"key": "confirm", "reason": "", "note": ""})
    by = staff_of(a_member((Right.REVIEWER, "yunnan"), name="李敏")).actor
    for case in cases:
        sealed = Case(id=case.id, proposed=said).proposed_sealed
        values = {"status": "second_look", "proposed_sealed": sealed, "proposed_by": by, "proposed_at": utcnow()}
        Case.update(values).where(Case.id == case.id).execute()


@contextmanager
def on_the_desk(world: World, browser: Browser, script: str) -> Iterator[Photos]:
    """Four photos. `script` runs before those of the page."""
    cases = [a_photo_case(now=utcnow() - timedelta(hours=hours)) for hours in (4, 3, 2, 1)]
    context, page, complaints = signed_in(browser, world, a_member((Right.REVIEWER, "yunnan")))
    page.add_init_script(script)
    page.goto(f"{world.settings.public_url}/console/queues/face.photo/next")
    expect(page.get_by_text("由您处理中")).to_be_visible()
    yield Photos(cases, page)
    assert [said for said in complaints if not said.startswith(REFUSED)] == []
    context.close()
