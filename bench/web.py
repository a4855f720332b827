"""The product's server under load: CPU per request as ratios of one run, and payment notifications by the second."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import requests

from app.core import db, engines
from app.core.inbox import InboxMessage
from bench.load import cpu_seconds, drive
from bench.places import SERVER_URL
from bench.results import Result
from bench.rows import EMPTY, notifications, rows
from bench.server import BenchBeat
from config.settings import ROOT
from ops.run import web_argv
from ops.stack import free_pair
from tests.world import World, build

ROUNDS = 20  # short ones: a noisy neighbour hits every row of some, and their median knows nothing of it
WARM = 3  # rounds before: each connection to the database has prepared what it is asked
PER_SECOND, SECONDS = 200, 20


def server_argv(port: int) -> list[str]:
    """The command of the product's server, with the bench's routes."""
    return [*web_argv(port)[:-1], "--factory", "bench.server:make"]


@contextmanager
def a_server(world: World, port: int, argv: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    """The server over this world's database and Redis, until the block ends."""
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
    server = subprocess.Popen(argv, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 30
        while not _answers(port):
            if time.monotonic() > deadline or server.poll() is not None:
                raise SystemExit(f"the server did not come up: {' '.join(argv)}")
            time.sleep(0.1)
        yield server
    finally:
        if server.poll() is None:
            server.terminate()
        server.wait(30)


def _answers(port: int) -> bool:
    try:
        return requests.get(f"http://127.0.0.1:{port}/healthz", timeout=1).status_code == 200
    except requests.RequestException:
        return False


@contextmanager
def a_world() -> Iterator[World]:
    """The tests' world on the chosen database, where each commit is synced."""
    with tempfile.TemporaryDirectory(prefix="bench-") as directory, build(Path(directory), SERVER_URL) as world:
        if isinstance(db.database.obj, engines.Postgresql):
            with db.connection():
                name = world.settings.database_url.rpartition("/")[2].partition("?")[0]
                db.database.execute_sql(f"ALTER DATABASE {name} RESET synchronous_commit")
        with db.connection():
            db.database.create_tables([BenchBeat])
            yield world


def ratios() -> list[Result]:
    """CPU of the server per request; every round measures every row, one after the other, so that a noisy neighbour
    hits all of them. The ratio is the median of the rounds' ratios."""
    port = free_pair()
    with a_world() as world, a_server(world, port, server_argv(port)) as server:
        table = rows(world)
        costs: dict[str, list[float]] = {row.name: [] for row in table}
        for number in range(1 - WARM, ROUNDS + 1):
            once: dict[str, float] = {}
            for row in table:
                if row.name in once:
                    continue
                data = row.requests(row.count)
                before = cpu_seconds(server.pid)
                bad = drive(port, data).bad
                once[row.name] = (cpu_seconds(server.pid) - before) / row.count * 1e6
                if bad:
                    raise SystemExit(f"{row.name}: {len(bad)} of {row.count} were refused, the first with {bad[0]}")
            if number >= 1:
                for name, cost in once.items():
                    costs[name].append(cost)
            if number % 5 == 0:
                print(f"  round {number} of {ROUNDS}" if number else "  warm", flush=True)
    found = []
    for row in table:
        compared = [mine / other for mine, other in zip(costs[row.name], costs[row.to], strict=True)]
        found.append(
            Result(
                row.name,
                round(median(costs[row.name]), 1),
                "µs CPU a request",
                round(median(compared), 3),
                "" if row.name == row.to else row.to,
                row.goal,
                low=round(min(compared), 3),
                high=round(max(compared), 3),
                runs=ROUNDS,
            )
        )
    return found


def payment_notifications() -> list[Result]:
    """So many signed notifications a second, sent whether the last ones were answered or not: verified, committed to
    the inbox, answered. Each must be in the inbox afterwards."""
    port = free_pair()
    with a_world() as world, a_server(world, port, server_argv(port)) as server:
        make = notifications(world)
        drive(port, make(200))
        known = InboxMessage.select().count()
        data = make(PER_SECOND * SECONDS)
        before = cpu_seconds(server.pid)
        sent = drive(port, data, connections=32, per_second=PER_SECOND)
        cpu = (cpu_seconds(server.pid) - before) / len(data) * 1e6
        kept = InboxMessage.select().count() - known
    lost = len(data) - len(sent.bad) - kept
    name = f"payment notifications, {PER_SECOND} a second"
    p99 = round(sent.percentile(0.99), 1)
    return [
        Result(f"{name}: p99", p99, "ms", p99, goal=1000),
        Result(f"{name}: p50", round(sent.percentile(0.5), 1), "ms", 0),
        Result(f"{name}: answered and not kept", lost, f"of {len(data)}", lost, goal=0),
        Result(f"{name}: refused", len(sent.bad), f"of {len(data)}", len(sent.bad), goal=0),
        Result(f"{name}: CPU", round(cpu, 1), "µs CPU a request", 0),
    ]


__all__ = ["EMPTY", "a_server", "a_world", "payment_notifications", "ratios", "server_argv"]
