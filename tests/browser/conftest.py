"""One running copy and one Chromium a worker; a watched tab for each test."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from app.policy import load as policy
from config.settings import ROOT
from ops import invented
from ops.browser import browser as chromium
from ops.stack import Stack
from ops.trainee import Journey
from sandbox.faces import make_face
from tests.browser.film import film
from tests.browser.people import paid
from tests.browser.photos import HELD, Photos, on_the_desk
from tests.browser.tabs import Watched
from tests.world import World

expect.set_options(timeout=15_000)  # two copies and two browsers may share two processors


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The whole product, running."""
    with Stack(tmp_path_factory.mktemp("browser") / "data") as running:
        yield running


@pytest.fixture(scope="session")
def invented_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Another copy, whose trainees may pay by bank transfer: with the invented programme."""
    directory = tmp_path_factory.mktemp("invented")
    folder = invented.programmes(directory / "programmes", ROOT / "config" / "programmes")
    policy.init(folder)
    with Stack(directory / "data", PROGRAMMES_DIR=str(folder)) as running:
        yield running


@pytest.fixture(scope="session")
def camera(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The film that Chromium's camera sees: nobody, until a test writes another one. A page that opens the camera
    gets the film of that moment."""
    return film(make_face(0, face=False), tmp_path_factory.mktemp("camera") / "film.y4m")


@pytest.fixture(scope="session")
def browser(camera: Path) -> Iterator[Browser]:
    """Chromium."""
    with chromium(camera) as started:
        yield started


@pytest.fixture
def watched(stack: Stack, browser: Browser) -> Iterator[Watched]:
    """Tabs whose requests and console are watched; judged when the test has ended."""
    tabs = Watched(browser, stack)
    yield tabs
    tabs.close()
    assert tabs.strangers == []
    assert tabs.complaints == []


@pytest.fixture(scope="session", autouse=True)
def ahead(request: pytest.FixtureRequest, stack: Stack) -> Iterator[dict[str, Future[Journey]]]:
    """Films take their time: who has to have watched them does it while other tests run. Name of the fixture → the
    person, on the way."""
    wanted = {name for item in request.session.items for name in getattr(item, "fixturenames", ())}
    with ThreadPoolExecutor(len(DEEDS)) as pool:
        yield {name: pool.submit(deed, paid(stack)) for name, deed in DEEDS.items() if name in wanted}


def study(journey: Journey) -> Journey:
    journey.study(journey.evidence["enrolment_id"])
    return journey


def study_and_pass(journey: Journey) -> Journey:
    enrolment_id = study(journey).evidence["enrolment_id"]
    journey.examine(enrolment_id)
    journey.proof(enrolment_id)
    return journey


DEEDS = {"student": study, "graduate": study_and_pass}


@pytest.fixture(scope="session")
def student(ahead: dict[str, Future[Journey]]) -> Journey:
    """Somebody who has studied to the end and not sat the exam."""
    return ahead["student"].result()


@pytest.fixture(scope="session")
def graduate(ahead: dict[str, Future[Journey]]) -> dict[str, Any]:
    """The evidence of somebody who has a proof."""
    return ahead["graduate"].result().evidence


@pytest.fixture
def photos(world: World, browser: Browser, request: pytest.FixtureRequest) -> Iterator[Photos]:
    """Four photos on a reviewer's desk. `param`: a script that runs before those of the page."""
    with on_the_desk(world, browser, getattr(request, "param", HELD)) as waiting:
        yield waiting
