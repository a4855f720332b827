"""One running copy and one Chromium a worker; a watched tab for each test."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser

from app.core.clock import utcnow
from app.policy import load as policy
from config.settings import ROOT
from ops.browser import browser as chromium
from ops.client import Client
from ops.stack import Stack
from ops.trainee import Journey
from tests.browser.tabs import Watched


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The whole product, running."""
    with Stack(tmp_path_factory.mktemp("browser") / "data") as running:
        yield running


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium."""
    with chromium() as started:
        yield started


@pytest.fixture
def watched(stack: Stack, browser: Browser) -> Iterator[Watched]:
    """Tabs whose requests and console are watched; judged when the test has ended."""
    tabs = Watched(browser, stack)
    yield tabs
    tabs.close()
    assert tabs.strangers == []
    assert tabs.complaints == []


@pytest.fixture(scope="session")
def graduate(stack: Stack) -> dict[str, Any]:
    """The evidence of a journey through this copy: somebody who has a proof."""
    policy.init(ROOT / "config" / "programmes")
    programme = policy.in_force("yunnan", utcnow())
    return Journey(Client(stack.base_url), Client(stack.sandbox_url), programme, print).walk()
