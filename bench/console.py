"""`make bench-console`: the console on the database of `make big-data`; writes build/console.json.

Every page is asked for many times, each time about another row, all pages in turn, so that a noisy neighbour hits all
of them; p95 against 300 ms. Then 200 photos are decided in Chromium by the keyboard alone, beside 200 plain loads of
the page of a case, in the same run. Needs Chromium; `--pages` does without.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import cycle, islice
from statistics import median, quantiles

import requests
from playwright.sync_api import BrowserContext
from playwright.sync_api import Page as Tab

from app import create_app
from app.cases.models import Case
from app.core import db
from app.core.clock import utcnow
from app.face import review
from app.staff import service as staff
from app.staff import sessions
from app.staff.models import Member
from bench.big.place import DATA_DIR, URL, settings
from bench.big.work import LOGIN
from bench.places import a_redis
from bench.results import Result, save
from config.settings import ROOT
from ops.browser import DESK, browser
from ops.run import web_argv
from ops.stack import free_pair

GOAL = 300.0  # milliseconds, p95
ROUNDS = int(os.environ.get("BENCH_ROUNDS", 60))
DECISIONS = 200

# Every page with its address. What stands in braces is the id of a row of that table; a page that this version does
# not have is left out, and said.
PAGES = {
    "my queues": "/console/",
    "a queue of photos": "/console/queues/face.photo",
    "a queue of payments": "/console/queues/pay.mismatch",
    "on to the next case": "/console/queues/face.photo/next",
    "a photo case": "/console/cases/{photo}",
    "a case about a payment": "/console/cases/{mismatch}",
    "a case that is decided": "/console/cases/{case}",
    "a photo": "/console/cases/{photo}/pictures/photo",
    "what I have decided": "/console/done",
    "what all have decided": "/console/done?whose=all",
    "the staff": "/console/staff",
    "one of the staff": "/console/staff/{staff_member}",
    "the day's figures": "/console/figures",
    "the figures of a year": "/console/figures?days=365",
    "figures of one programme": "/console/figures?programme=yunnan",
    "exports": "/console/exports",
    "people": "/console/people",
    "a person": "/console/people/{person}",
    "transfers": "/console/transfers",
    "reconciliation": "/console/reconciliation",
    "invoices": "/console/invoices",
}


def rows() -> dict[str, list[str]]:
    """Ids for the addresses, from all over the tables."""

    def some(table: str, where: str = "TRUE") -> list[str]:
        query = f'SELECT id FROM "{table}" TABLESAMPLE SYSTEM (1) WHERE {where} ORDER BY random() LIMIT {ROUNDS}'
        return [row_id for (row_id,) in db.database.execute_sql(query).fetchall()]

    found = {table: some(table) for table in ("person", "enrolment", "pay_order", "case")}
    found["staff_member"] = [row_id for (row_id,) in Member.select(Member.id).limit(ROUNDS).tuples()]
    for name, case_kind in (("photo", review.PHOTO), ("mismatch", "pay.mismatch")):
        query = Case.select(Case.id).where(Case.status == "open", Case.kind == case_kind).order_by(Case.id)
        found[name] = [row_id for (row_id,) in query.limit(ROUNDS).tuples()]
    return found


@contextmanager
def a_console(port: int, redis_url: str) -> Iterator[None]:
    """The product's web server over the large database, until the block ends."""
    environment = {
        **os.environ,
        "DATA_DIR": str(DATA_DIR),
        "PORT": str(port),
        "DATABASE_URL": URL,
        "REDIS_URL": redis_url,
        "LOG_LEVEL": "ERROR",
        "RATE_LIMITS": "1000000",  # counted as ever, never reached
    }
    server = subprocess.Popen(web_argv(port), cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 60
        while not _answers(port):
            if time.monotonic() > deadline or server.poll() is not None:
                raise SystemExit("the server did not come up")
            time.sleep(0.1)
        yield
    finally:
        server.terminate()
        server.wait(30)


def _answers(port: int) -> bool:
    try:
        return requests.get(f"http://127.0.0.1:{port}/healthz", timeout=1).status_code == 200
    except requests.RequestException:
        return False


def measure(port: int, cookie: str, addresses: dict[str, list[str]]) -> dict[str, list[float]]:
    """Milliseconds of each page, a value a round. Raises `SystemExit` for an answer that is none."""
    took: dict[str, list[float]] = {name: [] for name in addresses}
    session = requests.Session()
    session.cookies.set("staff", cookie)
    for number in range(-2, ROUNDS):
        for name, paths in addresses.items():
            path = paths[number % len(paths)]
            began = time.perf_counter()
            answer = session.get(f"http://127.0.0.1:{port}{path}", allow_redirects=False, timeout=60)
            if answer.status_code not in (200, 303):
                raise SystemExit(f"{name}: {answer.status_code} {path}")
            if number >= 0:
                took[name].append((time.perf_counter() - began) * 1000)
    return took


def decide(tab: Tab, count: int) -> float:
    """Decide so many photos by the key 1; gives the seconds."""
    began = time.perf_counter()
    for _ in range(count):
        tab.locator("#work:not([aria-busy])").wait_for()
        before = tab.locator("#work").get_attribute("data-case")
        tab.keyboard.press("1")
        tab.locator(f'#work:not([data-case="{before}"])').wait_for()
    tab.get_by_text("由您处理中").wait_for()  # the last one was answered
    return time.perf_counter() - began


def load(tab: Tab, addresses: list[str]) -> float:
    """Load these pages one after the other; gives the seconds."""
    began = time.perf_counter()
    for address in addresses:
        tab.goto(address, wait_until="load")
    return time.perf_counter() - began


def by_keyboard(base: str, context: BrowserContext, cases: list[str]) -> list[Result]:
    """Decisions and loads in four turns of each, so that a noisy neighbour hits both."""
    tab = context.new_page()
    tab.goto(f"{base}/console/queues/face.photo/next")
    deciding, loading, turns = 0.0, 0.0, 4
    pages = cycle(cases)
    other = context.new_page()
    for _ in range(turns):
        tab.bring_to_front()
        deciding += decide(tab, DECISIONS // turns)
        other.bring_to_front()
        loading += load(other, [f"{base}/console/cases/{row}" for row in islice(pages, DECISIONS // turns)])
    return [
        Result(f"{DECISIONS} plain page loads", round(loading, 1), "s", 1.0, runs=turns),
        Result(
            f"{DECISIONS} photos decided by keyboard", round(deciding, 1), "s", round(deciding / loading, 3),
            f"{DECISIONS} plain page loads", 1.0, runs=turns,
        ),
    ]  # fmt: skip


def summary(name: str, took: list[float]) -> list[Result]:
    """p50 and p95 of a page."""
    p95 = round(quantiles(took, n=20)[-1], 1)
    return [
        Result(f"{name}, p50", round(median(took), 1), "ms", 0.0, runs=len(took)),
        Result(f"{name}, p95", p95, "ms", p95, goal=GOAL, runs=len(took)),
    ]


def main() -> int:
    """Measure, print, write; 1 if a goal is not met and that was asked."""
    parser = argparse.ArgumentParser(prog="python -m bench.console", description=__doc__)
    parser.add_argument("--pages", action="store_true", help="the pages only")
    parser.add_argument("--strict", action="store_true", help="exit status 1 if a goal is not met")
    options = parser.parse_args()
    if not DATA_DIR.is_dir():
        raise SystemExit("there is no large database: run make big-data first")
    port, now = free_pair(), f"{utcnow():%Y-%m-%d %H:%M} UTC"
    with a_redis() as redis_url, a_console(port, redis_url):
        app = create_app(settings({"REDIS_URL": redis_url}))
        known = app.url_map.bind("127.0.0.1")
        with db.connection():
            found = rows()
            member = staff.by_login(LOGIN)
            assert member is not None, "the loader makes it"
            cookie = sessions.open_session(member, "full", now=utcnow())
            counts = {
                table: db.database.execute_sql(f'SELECT count(*) FROM "{table}"').fetchone()[0]
                for table in ("person", "pay_order", "case")
            }
        print(
            f"The console at {now}: {counts['person']:,} persons, {counts['pay_order']:,} orders, "
            f"{counts['case']:,} cases",
            flush=True,
        )
        addresses = {}
        for name, template in PAGES.items():
            paths = [
                template.format(**{key: ids[place % len(ids)] for key, ids in found.items() if ids})
                for place in range(ROUNDS)
            ]
            if known.test(paths[0].partition("?")[0]):
                addresses[name] = paths
            else:
                print(f"  {name}: not in this version")
        took = measure(port, cookie, addresses)
        results = [line for name in took for line in summary(name, took[name])]
        if not options.pages:
            with browser() as chromium:
                context = chromium.new_context(viewport=DESK)
                context.add_cookies([{"name": "staff", "value": cookie, "url": f"http://127.0.0.1:{port}"}])
                results += by_keyboard(f"http://127.0.0.1:{port}", context, found["photo"])
    save("console.json", "console", {"at": now, "database": "PostgreSQL", "counts": counts}, results)
    for row in results:
        print(row.line(), flush=True)
    missed = sum(row.met is False for row in results)
    print(f"\nwritten to build/console.json; goals not met: {missed}")
    return 1 if missed and options.strict else 0


if __name__ == "__main__":
    sys.exit(main())
