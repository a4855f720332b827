"""Tabs of a browser that remember what a test must not see: requests to strangers, and complaints on the console."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Locator, Page, Request, ViewportSize

from ops.browser import PHONE
from ops.stack import Stack

INSIDE = ("data:", "blob:", "chrome:", "chrome-extension:")  # the last two: Chromium's own viewer of PDFs
REFUSED = "Failed to load resource: the server responded with a status of 4"  # said of every 4xx that a test provokes
NO_NETWORK = "Failed to load resource: net::ERR_INTERNET_DISCONNECTED"  # said while a test has cut it off

# every field that can be filled in and every button has a name for a screen reader
NAMELESS = """() => [...document.querySelectorAll('input:not([type=hidden]), select, textarea, button, a, img')]
    .filter(one => one.checkVisibility({ visibilityProperty: true }) && !one.closest('[aria-hidden=true]'))
    .filter(one => !(one.labels && one.labels.length) && !one.getAttribute('aria-label')
                   && !one.textContent.trim() && !one.getAttribute('alt'))
    .map(one => one.outerHTML)"""
SMALL = """() => [...document.querySelectorAll('button, select, .tick, input:not([type=hidden], [type=checkbox])')]
    .filter(one => one.checkVisibility({ visibilityProperty: true }) && one.getBoundingClientRect().height < 44)
    .map(one => one.outerHTML)"""
WIDE = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"


class Watched:
    """Browsers of one test. `strangers`: requests that left the product, save a page that the person was led to and
    what that page asks of its own host. `complaints`: errors on the console."""

    def __init__(self, browser: Browser, stack: Stack):
        self.stack = stack
        self.strangers: list[str] = []
        self.complaints: list[str] = []
        self._browser = browser
        self._devices: list[BrowserContext] = []
        self._first: BrowserContext | None = None

    def device(self, size: ViewportSize = PHONE, **options: Any) -> BrowserContext:
        """One more browser, in which nobody has signed in. `options`: such as `user_agent`."""
        device = self._browser.new_context(locale="zh-CN", viewport=size, **options)
        device.set_default_timeout(15_000)
        device.on("request", self._requested)
        device.on("console", self._said)
        device.on("weberror", lambda error: self.complaints.append(str(error.error)))
        self._devices.append(device)
        return device

    def _requested(self, request: Request) -> None:
        if request.url.startswith((f"{self.stack.base_url}/", *INSIDE)):
            return
        providers = f"{self.stack.sandbox_url}/"
        led_to = request.url.startswith(providers) and (
            request.is_navigation_request() or request.frame.url.startswith(providers)
        )
        if not led_to:
            self.strangers.append(request.url)

    def _said(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not message.text.startswith((REFUSED, NO_NETWORK)):
            self.complaints.append(message.text)

    def product(self, path: str = "/", size: ViewportSize = PHONE) -> Page:
        """A new tab of the first browser with a page of the product."""
        return self._open(self.stack.base_url + path, size)

    def same_session(self, page: Page) -> Page:
        """A second tab at the address of `page`, of the same browser and session."""
        return self._open(page.url, PHONE)

    def phone(self, path: str = "/") -> Page:
        """A new tab of the first browser with the sandbox's phone."""
        return self._open(self.stack.sandbox_url + path, PHONE)

    def _open(self, url: str, size: ViewportSize) -> Page:
        self._first = self._first or self.device()
        page = self._first.new_page()
        page.set_viewport_size(size)
        page.goto(url)
        return page

    def close(self) -> None:
        for device in self._devices:
            device.close()


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
