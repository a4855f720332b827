"""`make big-data`: a database like that of a centre after some years: 300,000 persons, 1,000,000 orders, and all that
hangs on them; by COPY into PostgreSQL, the same for the same seed (but for what encryption adds by chance).

`python -m bench.big [--persons N] [--orders N] [--seed N]`; `BIG_DATABASE_URL` names the database, which is dropped
and made anew (default: `zhukao_big` on this machine's PostgreSQL). Its keys and photos are in build/big.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import shutil
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

from app import wiring
from app.core import db, engines, migrate
from app.core.clock import utcnow
from app.reports import service as reports
from app.study.models import Course, Lesson
from bench.big.copying import Table, without_indexes
from bench.big.draw import Draw, Place, places
from bench.big.money import Lessons, Money, Paid
from bench.big.people import People, Someone
from bench.big.place import DATA_DIR, NAME, URL, settings
from bench.big.work import NO_TRY, PHOTOS, REPLACEMENTS, Work, members
from bench.places import a_redis
from sandbox import keys

WORKERS = min(os.cpu_count() or 1, 4)
UNSEEN = PHOTOS + REPLACEMENTS + NO_TRY
AT_ONCE = 5_000  # persons between two COPYs
LESSONS = 3
HOSTILE = ("<svg onload=alert(1)>", "=cmd|' /C calc'!A0", "+1", "-1", "@SUM(1)", "\u202e\u5f20\u4e09")


def make_database() -> None:
    """Drop the database and make it anew, empty."""
    server = engines.make(f"{URL.rpartition('/')[0]}/postgres", connections=1)
    server.execute_sql(f'DROP DATABASE IF EXISTS "{NAME}" WITH (FORCE)')
    server.execute_sql(f"CREATE DATABASE \"{NAME}\" ENCODING 'UTF8' TEMPLATE template0")
    server.execute_sql(f'ALTER DATABASE "{NAME}" SET synchronous_commit = off')  # while it is filled
    server.close_all()


@contextmanager
def product() -> Iterator[None]:
    """The product's rooms over the empty database, in this process."""
    shutil.rmtree(DATA_DIR, ignore_errors=True)
    keys.ensure(DATA_DIR)
    make_database()
    with a_redis() as redis_url:
        with_redis = settings({"REDIS_URL": redis_url})
        db.connect(with_redis.database_url)
        with db.connection():
            migrate.up()
        db.database.close_all()
        wiring.start(with_redis)
        with db.connection():
            yield
        db.database.close_all()


def courses(all_places: list[Place]) -> dict[tuple[str, str], list[str]]:
    """A course of some lessons for each kind of certificate; gives the lessons' ids."""
    found = {}
    for place in all_places:
        for kind in place.kinds:
            course = Course.create(programme=place.key, kind_code=kind, title=f"{kind} 继续教育课程")
            found[place.key, kind] = [
                Lesson.create(
                    course=course, number=number, title=f"第 {number} 课", seconds=1800, video="film.mp4"
                ).id
                for number in range(1, LESSONS + 1)
            ]
    return found


@dataclass
class Part:
    """What one process made: rows by table, who has no photo yet, payments."""

    counts: Counter[str]
    unseen: list[Someone]
    paid: list[Paid]


def tables_of(people: People, money: Money, work: Work) -> list[Table]:
    """The tables of all three, each row of which comes by COPY."""
    return [*people.tables, *money.tables, *work.tables]


def part(numbers: range, total: int, orders: int, draw: Draw, lessons: Lessons, staff: list[str]) -> Part:
    """The persons of these numbers, in a process and by a connection of its own."""
    db.connect(URL)
    began = time.monotonic()
    people, money, work = People(draw, places()), Money(draw, lessons), Work(draw, staff)
    tables = tables_of(people, money, work)
    unseen: list[Someone] = []
    with db.connection():
        for number in numbers:
            someone = people.one(number, HOSTILE[number // 6] if number % 6 == 0 and number < 36 else None)
            money.of(someone, (number + 1) * orders // total - number * orders // total)
            work.of(someone)
            if number % 6 == 0 and len(unseen) < UNSEEN:
                unseen.append(someone)
            if number % AT_ONCE == AT_ONCE - 1 or number == numbers[-1]:
                for table in tables:
                    table.send()
                rows = sum(table.count for table in tables)
                took = time.monotonic() - began
                print(f"  persons to {number + 1:,}: {rows:,} rows in {took:.0f} s", flush=True)
    return Part(Counter({table.name: table.count for table in tables}), unseen, money.paid)


def fill(persons: int, orders: int, seed: int) -> Counter[str]:
    """Make the rows; gives how many there are by table."""
    began, now = time.monotonic(), utcnow().replace(microsecond=0)
    draw = Draw(seed, now)
    lessons, staff = courses(places()), members(draw, places())
    tables = tables_of(People(draw, places()), Money(draw, lessons), work := Work(draw, staff))
    each = -(-persons // WORKERS)
    with without_indexes([table.name for table in tables]):
        db.database.close_all()  # no connection is shared with the others
        with ProcessPoolExecutor(WORKERS, multiprocessing.get_context("fork")) as pool:
            made = [
                pool.submit(part, numbers, persons, orders, Draw(seed * 1000 + first, now), lessons, staff)
                for first in range(0, persons, each)
                if (numbers := range(first, min(first + each, persons)))
            ]
            parts = [one.result() for one in made]
        db.database.connect(reuse_if_open=True)
        print(f"indexes ... ({time.monotonic() - began:.0f} s)", flush=True)
    print(f"cases that wait ... ({time.monotonic() - began:.0f} s)", flush=True)
    work.waiting([one for some in parts for one in some.unseen], [one for some in parts for one in some.paid])
    for table in work.tables:
        table.send()
    counts = Counter({table.name: table.count for table in tables})
    return sum((one.counts for one in parts), counts)


def main() -> None:
    """Make it, and say what there is."""
    parser = argparse.ArgumentParser(prog="python -m bench.big", description=__doc__)
    parser.add_argument("--persons", type=int, default=300_000)
    parser.add_argument("--orders", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    began = time.monotonic()
    print(f"{options.persons:,} persons and {options.orders:,} orders into {NAME} ...", flush=True)
    with product():
        counts = fill(options.persons, options.orders, options.seed)
        print(f"VACUUM ANALYZE ... ({time.monotonic() - began:.0f} s)", flush=True)
        db.database.execute_sql("VACUUM (ANALYZE)")  # before a question is asked: the planner knows nothing yet
        print(f"figures by the day ... ({time.monotonic() - began:.0f} s)", flush=True)
        while reports.reckon(now=utcnow()):
            pass
        db.database.execute_sql("ANALYZE report_figure, report_day")
        db.database.execute_sql(f'ALTER DATABASE "{NAME}" RESET synchronous_commit')
    for name, count in counts.most_common():
        print(f"  {name:<20}{count:>12,}")
    print(f"done in {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
