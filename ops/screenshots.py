"""`make screenshots`: the pictures of docs/screens, taken of a real running copy after a journey."""

from __future__ import annotations

import io
import tempfile
from pathlib import Path
from typing import Any

import pypdfium2
from PIL import Image
from playwright.sync_api import Browser, Page, ViewportSize, expect

from app.core.clock import utcnow
from app.policy import load as policy
from app.policy.schema import Programme
from config.settings import ROOT
from ops.browser import DESK, PHONE, browser
from ops.client import Client
from ops.demo import load as demo
from ops.stack import Stack
from ops.trainee import OWN_PASSWORD, Journey

FOLDER = ROOT / "docs" / "screens"
LIMIT = 300_000  # bytes a picture
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


def log_in(page: Page, number: str, password: str) -> None:
    page.locator("#id-number").fill(number)
    page.locator("#password").fill(password)
    page.get_by_role("button", name="登录", exact=True).click()


def someone_about_to_pay(stack: Stack, programme: Programme) -> tuple[str, str]:
    """A trainee who has signed up: ID number and name."""
    journey = Journey(Client(stack.base_url), Client(stack.sandbox_url), programme, lambda _text: None)
    journey.log_in()
    journey.activate()
    journey.client.post("/api/v1/password", {"new_password": OWN_PASSWORD})
    for kind in ("agreement", "face"):
        journey.client.post("/api/v1/consents", {"kind": kind, "version": "1", "agreed": True})
    journey.sign_up()
    return journey.who.id_number, journey.who.name


def product(stack: Stack, chromium: Browser, programme: Programme, graduate: dict[str, Any]) -> None:
    """The login, the first screen of a graduate, the payment and the phone that pays it."""
    page = open_page(chromium, stack.base_url, PHONE)
    expect(page.locator("#log-in")).to_be_visible()
    shoot("login", page)
    log_in(page, demo.people(programme)[0].id_number, demo.password_of(programme, demo.people(programme)[0]))
    expect(page.locator("#activate")).to_be_visible()
    shoot("activation", page)

    for name, size in (("home", PHONE), ("home-wide", DESK)):
        page = open_page(chromium, stack.base_url, size)
        log_in(page, graduate["id_number"], OWN_PASSWORD)
        expect(page.get_by_text(graduate["proof"])).to_be_visible()
        shoot(name, page)

    number, person = someone_about_to_pay(stack, programme)
    page = open_page(chromium, stack.base_url, PHONE)
    log_in(page, number, OWN_PASSWORD)
    page.get_by_role("button", name="核对信息并缴费").click()
    page.locator("#payer-name").fill(person)
    page.locator("#payer-number").fill(number)
    page.get_by_role("button", name="提交订单，去支付").click()
    expect(page.locator("#pay")).to_be_visible()
    shoot("payment", page)
    phone = open_page(chromium, stack.sandbox_url, PHONE)
    expect(phone.locator("#unpaid button").first).to_be_visible()
    shoot("phone", phone)
    shoot("api-docs", open_page(chromium, f"{stack.base_url}/api/docs", DESK))


def proof(stack: Stack, chromium: Browser, graduate: dict[str, Any]) -> None:
    """The paper, and the public page behind its QR code."""
    client = Client(stack.base_url)
    body = {"programme": PROGRAMME, "id_number": graduate["id_number"], "password": OWN_PASSWORD, "channel": "web"}
    client.token = client.post("/api/v1/login", body)["token"]
    found = client.get(f"/api/v1/enrolments/{graduate['enrolment_id']}/proof")
    paper = pypdfium2.PdfDocument(client.raw("GET", found["pdf_url"]).content)[0]
    save("proof", paper.render(scale=1.5).to_pil())
    shoot("verify", open_page(chromium, found["verify_url"], PHONE))


def main() -> None:
    """Start a copy, walk the journey, take the pictures."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    policy.init(ROOT / "config" / "programmes")
    programme = policy.in_force(PROGRAMME, utcnow())
    with tempfile.TemporaryDirectory(prefix="screens-") as directory:
        print("Starting a copy of its own, and walking the journey ...", flush=True)
        with Stack(Path(directory)) as stack, browser() as chromium:
            journey = Journey(Client(stack.base_url), Client(stack.sandbox_url), programme, lambda _text: None)
            graduate = journey.walk()
            product(stack, chromium, programme, graduate)
            proof(stack, chromium, graduate)


if __name__ == "__main__":
    main()
