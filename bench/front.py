"""`make bench-web`: what a trainee waits for. Writes build/web.json.

The first screen is the login, opened in a new browser that keeps nothing: ready means that its fields are there and
the page answers to touch. Chromium slows its processor down to a quarter and its network to 1.6 Mbit/s.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser

from app.core.clock import utcnow
from bench.results import Result, save
from config.settings import ROOT
from ops.browser import PHONE, browser
from ops.stack import Stack

ROUNDS = 5
SLOW_PROCESSOR = 4
BYTES_A_SECOND = 1_600_000 / 8
DELAY = 150  # milliseconds a request, of a weak signal; the goal has none
KB = 1024
GZIP = {"Accept-Encoding": "gzip"}  # what every phone and every proxy on the way takes
READY = """new MutationObserver(() => {
    if (window.readyAt !== undefined || !document.querySelector('input[type=password]')) return;
    window.readyAt = null;
    requestAnimationFrame(() => setTimeout(() => { window.readyAt = performance.now(); }));
}).observe(document, { childList: true, subtree: true })"""


@dataclass
class Opened:
    """One opening of the login: milliseconds until it was ready, bytes that had come, and of how many files."""

    milliseconds: float
    received: int
    files: int


def open_login(chromium: Browser, url: str, *, delay: int, slow: bool = True) -> Opened:
    """Open the login once, as somebody does who has never been here. `delay`: milliseconds a request."""
    context = chromium.new_context(
        viewport=PHONE, is_mobile=True, has_touch=True, locale="zh-CN", extra_http_headers=GZIP
    )
    page = context.new_page()
    tools = context.new_cdp_session(page)
    received: list[float] = []
    tools.on("Network.loadingFinished", lambda event: received.append(event["encodedDataLength"]))
    tools.send("Network.enable")
    if slow:
        line = {"downloadThroughput": BYTES_A_SECOND, "uploadThroughput": BYTES_A_SECOND}
        tools.send("Network.emulateNetworkConditions", {"offline": False, "latency": delay, **line})
        tools.send("Emulation.setCPUThrottlingRate", {"rate": SLOW_PROCESSOR})
    page.add_init_script(READY)
    page.goto(url, wait_until="commit")
    ready = None
    while ready is None:
        page.wait_for_timeout(20)
        ready = page.evaluate("window.readyAt ?? null")
    opened = Opened(float(ready), int(sum(received)), len(received))
    context.close()
    return opened


def first_screen(chromium: Browser, base_url: str) -> list[Result]:
    """Its size, and how long it takes."""
    url = f"{base_url}/?programme=yunnan"
    whole = open_login(chromium, url, delay=0, slow=False)
    size = round(whole.received / KB, 1)
    results = [Result(f"first screen, {whole.files} files, gzip", size, "KB", size, goal=250)]
    for name, delay, goal in (("interactive", 0, 2000.0), (f"interactive, {DELAY} ms a request", DELAY, None)):
        times = sorted(open_login(chromium, url, delay=delay).milliseconds for _ in range(ROUNDS))
        middle = round(statistics.median(times))
        results.append(Result(name, middle, "ms", middle, goal=goal, low=times[0], high=times[-1], runs=ROUNDS))
    return results


def mini_program(folder: Path) -> list[Result]:
    """The sizes of WeChat's packages, as it counts them: every file as it is."""
    told = json.loads((folder / "app.json").read_text(encoding="utf-8"))
    roots = [package["root"] for package in told.get("subPackages", told.get("subpackages", []))]

    def size(of: Path) -> int:
        return sum(file.stat().st_size for file in of.rglob("*") if file.is_file() and file.name != ".built")

    parts = {root: round(size(folder / root) / KB, 1) for root in roots}
    main = round(size(folder) / KB - sum(parts.values()), 1)
    found = [Result("mini-program, main package", main, "KB", main, goal=600)]
    return found + [Result(f"mini-program, {root}", part, "KB", part, goal=2048) for root, part in parts.items()]


def main() -> int:
    """Measure, print, write; 1 if a goal is not met and `--strict` was said."""
    results = mini_program(ROOT / "build" / "mp-weixin")
    with tempfile.TemporaryDirectory(prefix="web-") as directory, Stack(Path(directory) / "data") as stack:
        with browser() as chromium:
            results = first_screen(chromium, stack.base_url) + results
    load, _, _ = os.getloadavg()
    facts = {"at": f"{utcnow():%Y-%m-%d %H:%M} UTC", "load": round(load, 1), "processors": os.cpu_count()}
    save("web.json", "front", facts, results)
    print(f"at {facts['at']}; {facts['processors']} processors, load {facts['load']}")
    for row in results:
        print(row.line())
    missed = sum(row.met is False for row in results)
    print(f"written to build/web.json; goals not met: {missed}")
    return 1 if missed and "--strict" in sys.argv[1:] else 0


if __name__ == "__main__":
    sys.exit(main())
