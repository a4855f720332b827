"""Every screen at every size is fit for a screen reader, a tired eye and a glove."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from app.core.clock import utcnow
from app.policy import load as policy
from config.settings import ROOT
from ops import invented
from ops.screens import SCREENS, SIZES, Cast, Screen, Size
from ops.stack import Stack
from sandbox.faces import make_face
from tests.browser.film import film

pytestmark = pytest.mark.browser

AXE = ROOT / "miniprogram" / "node_modules" / "axe-core" / "axe.min.js"
JUDGE = "axe.run(document, { resultTypes: ['violations'] }).then(found => found.violations)"
GRAVE = ("serious", "critical")


@pytest.fixture(scope="module")
def casts(stack: Stack, invented_stack: Stack) -> dict[bool, Cast]:
    """The people of the usual programme, and (True) those of the invented one."""
    policy.init(invented_stack.directory.parent / "programmes")
    here = {False: (stack, "yunnan"), True: (invented_stack, invented.KEY)}
    return {odd: Cast(copy, policy.in_force(key, utcnow())) for odd, (copy, key) in here.items()}


@pytest.fixture(scope="module")
def filming(browser: Browser, camera: Path) -> Browser:
    """Chromium with somebody before its camera."""
    film(make_face(7, size=(590, 826)), camera)
    return browser


def violations(casts: dict[bool, Cast], filming: Browser, screen: Screen, size: Size) -> list[dict[str, Any]]:
    """What axe has against the screen, and where."""
    with casts[screen.invented].open(filming, screen, size) as page:
        page.evaluate(AXE.read_text(encoding="utf-8") + "; 0")
        found: list[dict[str, Any]] = page.evaluate(JUDGE)
    return [
        {"id": one["id"], "help": one["help"], "where": [node["html"][:200] for node in one["nodes"]]}
        for one in found
        if one["impact"] in GRAVE
    ]


@pytest.mark.parametrize("screen", SCREENS, ids=lambda screen: screen.name)
def test_axe_finds_nothing_serious_on_any_screen_at_any_size(
    casts: dict[bool, Cast], filming: Browser, screen: Screen
) -> None:
    found = {size.suffix or "phone": violations(casts, filming, screen, size) for size in SIZES}
    assert not any(found.values()), json.dumps(found, ensure_ascii=False, indent=1)


def test_axe_would_find_a_button_without_a_name(casts: dict[bool, Cast], filming: Browser) -> None:
    with casts[False].open(filming, SCREENS[0], SIZES[0]) as page:
        page.evaluate("document.querySelector('[role=main]').append(document.createElement('button'))")
        page.evaluate(AXE.read_text(encoding="utf-8") + "; 0")
        assert "button-name" in [one["id"] for one in page.evaluate(JUDGE)]


def test_every_page_of_the_front_end_is_in_the_list() -> None:
    text = re.sub(r"//.*", "", (ROOT / "miniprogram" / "src" / "pages.json").read_text(encoding="utf-8"))
    pages = json.loads(text)
    paths = {page["path"] for page in pages["pages"]}
    for package in pages["subPackages"]:
        paths |= {f"{package['root']}/{page['path']}" for page in package["pages"]}
    assert {screen.path.split("?")[0] for screen in SCREENS} == paths
