"""`make bench-server`: Granian beside gunicorn's threads, in alternating rounds of one run; writes build/server.json.

Both run the product with one worker and as many threads, over the same database. CPU is of the server's processes;
what is asked of each: an empty view, a heartbeat, a statement of 20 ms on 64 connections, slow clients beside quick
ones, and TERM in the middle of the load.
"""

from __future__ import annotations

import argparse
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import cycle, islice
from statistics import median
from threading import Event, Thread

from app.core.clock import utcnow
from bench.load import Cut, Sent, cpu_seconds, drive, exchange, request
from bench.places import SERVER_URL, kind
from bench.results import Result, save
from bench.rows import beats, people
from bench.server import BenchBeat
from bench.web import a_server, a_world, server_argv
from config.settings import ROOT
from ops.stack import free_pair
from tests.world import World

ROUNDS = int(os.environ.get("BENCH_ROUNDS", 5))
THREADS = os.environ.get("WEB_THREADS", "16")
CROWD = 64  # connections, four times the threads
SLOW = 24  # clients that send a byte at a time: more than there are threads


def gunicorn_argv(port: int) -> list[str]:
    """gunicorn's threads, as they are meant for keep-alive connections."""
    argv = [sys.executable, "-m", "gunicorn", "--worker-class", "gthread", "--workers", "1", "--threads", THREADS]
    argv += ["--bind", f"127.0.0.1:{port}", "--keep-alive", "75", "--graceful-timeout", "8", "--backlog", "2048"]
    return [*argv, "--log-level", "warning", "bench.server:make()"]


SERVERS: dict[str, Callable[[int], list[str]]] = {"Granian": server_argv, "gunicorn gthread": gunicorn_argv}


@dataclass
class Found:
    """What was measured of one server, a value a round."""

    values: dict[str, list[float]] = field(default_factory=dict)

    def add(self, name: str, value: float) -> None:
        self.values.setdefault(name, []).append(value)


def one_round(world: World, name: str, tokens: list[str], body: Callable[[int], list[bytes]], found: Found) -> None:
    """Start the server, ask everything of it, stop it by TERM in the middle of the load."""
    port = free_pair()
    with a_server(world, port, SERVERS[name](port)) as server:
        empty = list(islice(cycle([request("GET", "/bench/empty", token=token) for token in tokens]), 1500))
        slow = list(islice(cycle([request("GET", "/bench/slow", token=token) for token in tokens]), 1600))
        drive(port, empty[:300])
        for what, data in (("empty view", empty), ("heartbeat", body(2000))):
            before = cpu_seconds(server.pid)
            _all_well(what, drive(port, data, 8))
            found.add(f"{what}: CPU", (cpu_seconds(server.pid) - before) / len(data) * 1e6)
        sent = drive(port, slow, CROWD)
        _all_well("a statement of 20 ms", sent)
        found.add("20 ms in SQL, 64 connections: p99", sent.percentile(0.99))
        with slow_clients(port):
            time.sleep(0.5)
            # 3,000 ms: not answered at all
            found.add(
                "quick ones beside 24 slow clients: p99", drive(port, empty[:400], 8, patience=3).percentile(0.99)
            )
        found.add("cut off by TERM", under_term(port, server, tokens))


def _all_well(what: str, sent: Sent) -> None:
    if sent.bad:
        raise SystemExit(f"{what}: {len(sent.bad)} were refused, the first with {sent.bad[0]}")


class slow_clients:
    """While the block runs, `SLOW` clients send a body of 4 KB, twenty bytes a second."""

    def __init__(self, port: int):
        self._port = port
        self._stop = Event()
        self._threads = [Thread(target=self._drip) for _ in range(SLOW)]

    def _drip(self) -> None:
        lines = (
            "POST /api/v1/heartbeat HTTP/1.1",
            "Host: x",
            "Content-Type: application/json",
            "Content-Length: 4096",
        )
        head = "\r\n".join([*lines, "", ""])
        with suppress(OSError), socket.create_connection(("127.0.0.1", self._port)) as connection:
            connection.sendall(head.encode())
            while not self._stop.wait(0.05):
                connection.sendall(b" ")

    def __enter__(self) -> None:
        for thread in self._threads:
            thread.start()

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()


def under_term(port: int, server: subprocess.Popen[bytes], tokens: list[str]) -> float:
    """TERM while 16 clients write: how many writes were committed whose answer did not arrive whole. (A connection
    that is closed before anything was done with its request is none: proxies and phones send it again.)"""
    BenchBeat.delete().execute()
    answered, stop = [0] * 16, Event()

    def write(number: int) -> None:
        data = request("POST", "/bench/upsert", b'{"seconds": 1, "position": 1}', tokens[number % len(tokens)])
        with suppress(OSError, Cut), socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
            while not stop.is_set():
                answered[number] += exchange(connection, data) == 200

    threads = [Thread(target=write, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    time.sleep(0.7)
    server.send_signal(signal.SIGTERM)
    server.wait(30)
    stop.set()
    for thread in threads:
        thread.join()
    written = sum(row.seconds for row in BenchBeat.select())
    return float(written - sum(answered))


_UNITS = {"CPU": "µs CPU a request", "p99": "ms", "TERM": "writes"}


def _unit(name: str) -> str:
    return next(unit for word, unit in _UNITS.items() if word in name)


def main() -> int:
    """Measure, print, write."""
    argparse.ArgumentParser(prog="python -m bench.compare", description=__doc__).parse_args()
    now = f"{utcnow():%Y-%m-%d %H:%M} UTC"
    print(f"Servers at {now}, {kind(SERVER_URL)}, one worker, {THREADS} threads each ...", flush=True)
    found = {name: Found() for name in SERVERS}
    with a_world() as world:
        tokens = [token for _, token in people()]
        made = beats()
        for number in range(ROUNDS):
            for name in SERVERS if number % 2 else reversed(SERVERS):
                one_round(world, name, tokens, lambda count: list(islice(made, count)), found[name])
            print(f"  round {number + 1} of {ROUNDS}", flush=True)
    results = []
    for what in found["Granian"].values:
        base = found["gunicorn gthread"].values[what]
        for name in SERVERS:
            mine = found[name].values[what]
            same = name == "gunicorn gthread" or min(base) <= 0
            value = sum(mine) if "TERM" in what else round(median(mine), 1)
            if same:
                results.append(Result(f"{what}, {name}", value, _unit(what), 0.0, runs=ROUNDS))
                continue
            compared = [a / b for a, b in zip(mine, base, strict=True)]
            results.append(
                Result(
                    f"{what}, {name}",
                    value,
                    _unit(what),
                    round(median(compared), 3),
                    "gunicorn gthread",
                    low=round(min(compared), 3),
                    high=round(max(compared), 3),
                    runs=ROUNDS,
                )
            )
    for row in results:
        print(row.line(), flush=True)
    save("server.json", "servers", {"at": now, "database": kind(SERVER_URL), "threads": THREADS}, results)
    print(f"\nwritten to {(ROOT / 'build' / 'server.json').relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
