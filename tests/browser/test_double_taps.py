"""A finger that taps twice decides one photo that was looked at; the next one can be taken back."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.photos import Photos, proposed_by_a_colleague
from tests.browser.test_console import orderly

# each tap as soon as a case lies there that takes a decision: no eye is that quick
TAPS = """async (times) => {
    const busy = "#work:is([aria-busy], .htmx-settling)";
    for (let tap = 0; tap < times; tap += 1) {
        const before = caseShown();
        document.body.dispatchEvent(new KeyboardEvent("keydown", { key: "1", bubbles: true, cancelable: true }));
        while (tap < times - 1 && (caseShown() === before || document.querySelector(busy)))
            await new Promise(requestAnimationFrame);
    }
}"""
AT_ONCE = pytest.mark.parametrize("photos", ["{}"], indirect=True)
pytestmark = pytest.mark.browser


def tap(photos: Photos, times: int = 2) -> None:
    """The finger taps that often on a photo that was looked at."""
    photos.looked()
    photos.page.evaluate(TAPS, times)


@AT_ONCE
def test_the_second_tap_is_put_aside_and_taken_back(photos: Photos) -> None:
    tap(photos)
    photos.lies(2)
    alert = photos.page.get_by_role("alert")
    expect(alert).to_contain_text(f"连按了两下：照片审核 {photos.cases[1].id} 也将“确认”")
    orderly(photos.page)
    photos.page.keyboard.press("z")
    expect(alert).to_be_empty()
    photos.lies(1)
    expect(photos.page.get_by_text("由您处理中")).to_be_visible()
    photos.decided(0)
    photos.press("1", "1")
    photos.decided(0, 1, 2)


@AT_ONCE
def test_what_is_not_taken_back_is_sent_with_the_next_decision(photos: Photos) -> None:
    tap(photos)
    photos.press("1")
    expect(photos.page.get_by_role("alert")).to_be_empty()
    photos.decided(0, 1, 2)


@AT_ONCE
def test_what_is_not_taken_back_is_sent_by_itself(photos: Photos) -> None:
    tap(photos)
    expect(photos.page.get_by_role("alert")).not_to_be_empty()
    photos.decided(0, 1)
    expect(photos.page.get_by_role("alert")).to_be_empty()


@AT_ONCE
def test_three_taps_are_no_slip(photos: Photos) -> None:
    """What a bench does, and somebody who means it: nothing waits."""
    tap(photos, 3)
    photos.lies(3)
    expect(photos.page.get_by_role("alert")).to_be_empty()
    photos.decided(0, 1, 2)


@AT_ONCE
def test_the_last_one_of_a_queue_is_put_aside_too(photos: Photos) -> None:
    photos.press("1", "1")
    tap(photos)
    photos.lies(3)
    photos.page.keyboard.press("z")
    photos.decided(0, 1, 2)
    photos.press("1")
    expect(photos.page.get_by_text("都处理完了")).to_be_visible()
    photos.decided(0, 1, 2, 3)


@AT_ONCE
def test_without_the_guard_a_double_tap_decides_two(photos: Photos) -> None:
    """The twin: it is sent at once, and there is nothing to take back."""
    photos.without("const TAP = 300;", "const TAP = 0;")
    tap(photos)
    photos.lies(2)
    expect(photos.page.get_by_role("alert")).to_be_empty()
    photos.decided(0, 1)


@AT_ONCE
def test_the_second_tap_agrees_to_no_proposal(photos: Photos) -> None:
    proposed_by_a_colleague(photos.cases)
    photos.page.reload()
    photos.page.get_by_text("同意，执行").wait_for()
    tap(photos)
    expect(photos.page.locator("#message")).to_have_text("按得太快，这一件没有处理，请看一眼再按。")
    photos.lies(1)
    photos.decided(0)
    photos.press("1")
    photos.lies(2)
    photos.decided(0, 1)
