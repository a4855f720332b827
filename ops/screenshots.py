"""`make screenshots`: the pictures of docs/screens, taken of a real running copy with people at every stage."""

from __future__ import annotations

import io
import sys
import tempfile
from pathlib import Path

import pypdfium2
from PIL import Image
from playwright.sync_api import Browser, Page, ViewportSize, expect

from app.core.clock import utcnow
from app.policy import load as policy
from config.settings import ROOT
from ops import invented
from ops.browser import DESK, PHONE, browser
from ops.client import Client
from ops.screens import SCREENS, SIZES, Cast, Screen
from ops.stack import Stack

FOLDER = ROOT / "docs" / "screens"
LIMIT, ALTOGETHER = 300_000, 8_000_000  # bytes: a picture, all of them
PROGRAMME = "yunnan"


def save(name: str, picture: Image.Image) -> None:
    """Write one picture with a palette of 256 colours. Raises `SystemExit` if it is too large all the same."""
    path = FOLDER / f"{name}.png"
    picture.convert("RGB").quantize(256, dither=Image.Dither.NONE).save(path, optimize=True)
    size = path.stat().st_size
    if size > LIMIT:
        raise SystemExit(f"{path} has {size} bytes, more than {LIMIT}")
    print(f"  {path.relative_to(ROOT)}  {size // 1024} KB", flush=True)


def shoot(name: str, page: Page, *, whole: bool = False) -> None:
    """Take the page as it stands; `whole`: beyond the window too."""
    page.evaluate("document.activeElement.blur()")
    save(name, Image.open(io.BytesIO(page.screenshot(full_page=whole))))


def open_page(chromium: Browser, url: str, size: ViewportSize) -> Page:
    """A tab of its own, without a session."""
    page = chromium.new_context(locale="zh-CN", viewport=size, device_scale_factor=1.5).new_page()
    page.goto(url)
    return page


def front(cast: Cast, chromium: Browser, screens: list[Screen]) -> None:
    """Screens of the front end at every size."""
    for screen in screens:
        for size in SIZES:
            with cast.open(chromium, screen, size, scale=1 if size.computer else 1.5) as page:
                shoot(f"{screen.name}{size.suffix}", page)


def others(stack: Stack, chromium: Browser) -> None:
    """The sandbox's phone and the API's documentation."""
    phone = open_page(chromium, stack.sandbox_url, PHONE)
    expect(phone.locator("#sms li").first).to_be_visible()
    shoot("sandbox-phone", phone)
    shoot("api-docs", open_page(chromium, f"{stack.base_url}/api/docs", DESK))


def proof(cast: Cast, chromium: Browser) -> None:
    """The paper, and the public page behind its QR code."""
    graduate = cast.person("graduate")
    client = Client(cast.stack.base_url)
    client.token = graduate.token(computer=True)
    found = client.get(f"/api/v1/enrolments/{graduate.evidence['enrolment_id']}/proof")
    paper = pypdfium2.PdfDocument(client.raw("GET", found["pdf_url"]).content)[0]
    save("proof-paper", paper.render(scale=1.5).to_pil())
    shoot("verify", open_page(chromium, found["verify_url"], PHONE))


def main() -> None:
    """Start a copy, bring people as far as each screen needs them, take the pictures. `python -m ops.screenshots
    [NAME ...]` takes those of the named screens of the front end alone."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    wanted = [screen for screen in SCREENS if not sys.argv[1:] or screen.name in sys.argv[1:]]
    with tempfile.TemporaryDirectory(prefix="screens-") as directory:
        print(
            "Starting a copy of its own; people study for it at the pace of the films (ten minutes) ...", flush=True
        )
        folder = invented.programmes(Path(directory) / "programmes", ROOT / "config" / "programmes")
        policy.init(folder)
        usual, odd = ([screen for screen in wanted if screen.invented is of] for of in (False, True))
        with browser() as chromium:
            if usual:
                with Stack(Path(directory) / "data") as stack:
                    cast = Cast(stack, policy.in_force(PROGRAMME, utcnow()))
                    front(cast, chromium, usual)
                    if wanted == list(SCREENS):
                        others(stack, chromium)
                        proof(cast, chromium)
            if odd:
                with Stack(Path(directory) / "invented", PROGRAMMES_DIR=str(folder)) as stack:
                    front(Cast(stack, policy.in_force(invented.KEY, utcnow())), chromium, odd)
    total = sum(path.stat().st_size for path in FOLDER.glob("*.png"))
    print(f"{total // 1024:,} KB altogether")
    if total > ALTOGETHER:
        raise SystemExit(f"more than {ALTOGETHER // 1024:,} KB")


if __name__ == "__main__":
    main()
