"""Chromium for the browser tests and the screenshots: it resolves no host but loopback."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, ViewportSize, sync_playwright

PHONE: ViewportSize = {"width": 390, "height": 844}
DESK: ViewportSize = {"width": 1280, "height": 800}
NAMES = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = [
    "--no-sandbox",  # as root in a container Chromium does not start with it
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]
CAMERA = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")


def executable() -> str:
    """Where Chromium is: CHROMIUM from the environment, or found on the PATH. Raises `SystemExit`."""
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if not found:
        raise SystemExit("Chromium is needed: apt-get install chromium fonts-noto-cjk, or CHROMIUM=/path/to/it")
    return found


@contextmanager
def browser(film: Path | None = None) -> Iterator[Browser]:
    """A browser without a window, closed at the end. `film`: a Y4M file that its camera sees."""
    camera = () if film is None else (*CAMERA, f"--use-file-for-fake-video-capture={film}")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=executable(), args=[*ARGUMENTS, *camera])
        try:
            yield started
        finally:
            started.close()
