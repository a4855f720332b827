"""`make bench`: the goals of the hot paths, measured; writes build/bench.json. Ratios are of one run.

`python -m bench [ratios|notifications|applying|redis|flush ...] [--strict]`; `BENCH_DATABASE_URL` (or `DATABASE_URL`)
names a server in which a database is made and dropped, SQLite is used otherwise; `BENCH_ROWS` the records of Redis
and flush.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable

from app.core.clock import utcnow
from bench import applying, redis_cost, web
from bench.flush import ROWS, product, rows_per_second
from bench.places import SERVER_URL, kind
from bench.results import Result, save


def _flush() -> list[Result]:
    speed = round(rows_per_second())
    return [
        Result(f"flush, {ROWS:,} records dirty", speed, "records a second", speed, goal=40_000, goal_is="at least")
    ]


def _redis() -> list[Result]:
    with product(""):
        return redis_cost.cost()


PARTS: dict[str, Callable[[], list[Result]]] = {
    "ratios": web.ratios,
    "notifications": web.payment_notifications,
    "applying": applying.cost,
    "redis": _redis,
    "flush": _flush,
}


def main() -> int:
    """Measure, print, write; 1 if a goal is not met and that was asked."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], help="default: all")
    parser.add_argument("--strict", action="store_true", help="exit status 1 if a goal is not met")
    options = parser.parse_args()
    missed = 0
    for part in options.parts or PARTS:
        now = f"{utcnow():%Y-%m-%d %H:%M} UTC"
        print(f"\n{part} at {now}, {kind(SERVER_URL)} ...", flush=True)
        results = PARTS[part]()
        save("bench.json", part, {"at": now, "database": kind(SERVER_URL)}, results)
        for row in results:
            print(row.line(), flush=True)
            missed += row.met is False
    print(f"\nwritten to build/bench.json; goals not met: {missed}")
    return 1 if missed and options.strict else 0


if __name__ == "__main__":
    sys.exit(main())
