"""Three journeys at one time, each in a copy of its own, while the providers are slow, fail or lie: each must arrive,
with nothing lost and nothing paid twice. The twin walks through such blows without patience, and must be stopped."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from threading import Thread

from app.core.clock import utcnow
from app.policy import load as policy
from config.settings import ROOT
from ops import trouble
from ops.client import Client, Surprise
from ops.databases import own_database
from ops.stack import Stack
from ops.trainee import Journey
from tests.faults.kill import audit, copy_environment, still_there
from tests.faults.report import Row

# each kind of trouble on another way of paying
WAYS = {"slow": "wechat_native", "failing": "alipay_qr", "lying": "wechat_jsapi"}


def run_one(directory: Path, kind: str, database: str, server: str, say: Callable[[str], None]) -> Row:
    """The twin, then the journey, over a database of its own at `server` (its URL; empty: SQLite)."""
    began, wrong, twin = time.monotonic(), [], False
    blows = (*trouble.blows(kind, WAYS[kind], None), *trouble.LATER[kind])
    try:
        directory.mkdir()
        with own_database(server, directory, durable=True) as url, Stack(directory, DATABASE_URL=url) as stack:
            twin = hasty(stack, kind)
            sandbox = Client(stack.sandbox_url)
            dealt = trouble.Trouble(sandbox, blows)
            journey = _journey(stack, kind, trouble.PATIENCE, say, dealt)
            evidence = journey.walk()
            dealt.begin("开票")
            wrong = not_issued(journey, copy_environment(directory, stack, url))
            dealt.end()
            wrong += still_there(journey, evidence) + audit(directory, stack, url)
    except Exception as error:  # whatever ends a journey is this experiment's result
        wrong.append(f"{type(error).__name__}: {error}")
    for text in wrong:
        say(f"  {kind}: {text}")
    return Row(f"TROUBLE-{kind}", database, len(blows), len(wrong), twin, round(time.monotonic() - began, 1))


def not_issued(journey: Journey, environment: dict[str, str]) -> list[str]:
    """Days pass; what is wrong with the invoice then."""
    argv = [sys.executable, "-m", "tests.faults.later"]
    passed = subprocess.run(argv, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120)
    cards = journey.client.get("/api/v1/invoices")["invoices"]
    if [card["state"] for card in cards] != ["ready"]:
        return [f"the invoices are {cards}", passed.stderr[-500:]]
    paper = journey.client.raw("GET", cards[0]["pdf_url"])
    return [] if paper.content.startswith(b"%PDF") else [f"the invoice's PDF: {paper.status_code}"]


def _journey(stack: Stack, kind: str, patience: float, say: Callable[[str], None], dealt: trouble.Trouble) -> Journey:
    programme = policy.in_force("yunnan", utcnow())
    phone = Client(stack.base_url, patience)
    return Journey(
        phone,
        Client(stack.sandbox_url),
        programme,
        say=lambda text: say(f"{kind:<8}{text}"),
        on_step=dealt.begin,
        channel=WAYS[kind],
    )


def hasty(stack: Stack, kind: str) -> bool:
    """Whether somebody who never tries again is stopped by a provider: the blows do strike. The sandbox is calm
    afterwards."""
    sandbox = Client(stack.sandbox_url)
    faces = [blow for blow in trouble.blows(kind, WAYS[kind], None) if blow.provider == "baidu"]
    try:
        _journey(stack, kind, 0.0, lambda _text: None, trouble.Trouble(sandbox, faces)).walk()
    except Surprise as surprise:
        return "face_unavailable" in str(surprise)
    finally:
        sandbox.call("DELETE", "/_knobs", expect=204)
    return False


def run(directory: Path, database: str, server: str, say: Callable[[str], None]) -> list[Row]:
    """All three, in parallel; a row each."""
    policy.init(ROOT / "config" / "programmes")
    rows: list[Row] = []
    threads = [
        Thread(target=lambda kind=kind: rows.append(run_one(directory / kind, kind, database, server, say)))
        for kind in WAYS
    ]
    for thread in threads:
        thread.start()
        time.sleep(1.5)  # copies that start at once would only wait for each other
    for thread in threads:
        thread.join()
    return rows
