"""Tabs of a browser that remember what a test must not see: requests to strangers, and complaints on the console."""

from __future__ import annotations

from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, Request, ViewportSize

from ops.browser import PHONE
from ops.stack import Stack

INSIDE = ("data:", "blob:", "chrome:", "chrome-extension:")  # the last two: Chromium's own viewer of PDFs
REFUSED = "Failed to load resource: the server responded with a status of 4"  # said of every 4xx that a test provokes

# every field that can be filled in and every button has a name for a screen reader
NAMELESS = """() => [...document.querySelectorAll('input:not([type=hidden]), select, textarea, button, a, img')]
    .filter(one => one.checkVisibility())
    .filter(one => !(one.labels && one.labels.length) && !one.getAttribute('aria-label')
                   && !one.textContent.trim() && !one.getAttribute('alt'))
    .map(one => one.outerHTML)"""
SMALL = """() => [...document.querySelectorAll('button, select, .tick, input:not([type=hidden], [type=checkbox])')]
    .filter(one => one.checkVisibility() && one.getBoundingClientRect().height < 44)
    .map(one => one.outerHTML)"""
WIDE = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"


class Watched:
    """`strangers`: requests that left the product and its sandbox. `complaints`: errors on the console."""

    def __init__(self, browser: Browser, stack: Stack):
        self.stack = stack
        self.strangers: list[str] = []
        self.complaints: list[str] = []
        self._own = (f"{stack.base_url}/", f"{stack.sandbox_url}/", *INSIDE)
        self._context = browser.new_context(locale="zh-CN", viewport=PHONE)
        self._context.set_default_timeout(15_000)
        self._context.on("request", self._requested)
        self._context.on("console", self._said)
        self._context.on("weberror", lambda error: self.complaints.append(str(error.error)))

    def _requested(self, request: Request) -> None:
        if not request.url.startswith(self._own):
            self.strangers.append(request.url)

    def _said(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not message.text.startswith(REFUSED):
            self.complaints.append(message.text)

    def product(self, path: str = "/", size: ViewportSize = PHONE) -> Page:
        """A new tab with a page of the product."""
        return self._open(self.stack.base_url + path, size)

    def phone(self, path: str = "/") -> Page:
        """A new tab with the sandbox's phone."""
        return self._open(self.stack.sandbox_url + path, PHONE)

    def _open(self, url: str, size: ViewportSize) -> Page:
        page = self._context.new_page()
        page.set_viewport_size(size)
        page.goto(url)
        return page

    def close(self) -> None:
        self._context.close()


def field(page: Page, label: str) -> Locator:
    """The field that is shown with this label."""
    return page.get_by_label(label, exact=True).locator("visible=true")


def press(page: Page, name: str) -> None:
    """Press the button with exactly this name."""
    page.get_by_role("button", name=name, exact=True).click()


def pleasant(page: Page) -> None:
    """Everything has a name, is large enough for a glove, and nothing sticks out of the screen."""
    assert page.evaluate(NAMELESS) == []
    assert page.evaluate(SMALL) == []
    assert page.evaluate(WIDE) == 0
