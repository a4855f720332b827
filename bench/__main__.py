"""`make bench`: CPU of the server per request, as ratios to other requests of the same run; writes build/bench.json.

Every round measures every row, one after the other, so that a noisy neighbour hits all of them; the ratio is the
median of the rounds' ratios. Absolute figures move with the machine, ratios hardly.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

import requests

from app.core import db
from app.core.clock import utcnow
from bench.load import cpu_seconds, drive
from bench.rows import rows
from bench.server import BenchBeat
from config.settings import ROOT
from ops.run import web_argv
from ops.stack import free_pair
from tests.world import World, build

ROUNDS = 5
FILE = ROOT / "build" / "bench.json"


@dataclass(frozen=True)
class Measured:
    """One line of the report. `value` in `unit`; `ratio` to the row `to`; `goal`: at most this ratio, None: none."""

    name: str
    value: float
    unit: str
    ratio: float
    to: str
    goal: float | None
    runs: int


def say(text: str) -> None:
    print(text, flush=True)


def start_server(world: World, port: int) -> subprocess.Popen[bytes]:
    """The product's own server over this world's database and Redis, with the bench's routes."""
    environment = {
        **os.environ,
        "DATA_DIR": str(world.data_dir),
        "PORT": str(port),
        "DATABASE_URL": world.settings.database_url,
        "REDIS_URL": world.settings.redis_url,
        "SANDBOX_URL": world.settings.sandbox_url,
        "LOG_LEVEL": "WARNING",
        "RATE_LIMITS": "1000000",  # counted as ever, never reached: the load comes from one address
    }
    argv = [*web_argv(port)[:-1], "--factory", "bench.server:make"]
    server = subprocess.Popen(argv, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            if requests.get(f"http://127.0.0.1:{port}/healthz", timeout=1).status_code == 200:
                return server
        except requests.RequestException:
            time.sleep(0.1)
    server.kill()
    raise SystemExit("the server did not come up")


def measure(world: World, port: int, pid: int) -> list[Measured]:
    """All rounds; a row each."""
    table = rows(world)
    costs: dict[str, list[float]] = {row.name: [] for row in table}
    for number in range(-1, ROUNDS):  # the first one warms up
        once: dict[str, float] = {}
        for row in table:
            if row.name in once:
                continue
            data = row.requests(row.count)
            before = cpu_seconds(pid)
            bad = drive(port, data)
            once[row.name] = (cpu_seconds(pid) - before) / row.count * 1e6
            if bad:
                raise SystemExit(f"{row.name}: {len(bad)} of {row.count} were refused, the first with {bad[0]}")
        if number >= 0:
            for name, cost in once.items():
                costs[name].append(cost)
        say(f"  round {number + 1} of {ROUNDS}" + (" (warming up)" if number < 0 else ""))
    found = []
    for row in table:
        ratios = [mine / other for mine, other in zip(costs[row.name], costs[row.to], strict=True)]
        value, ratio = round(median(costs[row.name]), 1), round(median(ratios), 3)
        found.append(Measured(row.name, value, "µs of server CPU a request", ratio, row.to, row.goal, ROUNDS))
    return found


def main() -> None:
    """Measure, print, write."""
    port = free_pair()
    with tempfile.TemporaryDirectory(prefix="bench-") as directory, build(Path(directory)) as world:
        with db.connection():
            db.database.create_tables([BenchBeat])
            server = start_server(world, port)
            try:
                say(f"Measuring at {utcnow():%Y-%m-%d %H:%M} UTC, {ROUNDS} rounds ...")
                found = measure(world, port, server.pid)
            finally:
                server.terminate()
                server.wait(20)
    say(f"\n  {'':<26}{'µs CPU':>9}  {'ratio':>7}  {'goal':>6}  compared with")
    for row in found:
        goal = "" if row.goal is None else f"{row.goal:.2f}"
        mark = "" if row.goal is None else ("  met" if row.ratio <= row.goal else "  not met")
        say(f"  {row.name:<26}{row.value:>9.1f}  {row.ratio:>7.3f}  {goal:>6}  {row.to}{mark}")
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_text(json.dumps([asdict(row) for row in found], ensure_ascii=False, indent=1) + "\n")
    say(f"\nwritten to {FILE.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
